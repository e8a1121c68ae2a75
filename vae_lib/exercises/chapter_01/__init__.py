"""Exercises of chapter 1, the autoencoder and what it lacks."""
