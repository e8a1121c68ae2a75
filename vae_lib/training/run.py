"""A training run: what changes while a model is trained, an epoch at a time."""

import functools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from vae_lib import checks
from vae_lib.training import faults
from vae_lib.training.compiling import Maximand, compiled
from vae_lib.training.history import History, TrainingDiverged
from vae_lib.training.judging import mean_value, one_per_example, transformed
from vae_lib.training.sharing import Processes

FLUSH_EVERY = 100
"""Steps after which averages of gradients that have died away are set to 0. In as many steps Adam
takes 1e-30 to 3e-35, which is still a normal number."""


@dataclass
class Run:
    """A model, the examples it learns from, and where the training has got to.

    `settings` are plain numbers: batch_size, lr, seed, and one_cycle, compile and bf16 as bools.
    """

    model: nn.Module
    objective: Callable[..., Tensor]
    transform: Callable | None
    data: tuple[Tensor, ...]
    held_out: tuple[Tensor, ...] | None
    settings: dict[str, float]
    processes: Processes
    n_steps: int = 0  # in all
    history: History = field(default_factory=History)
    n_done: int = 0  # of them, by the end of the last epoch
    is_compiled: bool = False

    def start(self, device: torch.device) -> None:
        """Move everything to the device, and make the optimiser."""
        self.device = device
        self.model.to(device).train()
        self.data = tuple(part.to(device) for part in self.data)
        if self.held_out is not None:
            self.held_out = tuple(part.to(device) for part in self.held_out)
        self.maximand = Maximand(self.model, self.objective, self.settings["bf16"])
        fused = device.type in ("cpu", "cuda")  # one kernel for all parameters, where there is one
        lr = self.settings["lr"]
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr, fused=fused)
        self.schedule = None
        if self.settings["one_cycle"]:
            self.schedule = OneCycleLR(self.optimizer, lr, total_steps=self.n_steps)
        self.processes.adopt(self.model, device)
        checks.keep_freed_memory()

    def batch_sizes(self) -> list[int]:
        """The sizes of a whole epoch's batches."""
        whole, rest = divmod(len(self.data[0]), self.settings["batch_size"])
        return [self.settings["batch_size"]] * whole + [rest] * (rest > 0)

    def plan(self) -> dict:
        """What processes that share a run must agree on."""
        return self.settings | {"n_examples": len(self.data[0]), "n_steps": self.n_steps}

    def has_met_all(self) -> bool:
        """Whether an epoch has met every example, and with it checked it."""
        return self.n_done >= len(self.batch_sizes())

    def epoch(self) -> None:
        """One pass over the shuffled data, or what is left of the steps, and the held-out value."""
        if self.settings["compile"] and self.has_met_all() and not self.is_compiled:
            self._compile()
        last_good = {name: value.clone() for name, value in self.model.state_dict().items()}
        start = time.perf_counter()
        sizes = self.batch_sizes()[: self.n_steps - self.n_done]
        try:
            with self.processes.together(), self._trust():
                train = self._ascend(sizes)
                held_out = self._held_out_value(len(sizes))
        except Exception as error:
            if isinstance(error, TrainingDiverged) or not faults.is_finite(self.model):
                self.model.load_state_dict(last_good)
            raise
        # Both at once: an interrupt leaves no epoch half written.
        self.history.train.append(train)
        self.history.held_out += held_out
        self.history.seconds += time.perf_counter() - start
        self.n_done += len(sizes)

    def state(self) -> dict:
        """What a later run needs to go on from here, to the same bits."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule and self.schedule.state_dict(),
            "history": asdict(self.history),
            "n_done": self.n_done,
            "random_states": checks.random_states(self.device),
        }

    def resume(self, state: dict) -> None:
        """Go on from a `state` of the same run."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.history, self.n_done = History(**state["history"]), state["n_done"]
        checks.set_random_states(state["random_states"], self.device)

    @contextmanager
    def _trust(self) -> Iterator[None]:
        """After an epoch that has met every example: no more looking at values inside."""
        self.used_transform = self.transform
        if not self.has_met_all():
            yield
            return
        if self.transform is not None:
            self.used_transform = checks.trusted(self.transform)
        with checks.trusting(self.model):
            yield

    def _compile(self) -> None:
        start = time.perf_counter()
        together = self.processes.together()
        with together, self._trust(), checks.seeded(None, self.device):
            share = self.processes.share()
            rows = [torch.arange(n, device=self.device)[share] for n in set(self.batch_sizes())]
            batches = [self._batch(row) for row in sorted(rows, key=len)]
            graphs = self.device.type == "cuda" and self.processes.n == 1
            self.maximand = compiled(self.maximand, batches, graphs=graphs)
        self.is_compiled = True
        self.history.warm_up += time.perf_counter() - start

    def _batch(self, rows: Tensor) -> tuple[Tensor, ...]:
        # Indexing by a tensor copies: what is done to a batch in place does not reach the data.
        return transformed(self.used_transform, [part[rows] for part in self.data])

    def _ascend(self, sizes: list[int]) -> float:
        """An optimiser step for every batch. Returns the mean objective on the way."""
        # The values stay on the device until the epoch ends: reading each would make a GPU wait.
        dtype = torch.promote_types(torch.float32, checks.dtype_of(self.model))
        values = torch.zeros(sum(sizes), device=self.device, dtype=dtype)
        self.totals = []
        n, seed, epoch = len(self.data[0]), self.settings["seed"], len(self.history.train)
        order = self.processes.order(n, self.device, seed, epoch)[: len(values)]
        batches = zip(order.split(sizes), values.split(sizes), strict=True)
        try:
            for i, (rows, places) in enumerate(batches):
                self._step(i, rows, places)
        except Exception as fault:
            self._look(values, sizes[0], fault)
            raise
        self.processes.add_up(values)
        if (fault := self.processes.fault()) is not None:
            self._look(values, sizes[0], fault)
            raise fault
        self._look(values, sizes[0])
        return values.cpu().double().mean().item()

    def _step(self, i: int, rows: Tensor, places: Tensor) -> None:
        if i % FLUSH_EVERY == 0 and self.device.type == "cpu":
            _flush_averages(self.optimizer)
        self.n_in_epoch = i + 1
        share = self.processes.share()
        places = places[share]
        compute = functools.partial(self._values, rows[share])
        value = self.processes.values(compute, len(places))
        self.optimizer.zero_grad()
        # The mean over the whole batch: over a share of it, where the processes' gradients are
        # then averaged.
        (-value.sum() / (len(rows) / self.processes.n)).backward()
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        places.copy_(value.detach())

    def _values(self, rows: Tensor) -> Tensor:
        self.batch = None
        self.batch = self._batch(rows)
        if self.transform is not None:
            self.totals.append(faults.totals(self.batch))
        value = one_per_example(self.maximand(*self.batch), len(rows))
        if not value.requires_grad:
            raise ValueError("The objective does not depend on any parameter that is trained.")
        return value

    def _look(self, values: Tensor, batch_size: int, fault: Exception | None = None) -> None:
        """Raise TrainingDiverged, or name the transform, where numbers have ceased to be finite."""
        if (where := faults.first_bad(values)) is not None:
            step = where // batch_size
            if self.totals:
                faults.refuse_what_is_not_finite(self.totals[step])
            raise self._diverged(values[where].item(), step + 1) from fault
        if fault is None and not faults.is_finite(self.model):
            raise self._diverged(math.nan, self.n_in_epoch, "a parameter")
        if fault is None:
            return
        plain = Maximand(self.model, self.objective, self.settings["bf16"])
        if faults.is_divergence(self.model, plain, self.batch):
            raise self._diverged(math.nan, self.n_in_epoch, "a network's output") from fault

    def _held_out_value(self, n_steps: int) -> list[float]:
        if self.held_out is None:
            return []
        arguments = (self.held_out, self.used_transform, self.settings["seed"])
        value = mean_value(self.model, self.objective, *arguments)
        if not math.isfinite(value):
            raise self._diverged(value, n_steps, "the objective on held_out")
        return [value]

    def _diverged(self, value: float, step: int, what: str = "the objective") -> TrainingDiverged:
        return TrainingDiverged(value, len(self.history.train) + 1, step, self.history, what)


def _flush_averages(adam: torch.optim.Adam) -> None:
    """Set Adam's averages of gradients to 0 where they have all but died away.

    A unit that is silent on all the data has gradients of 0. The average of them halves every
    seven steps until it is a denormal number, which rounding keeps from reaching 0, and a CPU is
    many times slower at each of those. They are far too small to move a weight.
    """
    for state in adam.state.values():
        average = state["exp_avg"]
        average.masked_fill_(average.abs() < 1e-30, 0)
