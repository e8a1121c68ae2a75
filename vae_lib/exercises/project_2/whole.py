"""Exercise II.8: the whole, trained and judged."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vae_lib import checks
from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2 import measures
from vae_lib.exercises.project_2.band import BAND
from vae_lib.exercises.trained import Terms, handed_in, nearest_slip

_GOOD = "a conditional VAE in the band, and its own true number"
_N_DRAWS = 5
_GAP = 25.0  # nats by which test pictures may be worth more than training pictures by chance
_FIRST = 64  # training pictures, which whoever trains on few has most likely trained on


class _Found(NamedTuple):
    """What was measured of the networks."""

    test: Terms
    train: Terms
    untold: float  # the ELBO with other labels than the pictures'
    redrawn: float

    @property
    def first_elbo(self) -> float:
        return (self.train.log_px - self.train.kl)[:_FIRST].mean().item()

    @property
    def error(self) -> float:
        """How far a right estimate of the ELBO by a single draw of each picture may lie away."""
        return self.test.error(_N_DRAWS, at_least=0.5)


def _verdict(answer: object) -> str:
    """What is to be said of (encoder, decoder, their ELBO); what was measured is printed."""
    encoder, decoder, claimed = handed_in(answer, "pictures")
    data = measures.pictures()
    with torch.no_grad(), checks.evaluating(encoder, decoder):
        q_z = measures.code_of(encoder, data.test, data.test_y)
        shape = tuple(measures.means_at(decoder, q_z.sample()[:2], data.test_y[:2]).shape)
        if shape != (2, data.test.shape[1]):
            raise ValueError(f"your decoder gives shape {shape} for 2 codes with their labels.")
        found = _measured(encoder, decoder, data)
        print(_report(found, claimed))
        if not math.isfinite(found.test.elbo):
            return "not finite"
        honest = abs(claimed - found.test.elbo) <= found.error
        slip = None if honest else _slip(encoder, decoder, data, found, claimed)
    return slip or _of_quality(found) or _GOOD


def _measured(encoder: nn.Module, decoder: nn.Module, data: measures.Pictures) -> _Found:
    def of(x: Tensor, y: Tensor, n_draws: int = _N_DRAWS) -> Terms:
        return measures.terms(measures.code_of(encoder, x, y), decoder, x, y, n_draws=n_draws)

    return _Found(
        of(data.test, data.test_y),
        of(data.train, data.train_y, n_draws=1),
        of(data.test, data.test_y.roll(1, dims=1)).elbo,
        measures.redrawn(encoder, decoder, data),
    )


def _report(found: _Found, claimed: float) -> str:
    log_px, kl = found.test.log_px.mean().item(), found.test.kl.mean().item()
    return (
        f"On the test pictures, by your networks: log-likelihood {log_px:.1f}, KL {kl:.1f}, "
        f"ELBO {found.test.elbo:.1f} nats (you say {claimed:.1f}). Training pictures: ELBO "
        f"{found.train.elbo:.1f}, the first {_FIRST} {found.first_elbo:.1f}. With another shape's "
        f"label: {found.untold:.1f}. Asked for in another shape, {found.redrawn:.0%} come nearer "
        f"to it. The band: {BAND.low:.0f} to {BAND.high:.0f}."
    )


def _slip(
    encoder: nn.Module,
    decoder: nn.Module,
    data: measures.Pictures,
    found: _Found,
    claimed: float,
) -> str:
    """By which slip the claimed number may have come from these networks."""
    x, y, n = data.test, data.test_y, len(data.test)
    q_z = measures.code_of(encoder, x, y)
    log_px, kl, elbo = found.test.log_px, found.test.kl, found.test.elbo
    log_sigma = measures.code_of(encoder, x, y, log_var_per_number=2.0)
    at_mean = measures.log_gaussian(measures.means_at(decoder, q_z.mean, y), x)
    slips = {
        "the loss": -elbo,
        "a sum": elbo * n,
        "a value's": elbo / x.shape[1],
        "no KL": log_px.mean().item(),
        "no constant": elbo - measures.constant(x.shape[1]),
        "other labels": found.untold,
        "the training pictures": found.train.elbo,
        "no draw": (at_mean - kl).mean().item(),
        "log σ": measures.terms(log_sigma, decoder, x, y, n_draws=_N_DRAWS).elbo,
    }
    errors = {"a sum": found.error * n, "a value's": found.error / x.shape[1]}
    return nearest_slip(claimed, slips, found.error, errors)


def _of_quality(found: _Found) -> str | None:
    elbo, kl = found.test.elbo, found.test.kl.mean().item()
    if elbo > BAND.high or (elbo > BAND.low and elbo > found.train.elbo + _GAP):
        return "too good"
    if elbo >= BAND.low:
        return None if found.redrawn >= BAND.request else "the label does nothing"
    if kl < 0.5:
        return "no information"
    if kl > BAND.kl:
        return "codes too dear"
    if found.first_elbo > elbo + 4 * _GAP:
        return "by heart"
    return "the label does nothing" if found.redrawn == 0 else "not enough"


EXERCISE = Exercise(
    "II.8",
    oracle=_GOOD,
    summarise=_verdict,
    seconds=120.0,
    mistakes=(
        Mistake(
            "not finite",
            "not finite",
            "The ELBO of your networks is not finite: has a weight become nan, or a log-variance "
            "enormous?",
        ),
        Mistake(
            "loss",
            "the loss",
            "Your number is minus what your networks reach: that is the loss.",
        ),
        Mistake(
            "sum",
            "a sum",
            "Your number is the sum over the test pictures. Report their mean.",
        ),
        Mistake(
            "for a value",
            "a value's",
            "Your number is that of one of a picture's values. Report nats for a whole picture.",
        ),
        Mistake(
            "no KL",
            "no KL",
            "Your number is the log-likelihood alone. Take off what the codes cost.",
        ),
        Mistake(
            "no constant",
            "no constant",
            "Your number lacks the normalisation of the Gaussian, which every value has.",
        ),
        Mistake(
            "other labels",
            "other labels",
            "Your number is what your networks give with another shape's label for each picture. "
            "Are the labels those of the test pictures, one-hot, in the classes' order?",
        ),
        Mistake(
            "training pictures",
            "the training pictures",
            "Your number is the ELBO of training pictures. The test pictures judge.",
        ),
        Mistake(
            "no draw",
            "no draw",
            "Your number is what comes of decoding the means of q(z|x, y), without a draw.",
        ),
        Mistake(
            "log σ",
            "log σ",
            "Your number is that of networks whose second half is log σ. It is log σ² in this "
            "project: does a piece of yours use `exp(log_var)` for σ?",
        ),
        Mistake(
            "another number",
            "another number",
            "Your number is not what your networks give on the test pictures; see above. Is it of "
            "these networks, as they are now, on `x_test` and `y_test`?",
        ),
        Mistake(
            "too good",
            "too good",
            "This is better than we think a VAE can do that has not seen the test pictures, or "
            "better on them than on the training pictures. Have they been trained on?",
        ),
        Mistake(
            "label does nothing",
            "the label does nothing",
            "Asked for another shape, your decoder does not draw it. Does the label reach "
            "it in training, and the right one?",
        ),
        Mistake(
            "no information",
            "no information",
            "The KL is about 0: your codes hold no information, and the decoder draws the average "
            "picture. Is the log-likelihood a sum over the values, with σ = 0.1?",
        ),
        Mistake(
            "codes too dear",
            "codes too dear",
            "Your codes cost more nats than they need. Does the KL weigh too little: is it left "
            "out, or averaged?",
        ),
        Mistake(
            "by heart",
            "by heart",
            "Your networks do far better on the first pictures of `x_train` than on test pictures. "
            "Have they seen all of `x_train`?",
        ),
        Mistake(
            "not enough",
            "not enough",
            "This is a conditional VAE, but it has learned too little. More steps, a learning rate "
            "near 0.002, 32 channels or more, six latent dimensions or more?",
        ),
    ),
)
