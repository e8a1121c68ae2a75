"""Laws of the gate (rows, or one sentence that says what to pass instead) and of trust."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from vae_lib import checks
from vae_lib.data import load

N, D = 5, 3
# Multiples of 1/8: exact in every precision, and 0 or 1 where only these are possible.
VALUES = np.random.default_rng(0).integers(-8, 9, (N, D)) / 8
BINARY = (VALUES > 0) * 1.0

WORKS = {
    "float64 array": (VALUES, VALUES, torch.float64),
    "float32 array": (VALUES.astype(np.float32), VALUES, torch.float32),
    "float16 array": (VALUES.astype(np.float16), VALUES, torch.float32),
    "array of the other byte order": (VALUES.astype(">f4"), VALUES, torch.float32),
    "negative strides": (VALUES[::-1, ::-1], VALUES[::-1, ::-1], torch.float64),
    "every second row": (VALUES[::2], VALUES[::2], torch.float64),
    "transposed": (VALUES.T.copy().T, VALUES, torch.float64),
    "one row for all": (np.broadcast_to(VALUES[0], (N, D)), VALUES[:1].repeat(N, 0), torch.float64),
    "bool array": (VALUES > 0, BINARY, torch.float32),
    "float32": (torch.tensor(VALUES).float(), VALUES, torch.float32),
    "float64": (torch.tensor(VALUES), VALUES, torch.float64),
    "float16": (torch.tensor(VALUES).half(), VALUES, torch.float32),
    "bfloat16": (torch.tensor(VALUES).bfloat16(), VALUES, torch.float32),
    "bool": (torch.tensor(VALUES > 0), BINARY, torch.float32),
    "not contiguous": (torch.tensor(VALUES).T.contiguous().T, VALUES, torch.float64),
    "expanded": (torch.tensor(VALUES[:1]).expand(N, D), VALUES[:1].repeat(N, 0), torch.float64),
    "requiring grad": (torch.tensor(VALUES, requires_grad=True), VALUES, torch.float64),
    "computed": (torch.tensor(VALUES, requires_grad=True) * 1, VALUES, torch.float64),
    "a parameter": (nn.Parameter(torch.tensor(VALUES)), VALUES, torch.float64),
    "lists": (VALUES.tolist(), VALUES, torch.float64),
    "tuples": (tuple(map(tuple, VALUES)), VALUES, torch.float64),
    "a list of arrays": (list(VALUES), VALUES, torch.float64),
    "a list of tensors": (list(torch.tensor(VALUES)), VALUES, torch.float64),
    "tensors that require grad": (
        list(torch.tensor(VALUES, requires_grad=True)),
        VALUES,
        torch.float64,
    ),
}


@pytest.mark.parametrize("case", WORKS)
def test_what_people_have_becomes_rows(case):
    values, expected, dtype = WORKS[case]
    x = checks.rows(values)
    assert x.dtype == dtype and not x.requires_grad
    np.testing.assert_array_equal(x.numpy(), expected)
    for wanted in (torch.float32, torch.float64):
        x = checks.rows(values, dtype=wanted)
        assert x.dtype == wanted
        np.testing.assert_array_equal(x.numpy(), expected)


def test_memory_that_must_not_be_written_to_is_copied_without_a_warning(recwarn):
    values = VALUES.copy()
    values.flags.writeable = False
    checks.rows(values).zero_()
    np.testing.assert_array_equal(values, VALUES)
    assert not recwarn.list


@pytest.mark.parametrize("values", [VALUES.copy(), torch.tensor(VALUES), torch.tensor(VALUES).T])
def test_what_is_right_as_it_comes_is_not_copied(values):
    x = checks.rows(values)
    x[0, 0] = 7.0
    assert values[0, 0] == 7.0


REFUSED = {
    "uint8": (torch.zeros(N, D, dtype=torch.uint8), r"torch\.uint8.*data / 255.*data\.float\(\)"),
    "uint16 array": (np.full((N, D), 65535, np.uint16), r"65535.*data / 255.*data \* 1\.0"),
    "uint64 array": (np.ones((N, D), np.uint64), "uint64.*data / 255"),
    "int64": (torch.arange(6).view(2, 3), "int64 with values from 0 to 5"),
    "complex": (torch.zeros(N, D, dtype=torch.complex64), "real numbers.*data.real"),
    "object": (np.array([[1.0, None]], dtype=object), r"np\.asarray\(data, dtype=float\)"),
    "text": (np.array([["a", "b"]]), "array of numbers.*dtype=float"),
    "a word": ("digits", "but is a str"),
    "nothing": (None, "but is a NoneType"),
    "a generator": ((row for row in VALUES), "but is a generator"),
    "dates": (np.zeros((N, D), "datetime64[s]"), "datetime64"),
    "ragged lists": ([[1.0, 2.0], [3.0]], "rows of one length"),
    "ragged arrays": ([np.zeros(2), np.zeros(3)], "rows of one length"),
    "ragged tensors": ([torch.zeros(2), torch.zeros(3)], "rows of one length"),
    "a number": (1.0, r"shape \(N, D\)"),
    "0-d": (torch.tensor(1.0), r"but has \(\)"),
    "one example": (torch.zeros(D), r"but has \(3,\).*data\[None\]"),
    "images": (torch.zeros(2, 4, 4), r"data\.flatten\(1\)"),
    "images in an array": (np.zeros((2, 4, 4)), r"data\.reshape\(len\(data\), -1\)"),
    "no rows": (torch.zeros(0, D), "1 or more"),
    "no columns": (np.zeros((N, 0)), "1 or more"),
    "an empty list": ([], "1 or more"),
    "sparse": (torch.eye(3).to_sparse(), r"data\.to_dense\(\)"),
    "masked": (np.ma.masked_array(VALUES, VALUES > 0.5), r"data\.filled"),
    "a data set of ours": (load("digits"), r"write data\.train"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_sentence_says_what_to_pass_instead(case):
    values, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        checks.rows(values)


@pytest.mark.parametrize(
    "wrapped", [TensorDataset, lambda *parts: DataLoader(TensorDataset(*parts))]
)
def test_data_sets_and_loaders_name_a_line_that_works(wrapped):
    x = torch.tensor(VALUES)
    data = wrapped(x, torch.arange(N))
    with pytest.raises(ValueError, match="Batches are made here") as refused:
        checks.rows(data)
    line = re.search(r"write (torch\.stack.*flatten\(1\))", str(refused.value))[1]
    torch.testing.assert_close(checks.rows(eval(line, {"torch": torch, "data": data})), x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, checks.ROWS_AT_ONCE - 1, checks.ROWS_AT_ONCE, 9_000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_first_row_that_is_not_finite_is_named(bad, row, dtype):
    x = torch.zeros(9_001, 2, dtype=dtype)
    x[row, 1] = x[9_000, 0] = bad
    with pytest.raises(ValueError, match=f"pixels has NaN or infinite.*first in row {row}:"):
        checks.rows(x, "pixels")


def test_values_that_a_precision_cannot_hold_are_infinite_in_it():
    with pytest.raises(ValueError, match=r"as torch\.float32"):
        checks.rows([[1e300]], dtype=torch.float32)
    assert checks.rows([[1e300]]).item() == 1e300


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_whole_numbers_wait_for_their_transform(dtype):
    x = checks.rows(torch.full((N, D), 200).to(dtype), raw=True)
    assert x.dtype == dtype and (x == 200).all()
    assert checks.rows(torch.zeros(N, D).half(), raw=True).dtype == torch.float32
    with pytest.raises(ValueError, match="real numbers"):
        checks.rows(torch.zeros(N, D, dtype=torch.complex64), raw=True)


def test_the_number_of_columns_is_held_to():
    assert checks.rows(VALUES, n_columns=D).shape == (N, D)
    with pytest.raises(ValueError, match=r"held_out has 3 columns.*\(N, 4\)"):
        checks.rows(VALUES, "held_out", n_columns=4)


class Part(nn.Module):
    def __init__(self, looks: object) -> None:
        super().__init__()
        self.validate_args = looks


def test_trust_reaches_every_part_and_is_given_back():
    model = nn.ModuleList([Part(True), nn.Sequential(Part(True)), Part(False), nn.Linear(1, 1)])
    parts = [model[0], model[1][0], model[2]]

    def looks():
        return [part.validate_args for part in parts]

    for fault in (None, ValueError, KeyboardInterrupt):
        try:
            with checks.trusting(model, model[0]), checks.trusting(model):
                assert looks() == [False] * 3
                if fault:
                    raise fault
        except (ValueError, KeyboardInterrupt):
            pass
        assert looks() == [True, True, False]


def test_a_function_without_its_checks():
    def binarized(x, validate_args=True):
        return validate_args

    def plain(x):
        return x

    assert checks.trusted(binarized)(1) is False
    assert checks.trusted(plain) is plain
    assert checks.trusted(dict) is dict  # a type that tells nothing of its parameters


def test_every_part_gets_its_own_mode_back():
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()))
    model.train()
    model[1][0].eval()  # a part kept in evaluation mode on purpose
    modes = [part.training for part in model.modules()]
    for fault in (None, ValueError, KeyboardInterrupt):
        try:
            with checks.evaluating(model):
                assert not any(part.training for part in model.modules())
                if fault:
                    raise fault
        except (ValueError, KeyboardInterrupt):
            pass
        assert [part.training for part in model.modules()] == modes


def test_where_a_model_is_and_what_it_computes_in():
    assert checks.device_of(nn.ReLU()) == torch.device("cpu")
    assert checks.dtype_of(nn.ReLU()) == torch.float32
    assert checks.dtype_of(nn.Linear(1, 1).double()) == torch.float64
    assert checks.device_of(nn.Linear(1, 1, device="meta")) == torch.device("meta")
    counting = nn.BatchNorm1d(2, affine=False).double()  # among its buffers is a whole number
    assert checks.dtype_of(counting) == torch.float64


@pytest.mark.parametrize("value", [1, 7, 16.0, np.int64(3), np.float32(2)])
def test_whole_numbers_count(value):
    counted = checks.count(value, "n")
    assert counted == value and type(counted) is int


@pytest.mark.parametrize("value", [1, 0.25, np.float32(0.25), np.int64(3)])
def test_positive_numbers_and_zero_where_it_will_do(value):
    number = checks.positive(value, "sigma")
    assert number == value and type(number) is float
    assert checks.positive(value, "sigma", or_zero=True) == value
    assert checks.positive(0 * value, "weight", or_zero=True) == 0
    for zero in (0, 0.0, -0.0, np.float64(0)):
        with pytest.raises(ValueError, match="sigma must be a positive finite number, not"):
            checks.positive(zero, "sigma")


@pytest.mark.parametrize(
    "value",
    [-1, np.nan, np.inf, -np.inf, True, "1", None, [1], torch.ones(1)],
)
def test_what_is_not_positive_is_refused(value):
    with pytest.raises(ValueError, match="sigma must be a positive finite number, not"):
        checks.positive(value, "sigma")
    with pytest.raises(ValueError, match="weight must be a finite number of 0 or more, not"):
        checks.positive(value, "weight", or_zero=True)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, False, "3", None, np.nan, np.inf, [1]])
def test_what_is_no_number_of_things_is_refused(value):
    with pytest.raises(ValueError, match="n_samples must be a whole number of 1 or more, not"):
        checks.count(value, "n_samples")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            np.zeros((2, 3), np.float32),
            r"ndarray: pass torch\.as_tensor\(x, dtype=torch\.float32\)",
        ),
        (torch.zeros(2, 3).double(), r"torch\.float64.*pass x\.to\(torch\.float32\)"),
        (torch.zeros(2, 3).half(), r"torch\.float16.*pass x\.to\(torch\.float32\)"),
        (torch.zeros(2, 3, dtype=torch.int64), r"torch\.int64.*pass x\.to\(torch\.float32\)"),
        (torch.zeros(2, 3, device="meta"), r'on meta.*pass x\.to\("cpu"\)'),
    ],
)
def test_input_of_another_kind_than_the_network_names_the_cure(x, message):
    with pytest.raises(ValueError, match=message):
        checks.called(nn.Linear(3, 2), x)


def test_other_faults_of_a_network_pass_as_they_are():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        checks.called(nn.Linear(3, 2), torch.zeros(2, 4))
    with pytest.raises(TypeError, match="NoneType"):
        checks.called(lambda x: None + x, 1)


def test_a_network_that_converts_its_input_is_left_to_do_so():
    class Converting(nn.Linear):
        def forward(self, x):
            return super().forward(x.float())

    assert checks.called(Converting(3, 2), torch.zeros(2, 3).double()).dtype == torch.float32


def test_a_network_in_half_precision_takes_draws_in_float32():
    net = nn.Linear(3, 2).bfloat16()
    x = torch.tensor(VALUES).float()
    torch.testing.assert_close(checks.called(net, x), net(x.bfloat16()), rtol=0, atol=0)
