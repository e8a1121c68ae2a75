"""One self-contained script for each live figure, put together from small ES modules.

A figure's `<name>.js` imports from `shared/`, and from its own folder `<name>/` if it has one, as
any browser or runtime would. A widget needs one module, and a page that is opened from a file, or
under a strict content security policy, one plain script. Both are the same text: the modules that
are needed, in order, without `import` and `export`. No name may therefore be used at the top level
of two of them.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "live.css").read_text(encoding="utf-8")

_IMPORT = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"(\.[^"]+)";\n', re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|let|function|class)\b)", re.MULTILINE)


def figures() -> list[str]:
    """The names of all live figures: those of the scripts beside this file."""
    return sorted(path.stem for path in FOLDER.glob("*.js"))


@cache
def module(name: str) -> str:
    """The figure's ES module, whose default export has `render({ model, el })`."""
    return _joined(name)


@cache
def script(name: str) -> str:
    """The same as a plain script, which puts the figure into `window.vaeLive[name]`."""
    body = _DEFAULT.sub("const figure = ", _joined(name))
    return (
        f'(() => {{\n"use strict";\n{body}\n(window.vaeLive ??= {{}})["{name}"] = figure;\n}})();\n'
    )


def _joined(name: str) -> str:
    if name not in figures():
        raise ValueError(f"There is no live figure {name!r}; there are {', '.join(figures())}.")
    parts: dict[Path, str] = {}
    _collect((FOLDER / f"{name}.js").resolve(), parts)
    return "\n".join(parts.values())


def _collect(path: Path, parts: dict[Path, str]) -> None:
    """Add what the module imports, and then the module itself, unless it is there already."""
    if path in parts:
        return
    text = path.read_text(encoding="utf-8")
    for imported in _IMPORT.findall(text):
        _collect((path.parent / imported).resolve(), parts)
    parts[path] = _EXPORT.sub("", _IMPORT.sub("", text))
