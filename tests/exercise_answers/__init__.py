"""Answers to the exercises as learners write them, chapter by chapter: right ones, and wrong ones.

`RIGHT` has unusual right answers by an exercise's id: other routes, NumPy, single precision, the
chapter's own code. `WRONG` has wrong answers with the name of the mistake whose hint they must get,
or None where no hint of a known mistake would be true.
"""

from exercise_answers import chapters_1_to_3, chapters_4_to_6, chapters_7_to_9

PARTS = (chapters_1_to_3, chapters_4_to_6, chapters_7_to_9)
RIGHT = {id_: answers for part in PARTS for id_, answers in part.RIGHT.items()}
WRONG = {id_: answers for part in PARTS for id_, answers in part.WRONG.items()}
