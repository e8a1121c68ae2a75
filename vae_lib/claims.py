"""A claim: a sentence of the book, what was measured for it, over which seeds, and the margin.

The sentence says what is claimed, and the bar is what the values have to keep::

    claim("every seed beats PCA by 15%", errors, below=[0.85 * e for e in pca], seeds=range(5))

shows one line, "✓ every seed beats PCA by 15%", that unfolds to the numbers. What is false raises,
and says by how much. The build reads the claims off the cells' outputs and lists them in the book.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

__all__ = ["ClaimFailed", "claim"]

# A number, an array, a list of numbers, or a name for each of several.
Measured = float | Tensor | Iterable | Mapping
_SHOWN = 12  # rows of numbers in a table, failures in a message


class ClaimFailed(AssertionError):
    """What was measured does not bear the claim out."""


def claim(
    sentence: str,
    measured: Measured,
    *,
    above: Measured | None = None,
    below: Measured | None = None,
    equals: Measured | None = None,
    within: float | None = None,
    between: tuple[float, float] | None = None,
    seeds: Iterable[int] | None = None,
) -> None:
    """Assert that what was measured keeps its bars, and show the sentence with the numbers.

    Exact mathematics gives `equals`, with the rounding allowed in `within`, and no seeds. What
    depends on random numbers names its seeds, and gives one value for each.

    Args:
        sentence: what is claimed, as the text says it. It is shown, recorded and listed.
        measured: a number; several, as a tensor, an array or a list, of which every one has to
            keep the bars (one a seed where seeds are named); or a dictionary of such.
        above: every value is larger than this: one number, one for each value, or a dictionary
            with the names of `measured`.
        below: every value is smaller, likewise.
        equals: every value is equal, or no farther away than `within`.
        within: the largest distance from `equals` that counts as equal; 0 where none is given.
        between: every value lies in this interval, its ends included.
        seeds: the random seeds that the values belong to, in their order.

    Raises:
        ClaimFailed: a value misses a bar, or is NaN; the message says which, and by how much.
        ValueError: nothing was measured, there is no bar, or lengths do not agree.
    """
    bars = {"above": above, "below": below, "equals": equals, "between": between}
    bars = {kind: bar for kind, bar in bars.items() if bar is not None}
    if not bars or (within is not None and equals is None):
        raise ValueError(
            "A claim needs a bar: above, below, between, or equals, with within beside it for "
            f"what counts as equal. Came: {', '.join(bars) or 'none'}"
            f"{'' if within is None else ' and within'}."
        )
    seeds = None if seeds is None else [int(seed) for seed in seeds]
    rows = [
        row
        for kind, bar in bars.items()
        for row in _rows(measured, kind, bar, within or 0.0, seeds)
    ]
    _show(sentence, rows, seeds)
    missed = [row for row in rows if not row.kept]
    if missed:
        listed = [f"  {row.says()}" for row in missed[:_SHOWN]]
        rest = [f"  and {len(missed) - _SHOWN} more"] if len(missed) > _SHOWN else []
        raise ClaimFailed("\n".join([f"This does not hold: {sentence}", *listed, *rest]))


@dataclass(frozen=True)
class _Row:
    """One value against one bar; a positive margin is what is to spare."""

    name: str
    value: float
    kind: str
    low: float
    high: float

    @property
    def margin(self) -> float:
        over, under = self.value - self.low, self.high - self.value
        if self.kind in ("above", "below"):
            return over if self.kind == "above" else under
        return min(over, under, key=_nan_first)

    @property
    def kept(self) -> bool:
        # NaN is neither larger nor equal, on either side of the bar.
        return self.margin > 0 or (self.margin == 0 and self.kind in ("equals", "between"))

    def bar(self) -> str:
        if self.kind == "above":
            return f"above {_short(self.low)}"
        if self.kind == "below":
            return f"below {_short(self.high)}"
        if self.kind == "between":
            return f"between {_short(self.low)} and {_short(self.high)}"
        middle, slack = (self.low + self.high) / 2, (self.high - self.low) / 2
        return f"{_short(middle)}" + (f" within {_short(slack)}" if slack else "")

    def says(self) -> str:
        bar = self.bar() if self.kind != "equals" else f"equal to {self.bar()}"
        by = f"misses by {_short(-self.margin)}" if self.margin < 0 else "and no more than that"
        if self.margin != self.margin:
            by = "which is no number"
        return f"{self.name + ': ' if self.name else ''}{_short(self.value)}, not {bar}: {by}"


def _rows(
    measured: Measured, kind: str, bar: Measured, within: float, seeds: list[int] | None
) -> list[_Row]:
    """Every value of what was measured beside its bar."""
    rows = []
    for name, values, one_bar in _named(measured, kind, bar):
        values = _values(values, seeds)
        lows, highs = _interval(kind, one_bar, within, len(values))
        for i, (value, low, high) in enumerate(zip(values, lows, highs, strict=True)):
            place = f"seed {seeds[i]}" if seeds else (f"value {i + 1}" if len(values) > 1 else "")
            label = ", ".join(filter(None, [name, place]))
            rows.append(_Row(label, value, kind, low, high))
    return rows


def _named(measured: Measured, kind: str, bar: Measured) -> list[tuple[str, Measured, Measured]]:
    """What was measured, under each of its names, with the bar for it."""
    if not isinstance(measured, Mapping):
        return [("", measured, bar)]
    bars = bar if isinstance(bar, Mapping) else dict.fromkeys(measured, bar)
    if set(bars) != set(measured):
        raise ValueError(
            f"Expected a bar for each of {', '.join(map(str, measured))}, "
            f"but {kind} has {', '.join(map(str, bars))}."
        )
    return [(str(name), values, bars[name]) for name, values in measured.items()]


def _values(measured: Measured, seeds: list[int] | None) -> list[float]:
    """What was measured as numbers: one at least, and one for each seed."""
    values = _numbers(measured)
    if not values:
        raise ValueError("Nothing was measured: expected a number at least, and there is none.")
    if seeds is not None and len(seeds) != len(values):
        raise ValueError(
            f"Expected one value for each of the {len(seeds)} seeds, but there are {len(values)}: "
            "measure once a seed, or leave the seeds out."
        )
    return values


def _interval(kind: str, bar: Measured, within: float, n: int) -> tuple[list[float], list[float]]:
    """The lowest and the highest that the bar allows, for each of n values."""
    infinity, (low, high) = float("inf"), bar if kind == "between" else (bar, bar)
    lows, highs = _numbers(low), _numbers(high)
    for bars in (lows, highs):
        if len(bars) not in (1, n):
            raise ValueError(
                f"Expected one bar, or one for each of the {n} values, but {kind} has {len(bars)}."
            )
    if kind == "above":
        highs = [infinity]
    elif kind == "below":
        lows = [-infinity]
    elif kind == "equals":
        lows, highs = [b - within for b in lows], [b + within for b in highs]
    return tuple(bars * n if len(bars) == 1 else bars for bars in (lows, highs))


def _numbers(values: Measured) -> list[float]:
    """Numbers of any kind and shape as a flat list of floats, in double precision on the CPU."""
    if isinstance(values, Tensor):
        return values.detach().cpu().double().flatten().tolist()
    if hasattr(values, "__array__"):  # NumPy's, as it lies
        return [float(value) for value in values.__array__().ravel()]
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        return [number for value in values for number in _numbers(value)]
    try:
        return [float(values)]
    except (TypeError, ValueError):
        raise ValueError(
            f"Expected a number, an array or a list of numbers, but came {values!r}."
        ) from None


def _short(number: float) -> str:
    """Four digits: machines agree on them, where they don't on sixteen."""
    return f"{number + 0.0:.4g}".replace("-", "−")  # and -0 is 0


def _nan_first(number: float) -> tuple[bool, float]:
    """The order of size, in which what is no number comes first."""
    return number == number, number


def _least(rows: list[_Row]) -> str:
    """What the worst of the values has to spare; NaN where a value is none."""
    return _short(min((row.margin for row in rows), key=_nan_first))


def _summary(rows: list[_Row], seeds: list[int] | None) -> str:
    """The numbers in one phrase: how far they go, against which bar, over what.

    Of a value that is equal to its bar but for rounding, the rounding is another machine's.
    """
    parts = []
    for kind in dict.fromkeys(row.kind for row in rows):
        some = [row for row in rows if row.kind == kind]
        values, bars = [row.value for row in some], list(dict.fromkeys(row.bar() for row in some))
        ends = dict.fromkeys([_short(min(values)), _short(max(values))])
        bar = bars[0] if len(bars) == 1 else f"each {kind} its own bar"
        if kind == "equals" and all(row.kept for row in some):
            parts.append(bar if len(bars) > 1 else f"equal to {bar}")
        else:
            parts.append(f"{' to '.join(ends)}: {bar}; margin {_least(some)}")
    over = [f"seeds {', '.join(map(str, seeds))}"] if seeds else []
    return "; ".join([*parts, *over])


def _show(sentence: str, rows: list[_Row], seeds: list[int] | None) -> None:
    """Display the claim where the reader is, and its data for the build."""
    holds, summary = all(row.kept for row in rows), _summary(rows, seeds)
    text = f"{'✓' if holds else '✗'} {sentence}"
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(f"{text}\n  {summary}")
        return
    from IPython.display import display

    data = {"text/plain": text, "text/html": _as_html(sentence, rows, holds, summary)}
    recorded = {
        "sentence": sentence,
        "holds": holds,
        "numbers": summary,
        "seeds": seeds,
        "margin": _least(rows),
        "missed": [row.says() for row in rows if not row.kept][:_SHOWN],
    }
    display(data, raw=True, metadata={"vae_book": {"claim": recorded}})


def _as_html(sentence: str, rows: list[_Row], holds: bool, summary: str) -> str:
    """One line that unfolds to a table; mid tones, legible on white and on near-black."""
    colour = "#2e9245" if holds else "#c8701a"
    worst = sorted(rows, key=lambda row: _nan_first(row.margin))[:_SHOWN]
    shown = rows if len(rows) <= _SHOWN else worst
    head = f"{html.escape(summary)}"
    if len(rows) > _SHOWN:
        head += f". The {_SHOWN} with the least to spare, of {len(rows):,}:"
    lines = "".join(
        f"<tr><th scope='row' style='text-align: left;'>{html.escape(row.name or 'measured')}</th>"
        f"<td>{_short(row.value)}</td><td>{html.escape(row.bar())}</td>"
        f"<td>{_short(row.margin)} to spare</td></tr>"
        for row in shown
    )
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(sentence))
    return (
        f'<details class="vae-claim" style="color: inherit; border-left: 0.25em solid {colour}; '
        f'margin: 0.5em 0; padding: 0.1em 0.75em;"><summary style="cursor: pointer;">'
        f'<span aria-hidden="true" style="color: {colour};">{"✓" if holds else "✗"}</span> '
        f"{'' if holds else '<strong>Not so:</strong> '}{said}</summary>"
        f'<p>{head}</p><div style="overflow-x: auto;"><table style="white-space: nowrap;">{lines}'
        f"</table></div></details>"
    )
