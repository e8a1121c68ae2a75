"""Gradient ascent on any objective: nothing in here is about variational autoencoders.

`fit` trains, `evaluate` judges, and `History` is what a run leaves. A run reads top down: `fitting`
(the arguments, the order of events), `run` (an epoch and its steps), `faults` (what went wrong, and
whose doing it was). Beside it stand the checks of what is `given`, the `checkpoint` with the
`identity` of a run, `compiling`, the `sharing` between processes, and the `random_state`.
"""

from vae_lib.training.fitting import best_device, fit
from vae_lib.training.history import History, TrainingDiverged
from vae_lib.training.judging import Objective, Transform, evaluate

__all__ = [
    "History",
    "Objective",
    "TrainingDiverged",
    "Transform",
    "best_device",
    "evaluate",
    "fit",
]
