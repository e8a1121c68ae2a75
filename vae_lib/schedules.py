"""Weights that change while a model learns, as objectives that `fit` can take as they are."""

from collections.abc import Callable

from torch import Tensor, nn

from vae_lib.checks import count, positive


class WarmUp:
    """An objective whose β grows in equal steps, epoch by epoch, from `start` to `end`.

    It is the objective of `vae_lib.training.fit`, and its method is the hook of the same run::

        warm_up = WarmUp(elbo, n_epochs=10)
        fit(vae, warm_up, data, epochs=40, after_epoch=warm_up.after_epoch)

    The first epoch has the weight `start`, the one after `n_epochs` of them, and all that follow,
    `end`. The weight follows from the length of the history alone, so that a run that goes on from
    a checkpoint finds it again. While it is not 1 the objective is not the ELBO, on held-out data
    either: judge with `elbo`. One `WarmUp` serves one run.

    Args:
        objective: any (model, *batch, beta=...) to (B,), such as `elbo` or `conditional_elbo`.
        n_epochs: how many epochs the climb takes, 1 or more.
        start, end: the first weight and the last, finite and not negative.

    Raises:
        ValueError: arguments that are none of these; later, a second run with the same object.

    Source: Bowman et al. (2016). Taught in chapter 11.
    """

    def __init__(
        self,
        objective: Callable[..., Tensor],
        *,
        n_epochs: int,
        start: float = 0.0,
        end: float = 1.0,
    ) -> None:
        if not callable(objective):
            raise ValueError(
                f"objective must be a function of a model and a batch with an argument beta, such "
                f"as elbo, not {objective!r}: write WarmUp(elbo, n_epochs=10)."
            )
        self.objective = objective
        self.n_epochs = count(n_epochs, "n_epochs")
        self.start = positive(start, "start", or_zero=True)
        self.end = positive(end, "end", or_zero=True)
        self.n_done = 0

    @property
    def beta(self) -> float:
        """The weight in force."""
        share = min(1.0, self.n_done / self.n_epochs)
        return self.start + share * (self.end - self.start)

    def __call__(self, model: nn.Module, *batch: Tensor) -> Tensor:
        return self.objective(model, *batch, beta=self.beta)

    def after_epoch(self, model: nn.Module, history: object) -> None:
        """What `fit` calls after every epoch: take the weight that follows from the history."""
        n_done = len(history.train)
        if n_done < self.n_done:
            raise ValueError(
                f"This WarmUp has already been through {self.n_done} epochs of another run, and "
                "so this run began with the wrong weight: make a new one for each run."
            )
        self.n_done = n_done
