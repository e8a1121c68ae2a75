"""fit and evaluate take what people have, or say in a sentence what to pass."""

import math

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset
from training_models import BINARY, DATA, Location, closeness, run

from vae_lib.training import evaluate, fit

SINGLE = DATA.half().float()  # numbers that half precision holds as well


def reversed_twice(x):
    return torch.from_numpy(x.numpy()[:, ::-1].copy()).numpy()[:, ::-1]


def read_only(x):
    array = x.numpy().copy()
    array.setflags(write=False)
    return array


FORMS = {
    "NumPy": lambda x: x.numpy(),
    "NumPy, float64": lambda x: x.double().numpy(),
    "NumPy, negative strides": reversed_twice,
    "NumPy, read only": read_only,
    "NumPy, big endian": lambda x: x.numpy().astype(">f4").astype("f4"),
    "float64": lambda x: x.double(),
    "float16": lambda x: x.half(),
    "list": lambda x: x.tolist(),
    "list of tensors": list,
    "requires grad": lambda x: x.clone().requires_grad_(),
    "not contiguous": lambda x: x.T.contiguous().T,
    "every second": lambda x: x.repeat_interleave(2, 0)[::2],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_any_holder_of_the_same_numbers_gives_the_same_run(form):
    models = Location(), Location()
    expected = run(models[0], closeness, SINGLE, held_out=SINGLE[:7], epochs=1)
    history = run(models[1], closeness, form(SINGLE), held_out=form(SINGLE[:7]), epochs=1)
    assert (history.train, history.held_out) == (expected.train, expected.held_out)
    assert torch.equal(models[0].mu, models[1].mu)
    assert evaluate(models[0], closeness, form(SINGLE)) == evaluate(models[1], closeness, SINGLE)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_everything_is_in_the_models_dtype(dtype):
    seen = set()

    def objective(model, x, weight, label):
        seen.add((x.dtype, weight.dtype, label.dtype))
        return closeness(model, x) * weight

    data = DATA.bool(), np.ones(50), np.arange(50)
    run(Location().to(dtype), objective, data, held_out=data)
    assert seen == {(dtype, dtype, torch.int64)}


def test_pixels_stay_small_until_a_transform_sees_to_them():
    pixels = (BINARY * 255).to(torch.uint8)
    seen = []

    def transform(x):
        seen.append(x.dtype)
        return x.float() / 255

    models = Location(), Location()
    settings = {"held_out": pixels.numpy(), "transform": transform}
    history = run(models[0], closeness, pixels, **settings)
    expected = run(models[1], closeness, BINARY, held_out=BINARY)
    assert set(seen) == {torch.uint8}
    assert (history.train, history.held_out) == (expected.train, expected.held_out)
    with pytest.raises(ValueError, match=r"transform returned torch.uint8.*x.float\(\) / 255"):
        run(Location(), closeness, pixels, transform=lambda x: x)


def test_rows_travel_together():
    labels = torch.arange(50)
    met = []

    def objective(model, x, label, twice):
        torch.testing.assert_close(x, DATA[label])
        torch.testing.assert_close(twice, 2 * x[:, :2])
        met.append(label)
        return closeness(model, x)

    data = DATA, labels, (2 * DATA[:, :2]).numpy()
    models = Location(), Location()
    history = run(models[0], objective, data, epochs=1, held_out=tuple(p[:9] for p in data))
    expected = run(models[1], closeness, epochs=1, held_out=DATA[:9])
    assert (history.train, history.held_out) == (expected.train, expected.held_out)
    assert torch.cat(met[:-1]).sort().values.tolist() == labels.tolist()
    assert met[-1].tolist() == list(range(9))
    value = evaluate(models[0], lambda m, x, y: y.float(), (DATA, labels))
    assert value == pytest.approx(24.5)


def test_a_transform_takes_and_returns_what_travels_together():
    def transform(x, shift):
        return x + shift, shift

    def objective(model, x, shift):
        return closeness(model, x - shift)

    models = Location(), Location()
    history = run(models[0], objective, (DATA, torch.ones(50, 1)), transform=transform)
    assert history.train == pytest.approx(run(models[1], closeness).train, rel=1e-5)


LOADER = DataLoader(TensorDataset(DATA), batch_size=10)
REFUSED = {
    "no rows": (torch.zeros(0, 3), r"\(0, 3\)"),
    "images": (torch.zeros(4, 3, 3), "flatten"),
    "one example": (torch.zeros(3), r"\[None\]"),
    "NaN": (torch.tensor([[0.0, 1.0, 1.0], [math.nan, 1.0, 1.0]]), "first in row 1"),
    "infinite": (torch.tensor([[math.inf, 1.0, 1.0]]), "infinite"),
    "uint8": (torch.ones(4, 3, dtype=torch.uint8), "/ 255"),
    "int64": (np.ones((4, 3), dtype=int), "float"),
    "complex": (torch.ones(4, 3, dtype=torch.complex64), "real"),
    "DataLoader": (LOADER, r"DataLoader.*torch.stack"),
    "Dataset": (TensorDataset(DATA), "TensorDataset|shape"),
    "text": ([["a", "b", "c"]], "numbers"),
    "nothing": (None, "tensor|shape"),
    "ragged": ([[1.0, 2.0], [3.0]], "numbers"),
    "empty tuple": ((), "empty tuple"),
    "another length": ((torch.ones(4, 3), torch.ones(5)), r"\[1\].*a row for each of 4 .*\(5,\)"),
    "NaN beside": ((torch.ones(2, 3), torch.tensor([1.0, math.nan])), r"\[1\].*in row 1"),
    "a scalar beside": ((torch.ones(2, 3), torch.tensor(1.0)), r"\[1\].*a row for each"),
    "a loader beside": ((torch.ones(2, 3), LOADER), r"\[1\] is a DataLoader"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_rows_is_refused_in_a_sentence_before_anything_is_trained(data, message):
    def never(model, *batch):
        raise AssertionError("trained before it was checked")

    good = (DATA, torch.ones(50)) if isinstance(data, tuple) else DATA
    held_out = {} if data is None else {"held_out": data}  # None is for none
    for arguments in ({"data": data}, {"data": good if held_out else data, **held_out}):
        with pytest.raises(ValueError, match=message) as caught:
            fit(Location(), never, epochs=1, progress=False, **arguments)
        name = "held_out" if "held_out" in arguments else "data"
        assert str(caught.value).startswith(name)
    with pytest.raises(ValueError, match=message):
        evaluate(Location(), never, data)


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (torch.zeros(4, 2), r"held_out has rows of shape \(2,\).*\(3,\)"),
        ((torch.zeros(4, 3), torch.zeros(4)), "held_out has 2 parts, but data 1"),
    ],
)
def test_held_out_data_must_match(held_out, message):
    with pytest.raises(ValueError, match=message):
        run(Location(), closeness, held_out=held_out)


def test_what_travels_with_held_out_data_must_match():
    with pytest.raises(ValueError, match=r"held_out\[1\] has rows of shape \(2,\)"):
        run(
            Location(),
            lambda model, x, y: closeness(model, x),
            (DATA, torch.ones(50)),
            held_out=(DATA, torch.ones(50, 2)),
        )


WRONG = [
    *({"epochs": n} for n in (0, -1, 1.5, True, "2", math.nan, math.inf)),
    *({"steps": n} for n in (0, 2.5, False)),
    *({"batch_size": n} for n in (0, 16.5, True, "16", math.nan, None)),
    *({"lr": r} for r in (0.0, -1.0, math.nan, math.inf, "0.1", True, None)),
    *({"seed": s} for s in (1.5, True, "0", -1, 2**63, None)),
    *({name: "yes"} for name in ("one_cycle", "compile", "bf16")),
    *({name: 1} for name in ("transform", "after_epoch", "checkpoint")),
    {"device": "a toaster"},
    *([] if torch.cuda.is_available() else [{"device": "cuda"}]),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        run(Location(), closeness, **wrong)


WRONG_TO_JUDGE = [
    *({"seed": s} for s in (1.5, True, "0", -1, 2**63, None)),
    {"transform": 1},
    {"objective": None},
    {"model": len},
    {"model": None},
]


@pytest.mark.parametrize("wrong", WRONG_TO_JUDGE, ids=str)
def test_what_evaluate_cannot_use_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        evaluate(**{"model": Location(), "objective": closeness, "data": DATA} | wrong)


@pytest.mark.parametrize("given", [{}, {"epochs": 1, "steps": 1}])
def test_the_length_is_said_once(given):
    with pytest.raises(ValueError, match="exactly one of epochs and steps"):
        fit(Location(), closeness, DATA, progress=False, **given)


def test_whole_numbers_and_rates_of_any_type_are_the_same_run():
    models = Location(), Location()
    expected = run(models[0], closeness, batch_size=16, lr=0.25, seed=3, epochs=2)
    settings = {"batch_size": np.int64(16), "lr": np.float32(0.25), "seed": np.uint8(3)}
    assert run(models[1], closeness, epochs=np.int32(2), **settings).train == expected.train
    assert torch.equal(models[0].mu, models[1].mu)


@pytest.mark.parametrize("model", [torch.nn.Identity(), closeness, None])
def test_something_must_be_there_to_train(model):
    with pytest.raises(ValueError, match=r"[Mm]odel"):
        run(model, closeness)


NO_OBJECTIVES = {
    "a mean": lambda value: value.mean(),
    "a column": lambda value: value[:, None],
    "one of them": lambda value: value[:1],
    "a pair": lambda value: (value, value),
    "a number": lambda value: 1.0,
    "whole numbers": lambda value: value.long(),
}


@pytest.mark.parametrize("reduce", NO_OBJECTIVES.values(), ids=NO_OBJECTIVES.keys())
def test_an_objective_gives_one_value_an_example(reduce):
    def objective(model, x):
        return reduce(closeness(model, x))

    for train_or_judge in (run, lambda *both: evaluate(*both, DATA)):
        with pytest.raises(ValueError, match="An objective must return"):
            train_or_judge(Location(), objective)


def test_an_objective_depends_on_the_parameters():
    with pytest.raises(ValueError, match="does not depend on any parameter"):
        run(Location(), lambda model, x: x.sum(-1))


def test_what_is_done_in_place_to_a_batch_stays_there():
    def in_place(x):
        return x.mul_(2.0)

    def objective(model, x):
        return closeness(model, x.sub_(1.0))

    data, held_out = DATA.clone(), DATA[:20].clone()
    history = run(Location(), objective, data, held_out=held_out, transform=in_place)
    assert torch.equal(data, DATA) and torch.equal(held_out, DATA[:20])
    model = Location()
    expected = run(model, lambda m, x: closeness(m, 2 * x - 1), held_out=DATA[:20])
    assert history.held_out == pytest.approx(expected.held_out)
    for _ in range(2):
        value = evaluate(model, objective, data, transform=in_place)
        assert value == pytest.approx(closeness(model, 2 * DATA - 1).mean().item())
    assert torch.equal(data, DATA)
