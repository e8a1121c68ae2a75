"""Exercises of chapter 11, posterior collapse."""
