"""To what a network's log-variances and log-scales are clamped."""

import math


def checked_range(ends: tuple[float, float], name: str) -> tuple[float, float]:
    """(low, high), finite and low < high, or a ValueError that names the argument."""
    try:
        low, high = map(float, ends)
    except (TypeError, ValueError):
        low = high = math.nan
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"{name} must be (low, high), finite and low < high, not {ends!r}.")
    return low, high
