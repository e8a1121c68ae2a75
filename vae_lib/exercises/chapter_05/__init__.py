"""Exercises of chapter 5, the Bernoulli likelihood."""
