"""Exercises of chapter 15, disentanglement."""
