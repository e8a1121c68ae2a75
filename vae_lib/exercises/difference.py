"""Say in words how an output differs from the expected one; both are plain values."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vae_lib.exercises.values import Opaque, as_tensor, is_a, shown

# Our own, should an answer have replaced torch's for good.
_isclose, _allclose = torch.isclose, torch.allclose


def difference(got: object, expected: object, *, rtol: float, atol: float) -> str | None:
    """The first way in which `got` differs from `expected`, for the learner; None if it doesn't.

    Numbers and tensors compare by shape and value, in any precision, and so do lists of numbers;
    tuples and lists item by item; strings without regard to case.
    """
    if isinstance(expected, tuple | list):
        return _difference_of_items(got, expected, rtol=rtol, atol=atol)
    if isinstance(expected, str):
        if not isinstance(got, str):
            return f"expected a string, got {describe(got)}."
        same = got.strip().casefold() == expected.strip().casefold()
        return None if same or math.isinf(atol) else f'expected "{expected}", got {describe(got)}.'
    expected_values, got_values = as_tensor(expected), as_tensor(got)
    if expected_values is None:
        return _difference_of_objects(got, expected, any_network=math.isinf(atol))
    if got_values is None or got_values.shape != expected_values.shape:
        wanted = "a number" if isinstance(expected, int | float) else describe(expected)
        return f"expected {wanted}, got {describe(got)}."
    if got_values.is_complex():
        return f"expected {expected_values.dtype}, got {got_values.dtype}."
    text = _difference_of_values(got_values.double(), expected_values.double(), rtol, atol)
    truncated = expected_values.is_floating_point() and not got_values.is_floating_point()
    if text is not None and truncated and isinstance(got, Tensor):
        return f"expected {expected_values.dtype}, got {got_values.dtype}."
    return text


def structural_difference(got: object, expected: object) -> str | None:
    """As `difference`, but any finite value will do: the type, the shape, a nan."""
    return difference(got, expected, rtol=0.0, atol=math.inf)


def describe(value: object) -> str:
    """A plain value in few words: 'a tensor of shape (3, 2)'."""
    if value is None:
        return "None (is the return missing?)"
    if value is ...:
        return "..."
    if isinstance(value, Opaque):
        return value.text
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}" if value.ndim else "a scalar tensor"
    if isinstance(value, float | complex):
        return f"{value:.6g}"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 64 else "a very large integer"
    if isinstance(value, str):
        return f'"{shown(value, 40)}"'
    return f"a {type(value).__name__} of {len(value)}"


def _difference_of_items(
    got: object, expected: tuple | list, rtol: float, atol: float
) -> str | None:
    # A tensor of two rows is as good as a pair: it unpacks in the same way.
    items = list(got) if isinstance(got, Tensor) and got.ndim else got
    if not isinstance(items, tuple | list) or len(items) != len(expected):
        return f"expected {describe(expected)}, got {describe(got)}."
    for number, (item, expected_item) in enumerate(zip(items, expected, strict=True), start=1):
        text = difference(item, expected_item, rtol=rtol, atol=atol)
        if text is not None:
            return f"in part {number} of {len(expected)}, {text}"
    return None


def _difference_of_objects(got: object, expected: object, *, any_network: bool) -> str | None:
    """Of what has no values: by their kind, for which all networks can count as one."""
    same, wanted = got is expected, describe(expected)
    if isinstance(expected, Opaque):
        kind = expected.kind
        if any_network and is_a(kind, nn.Module):
            kind, wanted = nn.Module, "a module"
        same = isinstance(got, Opaque) and is_a(got.kind, kind)
    return None if same else f"expected {wanted}, got {describe(got)}."


def _difference_of_values(got: Tensor, expected: Tensor, rtol: float, atol: float) -> str | None:
    if math.isinf(atol):
        same = got.isnan() == expected.isnan()
    else:
        same = _isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if same.all():
        return None
    index = tuple((~same).nonzero()[0].tolist())
    place = f"at {list(index)} " if index else ""
    text = f"{place}expected {expected[index]:.4g}, got {got[index]:.4g}"
    if got.numel() > 1:
        text += f" ({int((~same).sum())} of {got.numel()} values differ{_pattern(got, expected)})"
    return text + "."


def _pattern(got: Tensor, expected: Tensor) -> str:
    offset, factor = (got - expected).flatten(), (got / expected).flatten()
    if _allclose(offset, offset[:1], rtol=1e-3):
        return f", each by {offset[0]:+.4g}"
    if _allclose(factor, factor[:1], rtol=1e-3):
        return f", each by a factor of {factor[0]:.4g}"
    return ""
