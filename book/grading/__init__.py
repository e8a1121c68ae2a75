"""How handed-in notebooks are graded: what `book/grade.py` is made of.

The judge, a process of ours, holds the oracles. The answers run in another process, inside a jail,
and hear of nothing but the arguments that they are called with.
"""
