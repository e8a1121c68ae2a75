"""Answers to the exercises as learners write them, chapter by chapter: right ones, and wrong ones.

`RIGHT` has unusual right answers by an exercise's id: other routes, NumPy, single precision, the
chapter's own code. `WRONG` has wrong answers with the name of the mistake whose hint they must get,
or None where no hint of a known mistake would be true.
"""

import importlib
import pkgutil

PARTS = [
    importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
]
RIGHT = {id_: answers for part in PARTS for id_, answers in part.RIGHT.items()}
WRONG = {id_: answers for part in PARTS for id_, answers in part.WRONG.items()}
