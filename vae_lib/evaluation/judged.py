"""A model and data that it is judged by: the same beginning and end for every score."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib import checks

if TYPE_CHECKING:
    from vae_lib.models import VAE, ConditionalVAE

LOOK_BATCH = 2000
REMEDY = "train it again, with a smaller learning rate, or load an earlier state"


@dataclass(frozen=True)
class Judged:
    """A model, and data x, (N, D), with what it is `given` for each row of them, if anything."""

    model: "VAE | ConditionalVAE"
    x: Tensor
    given: tuple[Tensor, ...]
    device: torch.device
    dtype: torch.dtype

    def batch(self, rows: slice) -> tuple["VAE", Tensor]:
        """The VAE for some rows, and these rows where the model is, in its precision.

        They are copies: a model that works in place cannot change the caller's data.
        """
        x, *given = (
            checks.moved(part[rows], self.device, self.dtype) for part in (self.x, *self.given)
        )
        return (self.model.given(*given) if given else self.model), x

    def answer(self, values: Tensor) -> Tensor:
        """Results from the CPU, on the device of x and in its precision."""
        return checks.moved(values, self.x.device, self.x.dtype)


def chunks(n: int, n_samples: int, chunk_size: int) -> list[tuple[slice, int]]:
    """Rows, and how many draws to make for each: K for all n rows, `chunk_size` at most a time."""
    n_rows, step = max(1, chunk_size // n_samples), min(n_samples, chunk_size)
    draws = [min(step, n_samples - k) for k in range(0, n_samples, step)]
    return [(slice(i, i + n_rows), k) for i in range(0, n, n_rows) for k in draws]


@contextmanager
def judging(model: nn.Module, x: object, *given: object) -> Iterator[Judged]:
    """Inside, the model is in evaluation mode and trusts the data, which were looked at once.

    Raises:
        ValueError: data that are no finite rows, or lie outside the likelihood's support; rows
            that do not travel together; a conditional model without what it is conditional on.
    """
    x = checks.rows(x, "x")
    columns = tuple(checks.companion(y, f"given[{i}]", len(x)) for i, y in enumerate(given))
    if bool(given) != hasattr(model, "given"):
        raise ValueError(
            f"A conditional model is judged by x and what it is given, model and x alone do for "
            f"others, but this is a {type(model).__name__} with {len(given)} such tensors."
        )
    # Half precision is for networks; data and codes keep theirs.
    dtype = torch.promote_types(checks.dtype_of(model), torch.float32)
    judged = Judged(model, x, columns, checks.device_of(model), dtype)
    checks.keep_freed_memory()
    with torch.no_grad(), checks.evaluating(model):
        _look(judged)
        with checks.trusting(model):
            yield judged


def _look(judged: Judged) -> None:
    """Ask whether the likelihood takes the data, at a code drawn from the prior for each batch."""
    if any(parameter.isnan().any() for parameter in judged.model.parameters()):
        raise ValueError(f"The model has NaN among its parameters: {REMEDY}.")
    with checks.seeded(0, judged.device):
        for start in range(0, len(judged.x), LOOK_BATCH):
            vae, x = judged.batch(slice(start, start + LOOK_BATCH))
            p_z = vae.prior()
            n_codes = (1, len(x) if judged.given else 1)
            p_x = vae.decoder(p_z.sample((1,) if p_z.batch_shape else n_codes))
            if p_x.log_prob(x).isnan().any():
                raise ValueError(f"log p(x|z) at a draw from the prior is NaN: {REMEDY}.")
            _look_at_support(p_x, x)
            if vae.encoder is not None and start == 0:
                vae.encoder(x)


def _look_at_support(p_x: td.Distribution, x: Tensor) -> None:
    """The same for a distribution that isn't the library's own, whatever torch's flag says."""
    if p_x.event_shape != x.shape[1:]:
        raise ValueError(
            f"x has rows of shape {tuple(x.shape[1:])}, but the decoder's distribution is one "
            f"over {tuple(p_x.event_shape)}: flatten the data, or wrap the distribution in "
            "torch.distributions.Independent."
        )
    try:
        inside = p_x.support.check(x)
    except NotImplementedError:  # it does not say where its density lives
        return
    if not inside.all():
        raise ValueError(
            f"x has values outside the support of the decoder's distribution, {p_x.support}. "
            "Binary likelihoods need vae_lib.data.binarize, others another scale."
        )
