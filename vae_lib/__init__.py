"""The small library under the VAE book: three maps into distributions, and functions of them.

A variational autoencoder is a map from x to q(z|x), a map from z to p(x|z), and a prior p(z) that
depends on nothing (`conditionals`, `models`). What is maximised (`objectives`), how (`training`)
and how the result is judged (`evaluation`) are functions of the three.
"""

__version__ = "0.1.0"
