"""Exercises of chapter 3, the probabilistic decoder."""
