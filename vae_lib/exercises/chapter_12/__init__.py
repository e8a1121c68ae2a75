"""Exercises of chapter 12, β, rate and distortion."""
