"""Say in words how an output differs from the expected one; never call a method of its own."""

from __future__ import annotations

import math
import numbers

import numpy as np
import torch
from torch import Tensor


def difference(got: object, expected: object, *, rtol: float, atol: float) -> str | None:
    """The first way in which `got` differs from `expected`, for the learner; None if it doesn't.

    Numbers, arrays and tensors compare by shape and value, in any precision; tuples and lists
    item by item; strings without regard to case.
    """
    if isinstance(expected, tuple | list):
        return _difference_of_items(got, expected, rtol=rtol, atol=atol)
    if isinstance(expected, str):
        if not isinstance(got, str):
            return f"expected a string, got {describe(got)}."
        same = got.strip().casefold() == expected.strip().casefold()
        return None if same or math.isinf(atol) else f'expected "{expected}", got {describe(got)}.'
    got_values, expected_values = _as_tensor(got), _as_tensor(expected)
    if expected_values is None:
        same = isinstance(got, type(expected))
        return None if same else f"expected {describe(expected)}, got {describe(got)}."
    if got_values is None or got_values.shape != expected_values.shape:
        wanted = "a number" if isinstance(expected, numbers.Real) else describe(expected)
        return f"expected {wanted}, got {describe(got)}."
    if got_values.is_complex() or _is_truncated(got, expected_values):
        return f"expected {expected_values.dtype}, got {got_values.dtype}."
    return _difference_of_values(got_values.double(), expected_values.double(), rtol, atol)


def structural_difference(got: object, expected: object) -> str | None:
    """As `difference`, but any finite value will do: the type, the shape, a nan."""
    return difference(got, expected, rtol=0.0, atol=math.inf)


def describe(value: object) -> str:
    """A value in few words: 'a tensor of shape (3, 2)'."""
    if value is None:
        return "None (is the return missing?)"
    if value is ...:
        return "..."
    if isinstance(value, Tensor | np.ndarray):
        return f"a tensor of shape {tuple(value.shape)}" if value.ndim else "a scalar tensor"
    if isinstance(value, bool | int | float):
        return f"{value:.6g}" if isinstance(value, float) else str(value)[:20]
    if isinstance(value, str):
        return f'"{value[:40]}"'
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _difference_of_items(got: object, expected: tuple | list, **tolerances: float) -> str | None:
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return f"expected {describe(expected)}, got {describe(got)}."
    for number, (item, expected_item) in enumerate(zip(got, expected, strict=True), start=1):
        text = difference(item, expected_item, **tolerances)
        if text is not None:
            return f"in part {number} of {len(expected)}, {text}"
    return None


def _difference_of_values(got: Tensor, expected: Tensor, rtol: float, atol: float) -> str | None:
    if math.isinf(atol):
        same = got.isnan() == expected.isnan()
    else:
        same = torch.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
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
    if torch.allclose(offset, offset[:1], rtol=1e-3):
        return f", each by {offset[0]:+.4g}"
    if torch.allclose(factor, factor[:1], rtol=1e-3):
        return f", each by a factor of {factor[0]:.4g}"
    return ""


def _as_tensor(value: object) -> Tensor | None:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, np.ndarray | np.generic | numbers.Real):
        try:
            return torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            return None
    return None


def _is_truncated(got: object, expected: Tensor) -> bool:
    is_array = isinstance(got, Tensor | np.ndarray)
    return is_array and expected.is_floating_point() and not _as_tensor(got).is_floating_point()
