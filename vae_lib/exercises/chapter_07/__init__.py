"""Exercises of chapter 7, the reparameterisation trick."""
