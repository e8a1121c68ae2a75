"""Exercises of chapter 14, judging a generative model."""
