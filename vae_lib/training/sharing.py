"""Several processes that train one model together, or one that trains alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from vae_lib.training.history import TrainingDiverged


class Processes:
    """The processes of this run: those of `torch.distributed`, once it is initialised.

    Each computes a share of every batch, and `DistributedDataParallel` averages their gradients.
    A process that waits for another one's part would wait for ever after an error there. So
    whoever fails inside `together` or `values` goes on taking part until all have heard of it.
    """

    def __init__(self) -> None:
        present = dist.is_available() and dist.is_initialized()
        self.rank, self.n = (dist.get_rank(), dist.get_world_size()) if present else (0, 1)
        self.module: DistributedDataParallel | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """An error inside, in whichever process, is raised in all of them at the end."""
        fault = None
        try:
            yield
        except Exception as error:
            fault = error
        report = fault if isinstance(fault, TrainingDiverged) else fault and repr(fault)
        for rank, told in enumerate(self._gathered(report)):
            if fault is None and isinstance(told, TrainingDiverged):
                fault = told
            # A cause explains more than the divergence that came of it.
            elif isinstance(told, str) and (fault is None or isinstance(fault, TrainingDiverged)):
                fault = RuntimeError(f"Process {rank} of this run failed: {told}")
        if fault is not None:
            raise fault

    def check_sizes(self, batch_sizes: list[int]) -> None:
        """Refuse batches that cannot be shared."""
        if (smallest := min(batch_sizes)) < self.n:
            raise ValueError(
                f"{self.n} processes cannot share a batch of {smallest} examples. Choose a "
                f"batch_size that leaves {sum(batch_sizes)} examples no such rest, or fewer "
                "processes."
            )

    def check_agreement(self, plan: dict) -> None:
        """Refuse processes that would not take the same steps."""
        for rank, other in enumerate(self._gathered(plan)):
            if other != plan:
                raise ValueError(
                    f"Process {self.rank} is to train with {plan}, but process {rank} with "
                    f"{other}: give all of them the same data and settings."
                )

    def adopt(self, model: nn.Module, device: torch.device) -> None:
        """Begin to average the gradients of the model's parameters between the processes."""
        if self.n > 1:
            where = [device] if device.type == "cuda" else None
            self.module = DistributedDataParallel(_Steadfast(model), where)

    def share(self) -> slice:
        """Which examples of a batch are this process's."""
        return slice(self.rank, None, self.n)

    def values(self, compute: Callable[[], Tensor], n_examples: int) -> Tensor:
        """What `compute` returns, (n_examples,), its gradients averaged over the processes."""
        return compute() if self.module is None else self.module(compute, n_examples)

    def fault(self) -> Exception | None:
        """What went wrong in `values` of this process, where there are others."""
        return None if self.module is None else self.module.module.fault

    def order(self, n_examples: int, device: torch.device, seed: int, epoch: int) -> Tensor:
        """A permutation of the examples, the same in all processes, whose noise differs."""
        if self.n > 1:
            torch.manual_seed(((seed * 1_000_003 + epoch) * self.n + self.rank) % 2**63)
        order = torch.randperm(n_examples, device=device)
        if self.n > 1:
            dist.broadcast(order, src=0)
        return order

    def add_up(self, values: Tensor) -> None:
        """The sum over the processes, each of which has filled in its share, in place."""
        if self.n > 1:
            dist.all_reduce(values)

    def from_first(self, value: object) -> object:
        """What the first process holds."""
        return self._gathered(value)[0]

    def _gathered(self, value: object) -> list:
        if self.n == 1:
            return [value]
        held = [None] * self.n
        dist.all_gather_object(held, value)
        return held


class _Steadfast(nn.Module):
    """A model's parameters, and values that have gradients for them even after a fault.

    The other processes wait for those at every step of the epoch; these are 0.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.fault: Exception | None = None

    def forward(self, compute: Callable[[], Tensor], n_examples: int) -> Tensor:
        if self.fault is None:
            try:
                return compute()
            except Exception as error:
                self.fault = error
        trained = (p for p in self.parameters() if p.requires_grad)
        return sum(0 * p.float().sum() for p in trained).expand(n_examples)
