"""Exercises of chapter 6, the evidence lower bound."""
