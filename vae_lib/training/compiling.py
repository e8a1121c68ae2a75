"""The objective as a module, plain or compiled."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from vae_lib import checks


class Maximand(nn.Module):
    """The objective of a model as a module, the form that torch's wrappers want."""

    def __init__(self, model: nn.Module, objective: Callable[..., Tensor], bf16: bool) -> None:
        super().__init__()
        self.model, self.objective, self.bf16 = model, objective, bf16

    def forward(self, *batch: Tensor) -> Tensor:
        if not self.bf16:
            return self.objective(self.model, *batch)
        with torch.autocast(batch[0].device.type, torch.bfloat16):
            return self.objective(self.model, *batch)


def compiled(maximand: nn.Module, batches: list[tuple[Tensor, ...]], *, graphs: bool) -> Callable:
    """The maximand as compiled code that has met a batch of each size, or as it is, with a warning.

    The price of compiling is paid here. Nothing else that the runs on those batches do stays:
    buffers (a batch norm's statistics), gradients and random states are as they were.
    """
    model, device = maximand.model, batches[0][0].device
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    try:
        # CUDA graphs take the launching of kernels out of a step.
        code = torch.compile(maximand, dynamic=False, mode="reduce-overhead" if graphs else None)
        with checks.seeded(None, device):
            for batch in batches:
                for _ in range(3):  # a CUDA graph is recorded after two runs
                    model.zero_grad()  # to what a graph has put there, nothing can be added
                    code(*batch).mean().backward()
        return code
    # Plain code has just gone through an epoch: whatever fails here is the compiler's.
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        warnings.warn(
            f"torch.compile failed, so training goes on uncompiled, to numbers as good. "
            f"{type(error).__name__}: {first_line} On a CPU it needs a C++ compiler.",
            stacklevel=2,
        )
        return maximand
    finally:
        with torch.no_grad():
            for name, value in model.named_buffers():
                value.copy_(buffers[name])  # in place, for a CUDA graph knows its memory
        model.zero_grad()


@contextmanager
def torchs_validation(flag: bool | None = None) -> Iterator[bool]:
    """Inside, torch's process-wide validation of distributions as `flag` says; after, as before.

    torch.compile switches it off for the whole process, and doesn't say so.
    """
    before = Distribution._validate_args
    try:
        if flag is not None:
            Distribution.set_default_validate_args(flag)
        yield before
    finally:
        Distribution.set_default_validate_args(before)
