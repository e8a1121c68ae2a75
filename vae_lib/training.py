"""Gradient ascent on any objective: nothing in here is about variational autoencoders."""

import functools
import inspect
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import OneCycleLR
from tqdm.auto import tqdm

Objective = Callable[[nn.Module, Tensor], Tensor]
"""(model, x of shape (B, D)) to one value per example, (B,), in nats, larger is better."""

Transform = Callable[[Tensor], Tensor]
"""A batch (B, D) to the batch that the objective sees, e.g. `vae_lib.data.binarize`."""

EVALUATION_BATCH_SIZE = 1000

FLUSH_EVERY = 100
"""Steps after which averages of gradients that have died away are set to 0. In as many steps Adam
takes 1e-30 to 3e-35, which is still a normal number."""


@dataclass
class History:
    """What a training run left: the mean objective per epoch, in nats per example.

    Larger is better. `train` averages the values met while the epoch ran, `held_out` those after
    it, on data that the model never learns from (empty where there are none). `seconds` is the
    time spent, without the `warm_up` that compilation took where it was asked for.
    """

    train: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    seconds: float = 0.0
    warm_up: float = 0.0


class TrainingDiverged(ArithmeticError):
    """The objective became NaN or infinite. The model has the state of the last good epoch.

    `history` holds the epochs before; `epoch` and `step` count from 1 and say where it happened.
    """

    def __init__(self, value: float, epoch: int, step: int, history: History) -> None:
        super().__init__(
            f"Training diverged in epoch {epoch}, step {step} (the objective was {value}). "
            f"The model has been set back to its state after epoch {epoch - 1}, and .history "
            "holds the curves so far. "
            "Try a smaller learning rate, or look for a scale that shrinks to 0."
        )
        self.history, self.epoch, self.step = history, epoch, step


def best_device() -> torch.device:
    """A CUDA GPU if there is one, else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def fit(
    model: nn.Module,
    objective: Objective,
    data: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    one_cycle: bool = False,
    held_out: Tensor | None = None,
    transform: Transform | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    compile: bool = False,
    bf16: bool = False,
) -> History:
    """Maximise the mean of `objective` over `data` with Adam, and return the curves.

    Args:
        model: trained in place, and left on the device that was used, in evaluation mode.
        objective: (model, x) to (B,), one value per example, larger is better. The minus sign
            that turns it into a loss, and the mean over examples, stand here and nowhere else.
        data: (N, D), moved to the device once and shuffled there before every epoch.
        lr: Adam's learning rate. With `one_cycle` it is the peak of a rate that climbs and then
            falls to nearly 0 over the whole run (Smith and Topin, 2019).
        held_out: (M, D), judged after every epoch, always with the same random numbers. It has
            no influence on the training.
        transform: applied to every batch, e.g. `binarize` for dynamic binarisation.
        seed: of the shuffling, the transform's and the objective's noise. The global random
            state is left as it was. Initial weights are drawn when the model is made: call
            `torch.manual_seed` before that.
        device: the best there is by default.
        checkpoint: a file written (atomically) after every epoch. If it is there already, the
            run goes on from it, to the numbers that an uninterrupted run would have given.
        compile: use `torch.compile` after the first epoch, on a GPU with CUDA graphs. Compiled
            code draws its noise otherwise, so the same seed gives other numbers.
        bf16: run the networks' matrix products in bfloat16 while training (autocast). Weights,
            distributions, the optimiser and all evaluation stay in float32.

    The first epoch, which meets every example, checks that the data lie in the support of the
    likelihood. Later ones trust it: modules whose `validate_args` is None, and a transform with a
    parameter of that name, have it set to False until the run ends.

    Under `torchrun`, once `torch.distributed` is initialised, the processes share each batch by
    `DistributedDataParallel`: `batch_size` still counts the whole batch, every process returns
    the same history, and the first one alone writes the checkpoint.

    Raises:
        ValueError: data that are empty, not finite or of the wrong shape; settings out of range;
            an objective that does not return (B,); a checkpoint of another run.
        TrainingDiverged: the objective became NaN or infinite. Nothing is lost.

    Taught in chapters 1 and 8.
    """
    _check_settings(epochs=epochs, batch_size=batch_size, lr=lr)
    device = torch.device(device) if device is not None else best_device()
    data = _checked(data, "data").to(device)
    if held_out is not None:
        held_out = _checked(held_out, "held_out", n_columns=data.shape[1]).to(device)
    settings = {"batch_size": batch_size, "lr": lr, "seed": seed, "n_examples": len(data)}
    run = _start(model.to(device).train(), objective, transform, settings, device, bf16)
    if one_cycle:
        run.follow_one_cycle(epochs)
    with _seeded(seed, device), _validation_restored(model):
        if checkpoint is not None and Path(checkpoint).exists():
            run.load(Path(checkpoint), device)
        for _ in (bar := _bar(range(len(run.history.train), epochs), progress)):
            start = time.perf_counter()
            run.history.train.append(_epoch(run, data))
            if held_out is not None:
                value = evaluate(model, objective, held_out, transform=run.transform, seed=seed)
                run.history.held_out.append(value)
            bar.set_postfix_str(f"{run.history.train[-1]:.2f} nats")
            run.history.seconds += time.perf_counter() - start
            if checkpoint is not None and run.rank == 0:
                run.save(Path(checkpoint))
            run.trust_data(data, compile=compile)
    model.eval()
    return run.history


def evaluate(
    model: nn.Module,
    objective: Objective,
    data: Tensor,
    *,
    transform: Transform | None = None,
    seed: int = 0,
) -> float:
    """The mean objective over all of `data`, (N, D), without gradients; nats per example.

    Batches of any size give the same mean. The global random state is left as it was.
    """
    data = _checked(data, "data")
    was_training = model.training
    model.eval()
    total = 0.0
    with torch.no_grad(), _seeded(seed, data.device):
        for x in data.split(EVALUATION_BATCH_SIZE):
            total += objective(model, x if transform is None else transform(x)).sum().item()
    model.train(was_training)
    return total / len(data)


def _bar(epochs: range, wanted: bool) -> tqdm:
    if not wanted:
        return tqdm(epochs, disable=True)
    # `disable` is left unsaid here, so that the environment variable TQDM_DISABLE is heard.
    return tqdm(epochs, leave=False, unit="epoch")


def _adam(model: nn.Module, lr: float, device: torch.device) -> torch.optim.Adam:
    fused = device.type in ("cpu", "cuda")  # one kernel for all parameters, where there is one
    return torch.optim.Adam(model.parameters(), lr=lr, fused=fused)


class _Maximand(nn.Module):
    """The objective as a module, the form that torch's wrappers want."""

    def __init__(self, model: nn.Module, objective: Objective, bf16: bool) -> None:
        super().__init__()
        self.model, self.objective, self.bf16 = model, objective, bf16

    def forward(self, x: Tensor) -> Tensor:
        if not self.bf16:
            return self.objective(self.model, x)
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.objective(self.model, x)


def _start(
    model: nn.Module,
    objective: Objective,
    transform: Transform | None,
    settings: dict[str, float],
    device: torch.device,
    bf16: bool,
) -> "_Run":
    torch.empty(8_000_000)  # see vae_lib.evaluation: freed at once, it spares page faults later
    maximand = _Maximand(model, objective, bf16)
    adam = _adam(model, settings["lr"], device)
    run = _Run(model, maximand, transform or (lambda x: x), adam, settings)
    if dist.is_available() and dist.is_initialized():
        run.rank, run.n_processes = dist.get_rank(), dist.get_world_size()
        _check_shares(run)
        run.maximand = DistributedDataParallel(
            maximand, [device] if device.type == "cuda" else None
        )
    return run


@dataclass
class _Run:
    """A training run: what changes while a model is trained, and is written to a checkpoint."""

    model: nn.Module
    maximand: Callable[[Tensor], Tensor]
    transform: Transform
    optimizer: torch.optim.Optimizer
    settings: dict[str, float]
    schedule: OneCycleLR | None = None
    history: History = field(default_factory=History)
    trusting: bool = False
    rank: int = 0
    n_processes: int = 1

    def batch_sizes(self) -> list[int]:
        whole, rest = divmod(int(self.settings["n_examples"]), int(self.settings["batch_size"]))
        return [int(self.settings["batch_size"])] * whole + [rest] * (rest > 0)

    def follow_one_cycle(self, epochs: int) -> None:
        self.settings["one_cycle_epochs"] = epochs
        n_steps = epochs * len(self.batch_sizes())
        self.schedule = OneCycleLR(self.optimizer, self.settings["lr"], total_steps=n_steps)

    def trust_data(self, data: Tensor, *, compile: bool) -> None:
        """After an epoch that has met every example: no more validation, and compiled code."""
        if self.trusting:
            return
        self.trusting = True
        for module in _validating(self.model):
            module.validate_args = False
        if _has_parameter(self.transform, "validate_args"):
            self.transform = functools.partial(self.transform, validate_args=False)
        if compile:
            self.compile(data)

    def compile(self, data: Tensor) -> None:
        """Replace the maximand by compiled code, and pay for that now: once per batch size."""
        start = time.perf_counter()
        graphs = data.is_cuda and self.n_processes == 1
        mode = "reduce-overhead" if graphs else None
        self.maximand = torch.compile(self.maximand, dynamic=False, mode=mode)
        with torch.random.fork_rng(devices=[data.device] if data.is_cuda else []):
            for size in sorted(set(self.batch_sizes())):
                x = self.transform(data[:size][self.rank :: self.n_processes])
                for _ in range(3):  # a CUDA graph is recorded after two runs
                    self.maximand(x).mean().backward()
        self.optimizer.zero_grad()
        self.history.warm_up += time.perf_counter() - start

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule and self.schedule.state_dict(),
            "settings": self.settings,
            "history": asdict(self.history),
            "random_state": torch.get_rng_state(),
        }
        if torch.cuda.is_available():
            state["random_state_cuda"] = torch.cuda.get_rng_state()
        # A checkpoint cut short by a crash would lose the run it was made to save: it is written
        # beside the old one, which it then replaces in one step.
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                torch.save(state, file)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def load(self, path: Path, device: torch.device) -> None:
        state = torch.load(path, map_location=device, weights_only=True)
        if state["settings"] != self.settings:
            raise ValueError(
                f"The checkpoint {path} belongs to another run: it was made with "
                f"{state['settings']}, but this run has {self.settings}. "
                "Name another file, or delete this one to start afresh."
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.history = History(**state["history"])
        torch.set_rng_state(state["random_state"].cpu())
        if "random_state_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["random_state_cuda"].cpu())


def _epoch(run: _Run, data: Tensor) -> float:
    """One pass over the shuffled data. Returns the mean objective on the way."""
    last_good = {name: value.clone() for name, value in run.model.state_dict().items()}
    # The values stay on the device until the epoch ends: reading each one would make a GPU wait.
    values = torch.zeros(len(data), device=data.device)
    fault = _ascend(run, data, values)
    if run.n_processes > 1 and fault is None:
        dist.all_reduce(values)  # each process has filled in its share
    bad = (~values.isfinite()).nonzero()
    # The data are finite, so a distribution that refuses NaN was given it by the model.
    diverged = len(bad) or (fault is not None and "nan" in str(fault))
    if diverged or not all(p.isfinite().all() for p in run.model.parameters()):
        run.model.load_state_dict(last_good)
        where = int(bad[0]) if len(bad) else int(values.count_nonzero()) - 1
        step = max(where, 0) // int(run.settings["batch_size"]) + 1
        value = values[where].item()
        raise TrainingDiverged(value, len(run.history.train) + 1, step, run.history) from fault
    if fault is not None:
        raise fault
    return values.mean(dtype=torch.float64).item()


def _ascend(run: _Run, data: Tensor, values: Tensor) -> ValueError | None:
    """An optimiser step for every batch; fills `values` in order. Returns what stopped it early."""
    sizes, share = run.batch_sizes(), slice(run.rank, None, run.n_processes)
    try:
        places = values.split(sizes)
        for i, indices in enumerate(_order(run, data).split(sizes)):
            if i % FLUSH_EVERY == 0 and not data.is_cuda:
                _flush_averages(run.optimizer)
            x = run.transform(data[indices[share]])
            value = _checked_objective(run.maximand(x), len(x))
            run.optimizer.zero_grad()
            # The mean over the whole batch: over a share of it, where the processes' gradients
            # are then averaged.
            (-value.sum() / (len(indices) / run.n_processes)).backward()
            run.optimizer.step()
            if run.schedule is not None:
                run.schedule.step()
            places[i][share].copy_(value.detach())
    except ValueError as error:
        return error
    return None


def _flush_averages(adam: torch.optim.Adam) -> None:
    """Set Adam's averages of gradients to 0 where they have all but died away.

    A unit that is silent on all the data has gradients of 0. The average of them halves every
    seven steps until it is a denormal number, which rounding keeps from reaching 0, and a CPU is
    many times slower at each of those. They are far too small to move a weight.
    """
    for state in adam.state.values():
        average = state["exp_avg"]
        average.masked_fill_(average.abs() < 1e-30, 0)


def _order(run: _Run, data: Tensor) -> Tensor:
    """A permutation of the examples, the same in all processes, whose noise differs."""
    if run.n_processes > 1:
        epoch = len(run.history.train)
        torch.manual_seed((run.settings["seed"] * 1_000_003 + epoch) * run.n_processes + run.rank)
    order = torch.randperm(len(data), device=data.device)
    if run.n_processes > 1:
        dist.broadcast(order, src=0)
    return order


def _checked_objective(value: Tensor, n_examples: int) -> Tensor:
    if value.shape != (n_examples,):
        raise ValueError(
            f"An objective must return one value per example, shape ({n_examples},), but returned "
            f"{tuple(value.shape)}. Sum over the dimensions of an example; leave the mean over "
            "examples to fit."
        )
    return value


def _checked(data: Tensor, name: str, n_columns: int | None = None) -> Tensor:
    if data.ndim != 2 or 0 in data.shape:
        raise ValueError(
            f"{name} must have shape (N, D) with N and D of 1 or more, but has "
            f"{tuple(data.shape)}. Images of shape (N, h, w) need {name}.flatten(1)."
        )
    if n_columns is not None and data.shape[1] != n_columns:
        raise ValueError(f"{name} has {data.shape[1]} columns, but the training data {n_columns}.")
    if not data.isfinite().all():
        row = int((~data.isfinite()).any(dim=1).nonzero()[0])
        raise ValueError(f"{name} has NaN or infinite values, first in row {row}: remove them.")
    return data


def _check_settings(*, epochs: int, batch_size: int, lr: float) -> None:
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be 1 or more, not {epochs} and {batch_size}.")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr must be a positive finite number, not {lr}.")


def _has_parameter(function: Callable, name: str) -> bool:
    try:
        return name in inspect.signature(function).parameters
    except ValueError:  # some built-in functions tell nothing of their parameters
        return False


def _validating(model: nn.Module) -> list[nn.Module]:
    """The modules that leave the validation of their distributions to torch's default."""
    return [m for m in model.modules() if getattr(m, "validate_args", None) is True]


def _check_shares(run: _Run) -> None:
    if (smallest := min(run.batch_sizes())) < run.n_processes:
        raise ValueError(
            f"{run.n_processes} processes cannot share a batch of {smallest} examples. Choose a "
            f"batch_size that leaves {run.settings['n_examples']} examples no such rest, or fewer "
            "processes."
        )


@contextmanager
def _validation_restored(model: nn.Module) -> Iterator[None]:
    modules = _validating(model)
    # torch.compile switches validation off for the whole process, and doesn't say so.
    default = torch.distributions.Distribution._validate_args
    try:
        yield
    finally:
        torch.distributions.Distribution.set_default_validate_args(default)
        for module in modules:
            module.validate_args = True


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers from `seed` inside, and the global state as it was before, after."""
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        yield
