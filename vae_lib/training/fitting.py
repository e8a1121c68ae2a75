"""The order of events in a training run."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from vae_lib import checks
from vae_lib.training import checkpoint as files
from vae_lib.training import given
from vae_lib.training.compiling import torchs_validation
from vae_lib.training.given import Data
from vae_lib.training.history import History
from vae_lib.training.identity import identity, refuse_another
from vae_lib.training.judging import Objective, Transform
from vae_lib.training.run import Run
from vae_lib.training.sharing import Processes

AfterEpoch = Callable[[nn.Module, History], object]


def best_device() -> torch.device:
    """A CUDA GPU if there is one, else Apple's, else the CPU; or what VAE_LIB_DEVICE names."""
    gpus = {"cuda": torch.cuda, "mps": torch.backends.mps}
    found = [name for name, backend in gpus.items() if backend.is_available()]
    return torch.device(os.environ.get("VAE_LIB_DEVICE") or [*found, "cpu"][0])


def fit(
    model: nn.Module,
    objective: Objective,
    data: Data,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 128,
    lr: float = 1e-3,
    one_cycle: bool = False,
    held_out: Data | None = None,
    transform: Transform | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    checkpoint: str | os.PathLike | None = None,
    after_epoch: AfterEpoch | None = None,
    progress: bool = True,
    compile: bool = False,
    bf16: bool = False,
) -> History:
    """Maximise the mean of `objective` over `data` with Adam, and return the curves.

    Args:
        model: trained in place. It comes back in evaluation mode and on the device on which it
            came, also after an error or an interrupt.
        objective: (model, x) to (B,), one value per example, larger is better. The minus sign
            that turns it into a loss, and the mean over examples, stand here and nowhere else.
        data: (N, D), or a tuple of that and of what travels with its rows (labels, say), N rows
            each: batches of all parts reach `transform(*batch)` and `objective(model, *batch)`.
            Tensors, NumPy arrays or lists; what is floating-point gets the model's dtype. Moved to
            the device once and shuffled there before every epoch.
        epochs: passes over the data; or
        steps: the exact number of steps, of which the last epoch may have fewer.
        lr: Adam's learning rate. With `one_cycle` it is the peak of a rate that climbs and then
            falls to nearly 0 over the whole run (Smith and Topin, 2019).
        held_out: (M, D), or a tuple as `data`, judged after every epoch, always with the same
            random numbers. It has no influence on the training.
        transform: applied to every batch, e.g. `binarize` for dynamic binarisation. With one,
            whole numbers (pixels of 0 to 255) stay small in memory until it makes them
            floating-point.
        seed: of the shuffling, the transform's and the objective's noise. The global random
            state is left as it was. Initial weights are drawn when the model is made: call
            `torch.manual_seed` before that.
        device: the best there is by default, which for a float64 model is the CPU or CUDA.
        checkpoint: a file written (atomically) after every epoch. If it is there already, the
            run goes on from it, to the numbers that an uninterrupted run would have given; more
            `epochs` than before may be asked for, except with `one_cycle`. A file of another run
            (settings, data, model, objective or transform; `vae_lib.training.identity` says what
            is noticed) or a damaged one is refused before the model is touched.
            `torch.load(checkpoint, weights_only=True)["model"]` is the model's state dict.
        after_epoch: called as `after_epoch(model, history)` after every epoch, once its checkpoint
            is written, and once more with the last of them when a run goes on from a checkpoint:
            so a schedule that follows from `history` finds itself again. The model is in
            evaluation mode meanwhile, on the device; random numbers drawn there have no influence
            on the run. What it raises stops the run and passes through.
        compile: use `torch.compile` after the first epoch, on a GPU with CUDA graphs. Compiled
            code draws its noise otherwise, so the same seed gives other numbers. Where compiling
            fails, for want of a compiler, say, training goes on without it, with a warning.
        bf16: run the networks' matrix products in bfloat16 while training (autocast). Weights,
            distributions, the optimiser and all evaluation stay in float32.

    The first epoch, which meets every example, checks that the data lie in the support of the
    likelihood. Later ones trust it: modules whose `validate_args` is True, and a transform with a
    parameter of that name, have it set to False, but for `after_epoch`, until the run ends.

    Under `torchrun`, once `torch.distributed` is initialised, the processes share each batch by
    `DistributedDataParallel`: `batch_size` still counts the whole batch, every process returns
    the same history and calls `after_epoch`, and the first one alone reads and writes the
    checkpoint. An error in one of them stops all, at the end of the epoch.

    Raises:
        ValueError: data that are empty, not finite or of the wrong shape; settings out of range;
            an objective that does not return (B,); a transform that makes NaN; a checkpoint of
            another run.
        TrainingDiverged: the objective became NaN or infinite, here or on `held_out`. Nothing is
            lost.

    Taught in chapters 1 and 8.
    """
    processes = Processes()
    with processes.together():
        given.check_callables(model, objective, transform, after_epoch, trains=True)
        switches = {"one_cycle": one_cycle, "compile": compile, "bf16": bf16}
        settings = given.settings(batch_size, lr, seed, switches, processes.n)
        parts = given.examples(data, "data", model, raw=transform is not None)
        held_out = given.held_out_like(parts, held_out, model, raw=transform is not None)
        run = Run(model, objective, transform, parts, held_out, settings, processes)
        run.n_steps = given.n_steps(epochs, steps, len(run.batch_sizes()))
        processes.check_sizes(run.batch_sizes())
        device = _device_for(model, device)
        saved, save = _checkpoint(run, checkpoint)
    processes.check_agreement(run.plan())
    with _lent(model), checks.seeded(settings["seed"], device), torchs_validation() as validates:
        run.start(device)
        if (saved := processes.from_first(saved)) is not None:
            run.resume(saved)
            _call(after_epoch, run, validates)
        for _ in (bar := _bar(run, progress)):
            run.epoch()
            bar.set_postfix_str(f"{run.history.train[-1]:.2f} nats")
            with processes.together():
                save()
                _call(after_epoch, run, validates)
    return run.history


def _device_for(model: nn.Module, device: torch.device | str | None) -> torch.device:
    try:
        chosen = best_device() if device is None else torch.device(device)
        torch.empty(0, device=chosen)
    # A torch that was built without CUDA asserts that it has it.
    except (RuntimeError, TypeError, AssertionError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(
            f"device must be one that torch knows and this machine has, not {device!r}: {reason}."
        ) from error
    if checks.dtype_of(model) != torch.float64 or chosen.type in ("cpu", "cuda"):
        return chosen
    if device is None:
        return torch.device("cpu")
    raise ValueError(
        f"The model is in float64, which {chosen.type} does not have: use model.float(), or "
        'device="cpu".'
    )


def _checkpoint(
    run: Run, checkpoint: str | os.PathLike | None
) -> tuple[dict | None, Callable[[], None]]:
    """What the file holds, where there is one, and the function that writes it."""
    if checkpoint is None or run.processes.rank > 0:
        return None, lambda: None
    path, saved = files.place(checkpoint), None
    functions = {"objective": run.objective, "transform": run.transform}
    settings = run.settings | {"one_cycle_steps": run.settings["one_cycle"] * run.n_steps}
    this = identity(run.model, settings, run.data, run.held_out, functions)
    if path.exists():
        saved = files.read(path)
        refuse_another(path, saved["identity"], this)
        _refuse_other_length(path, saved["n_done"], run)
    return saved, lambda: files.write(path, {"identity": this} | run.state())


def _refuse_other_length(path: Path, n_done: int, run: Run) -> None:
    if n_done <= run.n_steps and (n_done == run.n_steps or n_done % len(run.batch_sizes()) == 0):
        return
    raise ValueError(
        f"The checkpoint {path} is of a run of {n_done} steps, which cannot become one of "
        f"{run.n_steps}: a run can be made longer, and only from the end of a whole epoch. Name "
        "another file, or delete this one to start afresh."
    )


@contextmanager
def _lent(model: nn.Module) -> Iterator[None]:
    """The model comes back in evaluation mode, without gradients, on the device it came from."""
    home = checks.device_of(model)
    try:
        yield
    finally:
        model.zero_grad()
        model.eval().to(home)


def _call(after_epoch: AfterEpoch | None, run: Run, validates: bool) -> None:
    """Call the hook so that nothing it does to modes, random numbers or flags stays."""
    if after_epoch is None:
        return
    with (
        torchs_validation(validates),
        checks.evaluating(run.model),
        checks.seeded(None, run.device),
    ):
        after_epoch(run.model, run.history)
    run.model.to(run.device)


def _bar(run: Run, wanted: bool) -> tqdm:
    n_done = len(run.history.train)
    n_left = math.ceil((run.n_steps - run.n_done) / len(run.batch_sizes()))
    if not wanted or run.processes.rank > 0:
        return tqdm(range(n_left), disable=True)
    # `disable` is left unsaid here, so that the environment variable TQDM_DISABLE is heard.
    return tqdm(range(n_done, n_done + n_left), leave=False, unit="epoch")
