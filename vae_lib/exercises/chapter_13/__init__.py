"""Exercises of chapter 13, conditional and semi-supervised VAEs."""
