"""Show a verdict: HTML in a notebook, text in a terminal, and its data for programs."""

from __future__ import annotations

import html
import re
import sys

from vae_lib.exercises.exercise import Verdict

# Mid tones, at least 3 : 1 on white and on near-black; the symbol and the words say the same.
_LOOKS = {
    "correct": ("✓", "#2e9245"),
    "wrong": ("✗", "#c8701a"),
    "not attempted": ("○", "#808080"),
    "not checked": ("?", "#808080"),
}
_HEADLINES = {
    "correct": "correct.",
    "wrong": "not yet right.",
    "not attempted": "not attempted yet.",
    "not checked": "not checked.",
}


def show(verdict: Verdict) -> None:
    """Display the verdict where the reader is; what the answer printed comes first."""
    if verdict.printed:
        _print(verdict.printed.rstrip("\n"))
    shell = None
    if "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        _print(as_text(verdict))
        return
    from IPython.display import display

    data = {"text/plain": as_text(verdict), "text/html": as_html(verdict)}
    display(data, raw=True, metadata=as_metadata(verdict))


def as_text(verdict: Verdict) -> str:
    """The verdict in one line, and its hint in the next."""
    symbol, _ = _LOOKS[verdict.status]
    text = f"{symbol} {_headline(verdict)}"
    return f"{text}\n  {verdict.hint}" if verdict.hint else text


def as_html(verdict: Verdict) -> str:
    """The same as a status message that a screen reader reads out, legible in light and dark."""
    symbol, colour = _LOOKS[verdict.status]
    hint = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(verdict.hint))
    return (
        f'<div role="status" style="color: inherit; border-left: 0.25em solid {colour}; '
        f'margin: 0.5em 0; padding: 0.25em 0.75em; overflow-wrap: anywhere;">'
        f'<span aria-hidden="true" style="color: {colour};">{symbol}</span> '
        f"<strong>{html.escape(_headline(verdict))}</strong>"
        f"{f'<br>{hint}' if hint else ''}</div>"
    )


def _headline(verdict: Verdict) -> str:
    words = _HEADLINES[verdict.status]
    kind = "Fill-in" if verdict.exercise[-1:].isalpha() else "Exercise"
    return f"{kind} {verdict.exercise}: {words}" if verdict.exercise else words.capitalize()


def _print(text: str) -> None:
    """Print, with a stand-in for what the terminal's encoding has no letters for."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def as_metadata(verdict: Verdict) -> dict[str, dict[str, str | None]]:
    """The verdict for programs, under the output's metadata."""
    return {
        "vae_book": {
            "exercise": verdict.exercise,
            "verdict": verdict.status,
            "mistake": verdict.mistake,
        }
    }
