"""Exercises of chapter 9, the loss-audit workshop."""
