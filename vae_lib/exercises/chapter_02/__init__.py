"""Exercises of chapter 2, the probabilistic encoder."""
