"""The functions of a JavaScript file and their lengths: reader enough for the rule of the house.

It knows comments, strings, templates and regular expressions, and matches brackets. A function's
body is a block after `=>`, or after a parameter list that isn't a condition's; an arrow's body in
parentheses counts as well.
"""

import re

SKIPPED = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
    # A regular expression stands where no value has just ended.
    r"|(?<=[=(,:\[!&|?{};\n>])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*"
    r"|`(?:\\.|[^`\\])*`",
    re.DOTALL,
)
CONDITIONS = {"if", "for", "while", "switch", "catch", "with"}
PAIRS = {")": "(", "]": "[", "}": "{"}


def blanked(source: str) -> str:
    """The source with everything that isn't code as spaces, of the same length and lines.

    What stands inside a template is left out with it: no function of any length belongs there.
    """
    return SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source)


def function_lengths(source: str) -> list[tuple[int, int]]:
    """(first line, lines that are not blank) of each function, inner ones included."""
    code, found, opened, openers = blanked(source), [], [], {}
    for i, character in enumerate(code):
        if character in PAIRS.values():
            opened.append(i)
        elif character in PAIRS:
            start = opened.pop()
            if code[start] != PAIRS[character]:
                raise ValueError(f"{character} closes {code[start]} at character {i}")
            openers[i] = start
            if is_body(code, start, openers):
                first = code.count("\n", 0, start)
                lines = source.split("\n")[first : code.count("\n", 0, i) + 1]
                found.append((first + 1, sum(bool(line.strip()) for line in lines)))
    if opened:
        raise ValueError(f"{code[opened[-1]]} at character {opened[-1]} is never closed")
    return sorted(found)


def is_body(code: str, start: int, openers: dict[int, int]) -> bool:
    before = code[:start].rstrip()
    if before.endswith("=>"):
        return code[start] in "{("
    if code[start] != "{" or not before.endswith(")"):
        return False
    word = re.search(r"([\w$]*)\s*$", code[: openers[len(before) - 1]])
    return word[1] not in CONDITIONS
