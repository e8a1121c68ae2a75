"""Exercises of chapter 10, convolutions and colour."""
