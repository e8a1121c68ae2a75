"""Exercises of chapter 8, training a VAE."""
