"""fit and evaluate take what people have, or say in a sentence what to pass."""

import math

import pytest
import torch
from training_models import Location, closeness, run

from vae_lib.training import fit


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (torch.zeros(0, 3), r"\(0, 3\)"),
        (torch.zeros(4, 3, 3), r"flatten"),
        (torch.tensor([[0.0, 1.0], [math.nan, 1.0]]), "first in row 1"),
        (torch.tensor([[math.inf, 1.0]]), "infinite"),
    ],
)
def test_bad_data_are_named(data, message):
    with pytest.raises(ValueError, match=message):
        fit(Location(), closeness, data, epochs=1, progress=False)


def test_held_out_data_must_match():
    with pytest.raises(ValueError, match="held_out has 2 columns"):
        run(Location(), closeness, held_out=torch.zeros(4, 2))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}, {"lr": math.nan}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        run(Location(), closeness, **wrong)


@pytest.mark.parametrize("reduce", [torch.mean, lambda v: v[:, None], lambda v: v[:1]])
def test_an_objective_gives_one_value_an_example(reduce):
    with pytest.raises(ValueError, match="one value per example"):
        run(Location(), lambda model, x: reduce(closeness(model, x)))
