"""Exercises of chapter 4, the Gaussian likelihood."""
