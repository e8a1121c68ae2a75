"""Fill-in 12.b: what one image adds to a message."""

import math
from fractions import Fraction

import torch

from vae_lib.exercises import Exercise, Mistake


def _net_bits(log_px: float, log_p: float, log_q: float) -> float:
    """By the message itself, a whole number: popped once and pushed twice, with large tables."""
    message = 3**2000
    start = math.log2(message)
    for log_share, popped in ((log_q, True), (log_px, False), (log_p, False)):
        share = Fraction(math.exp(log_share))
        message = message * share if popped else message / share
        message = int(message)
    return math.log2(message) - start


def _logarithms(generator: torch.Generator) -> list[tuple]:
    cases = []
    for _ in range(3):
        a, b, c = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
        cases.append((-20 - 9 * a, -12 - 3 * b, -4 - 3 * c))
    return cases


EXERCISE = Exercise(
    "12.b",
    oracle=_net_bits,
    cases=_logarithms,
    mistakes=(
        Mistake(
            "nats",
            lambda log_px, log_p, log_q: log_q - log_px - log_p,
            "Right in nats. A bit is log 2 nats.",
        ),
        Mistake(
            "multiplied by log 2",
            lambda log_px, log_p, log_q: (log_q - log_px - log_p) * math.log(2),
            "A bit is log 2 = 0.69 nats, so there are more bits than nats: divide.",
        ),
        Mistake(
            "no refund",
            lambda log_px, log_p, log_q: (-log_px - log_p) / math.log(2),
            "That is what the two pushes cost. What did the pop take off the message?",
        ),
        Mistake(
            "sign",
            lambda log_px, log_p, log_q: (log_px + log_p - log_q) / math.log(2),
            "The sign: pushes make the message longer, and log-probabilities are negative.",
        ),
        Mistake(
            "refund charged",
            lambda log_px, log_p, log_q: (-log_px - log_p - log_q) / math.log(2),
            "You charge for the draw of z. A pop makes the message shorter.",
        ),
        Mistake(
            "prior refunded",
            lambda log_px, log_p, log_q: (-log_px + log_p - log_q) / math.log(2),
            "z is popped under q and pushed under the prior. You have it the other way round.",
        ),
        Mistake(
            "distortion alone",
            lambda log_px, log_p, log_q: -log_px / math.log(2),
            "That is the image given its code. The code is in the message too.",
        ),
        Mistake(
            "rate alone",
            lambda log_px, log_p, log_q: (log_q - log_p) / math.log(2),
            "That is the code. The image has to be pushed as well.",
        ),
        Mistake(
            "log 10",
            lambda log_px, log_p, log_q: (log_q - log_px - log_p) / math.log(10),
            "These are decimal digits. Bits have base 2.",
        ),
    ),
)
