"""What a training run leaves: its curves, or the place where it diverged."""

from dataclasses import dataclass, field


@dataclass
class History:
    """What a training run left: the mean objective per epoch, in nats per example.

    Larger is better. `train` averages the values met while the epoch ran (its last one may be cut
    short by `steps`), `held_out` those after it, on data that the model never learns from (empty
    where there are none). `seconds` is the time spent, without the `warm_up` that compilation
    took where it was asked for.
    """

    train: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    seconds: float = 0.0
    warm_up: float = 0.0


class TrainingDiverged(ArithmeticError):
    """The objective became NaN or infinite. The model has the state of the last good epoch.

    `history` holds the epochs before; `epoch` and `step` count from 1 and say where it happened,
    `what` was not finite: the objective, on the batch or on `held_out`, the parameters, or what a
    network put out.
    """

    def __init__(
        self, value: float, epoch: int, step: int, history: History, what: str = "the objective"
    ) -> None:
        # All of them, for pickle makes the exception anew from its `args`.
        super().__init__(value, epoch, step, history, what)
        self.value, self.epoch, self.step = value, epoch, step
        self.history, self.what = history, what

    def __str__(self) -> str:
        return (
            f"Training diverged in epoch {self.epoch}, step {self.step} "
            f"({self.what} was {self.value}). "
            f"The model has been set back to its state after epoch {self.epoch - 1}, and .history "
            "holds the curves so far. "
            "Try a smaller learning rate, or look for a scale that shrinks to 0."
        )
