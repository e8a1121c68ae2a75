"""Questions with one right answer each, answered on the page: every option has its reason."""

import html
import re
from collections.abc import Mapping, Sequence

from vae_lib.live.figure import LiveFigure

NAME = "Questions to check yourself"
DESCRIPTION = (
    "One answer to each question is right. Choose one, then press Check or the Enter key: what "
    "makes it right or wrong appears below. You can try the others too, as often as you like."
)
_LETTERS = "ABCDEF"


def quiz_figure(questions: Sequence[Mapping[str, object]], *, name: str = NAME) -> LiveFigure:
    """Multiple-choice questions that need no kernel and keep no record of the answers.

    Args:
        questions: each a mapping with its `text` and `options`, from two to six, each of these a
            mapping with its `text`, `right` (True for exactly one) and the `reason` for that. In
            all of the texts, `backticks` stand for code, and nothing else is markup.
        name: what a screen reader calls the whole.

    Without JavaScript each option is there to be opened, with its reason inside.
    """
    if not questions:
        raise ValueError("Expected one question or more, but got none.")
    state = {"questions": [_question(number, q) for number, q in enumerate(questions, 1)]}
    return LiveFigure(
        "quiz", name=name, description=DESCRIPTION, state=state, picture=_as_html(state)
    )


def _question(number: int, question: Mapping[str, object]) -> dict[str, object]:
    options = [
        {"text": str(o["text"]), "reason": str(o["reason"]), "right": bool(o["right"])}
        for o in question["options"]
    ]
    texts = [option["text"] for option in options]
    n_right = sum(option["right"] for option in options)
    if not 2 <= len(options) <= len(_LETTERS) or len(set(texts)) < len(texts):
        raise ValueError(
            f"Question {number} needs from 2 to {len(_LETTERS)} options, all of them different, "
            f"but has {texts}."
        )
    if n_right != 1:
        raise ValueError(f"Question {number} needs one right option, but {n_right} are right.")
    for text in (question["text"], *texts, *(option["reason"] for option in options)):
        if not str(text).strip() or str(text).count("`") % 2:
            raise ValueError(
                f"Question {number} has an empty text, or one with a backtick too few: {text!r}."
            )
    return {"text": str(question["text"]), "options": options}


def _as_html(state: dict[str, list[dict]]) -> str:
    to_do = "Open an answer to see whether it is right, and why."
    parts = [f'<p class="on-screen">{to_do}</p>']
    for number, question in enumerate(state["questions"], 1):
        parts.append(f"<p><strong>{number}.</strong> {_marked_up(question['text'])}</p>")
        for letter, option in zip(_LETTERS, question["options"], strict=False):
            verdict = "Right." if option["right"] else "Not right."
            parts.append(
                f"<details><summary>{letter}. {_marked_up(option['text'])}</summary>"
                f"<p><strong>{verdict}</strong> {_marked_up(option['reason'])}</p></details>"
            )
    return f'<div class="vae-live vae-live-quiz">{"".join(parts)}</div>'


def _marked_up(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))
