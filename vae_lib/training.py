"""Gradient ascent on any objective: nothing in here is about variational autoencoders."""

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
from tqdm.auto import tqdm

Objective = Callable[[nn.Module, Tensor], Tensor]
"""(model, x of shape (B, D)) to one value per example, (B,), in nats, larger is better."""

EVALUATION_BATCH_SIZE = 1000


@dataclass
class History:
    """What a training run left: the mean objective per epoch, in nats per example.

    Larger is better. `train` averages the values met while the epoch ran, `held_out` those after
    it, on data that the model never learns from (empty where there are none). `seconds` is the
    time spent.
    """

    train: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    seconds: float = 0.0


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
    held_out: Tensor | None = None,
    transform: Callable[[Tensor], Tensor] | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Maximise the mean of `objective` over `data` with Adam, and return the curves.

    Args:
        model: trained in place, and left on the device that was used, in evaluation mode.
        objective: (model, x) to (B,), one value per example, larger is better. The minus sign
            that turns it into a loss, and the mean over examples, stand here and nowhere else.
        data: (N, D), moved to the device once and shuffled there before every epoch.
        held_out: (M, D), judged after every epoch, always with the same random numbers. It has
            no influence on the training.
        transform: applied to every batch, e.g. `binarize` for dynamic binarisation.
        seed: of the shuffling, the transform's and the objective's noise. The global random
            state is left as it was. Initial weights are drawn when the model is made: call
            `torch.manual_seed` before that.
        device: the best there is by default.
        checkpoint: a file written (atomically) after every epoch. If it is there already, the
            run goes on from it, to the numbers that an uninterrupted run would have given.

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
    model.to(device).train()
    settings = {"batch_size": batch_size, "lr": lr, "seed": seed, "n_examples": len(data)}
    run = _Run(model, _adam(model, lr, device), settings, History())
    with _seeded(seed, device):
        if checkpoint is not None and Path(checkpoint).exists():
            run.load(Path(checkpoint), device)
        epochs_left = range(len(run.history.train), epochs)
        for _ in (bar := _bar(epochs_left, progress)):
            start = time.perf_counter()
            run.history.train.append(_epoch(run, objective, data, transform))
            if held_out is not None:
                value = evaluate(model, objective, held_out, transform=transform, seed=seed)
                run.history.held_out.append(value)
            bar.set_postfix_str(f"{run.history.train[-1]:.2f} nats")
            run.history.seconds += time.perf_counter() - start
            if checkpoint is not None:
                run.save(Path(checkpoint))
    model.eval()
    return run.history


def evaluate(
    model: nn.Module,
    objective: Objective,
    data: Tensor,
    *,
    transform: Callable[[Tensor], Tensor] | None = None,
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


@dataclass
class _Run:
    """What changes while a model is trained, and is written to a checkpoint."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    settings: dict[str, float]
    history: History

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
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
        self.history = History(**state["history"])
        torch.set_rng_state(state["random_state"].cpu())
        if "random_state_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["random_state_cuda"].cpu())


def _epoch(
    run: _Run,
    objective: Objective,
    data: Tensor,
    transform: Callable[[Tensor], Tensor] | None,
) -> float:
    """One pass over the shuffled data. Returns the mean objective on the way."""
    last_good = {name: value.clone() for name, value in run.model.state_dict().items()}
    # The values stay on the device until the epoch ends: reading each one would make a GPU wait.
    values = torch.zeros(len(data), device=data.device)
    fault = _ascend(run, objective, data, transform, values)
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


def _ascend(
    run: _Run,
    objective: Objective,
    data: Tensor,
    transform: Callable[[Tensor], Tensor] | None,
    values: Tensor,
) -> ValueError | None:
    """An optimiser step for every batch; fills `values` in order. Returns what stopped it early."""
    batch_size = int(run.settings["batch_size"])
    order = torch.randperm(len(data), device=data.device).split(batch_size)
    try:
        for indices, place in zip(order, values.split(batch_size), strict=True):
            x = data[indices] if transform is None else transform(data[indices])
            value = _checked_objective(objective(run.model, x), len(indices))
            run.optimizer.zero_grad()
            (-value.mean()).backward()
            run.optimizer.step()
            place.copy_(value.detach())
    except ValueError as error:
        return error
    return None


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


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers from `seed` inside, and the global state as it was before, after."""
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        yield
