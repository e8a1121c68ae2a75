"""Exercise I.9: the whole, trained and judged."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vae_lib import checks
from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_1 import measures
from vae_lib.exercises.project_1.band import BANDS, Band
from vae_lib.exercises.trained import Terms, handed_in, nearest_slip

_GOOD = "a VAE in the band, and its own true number"
_N_DRAWS, _N_WEIGHTED = 5, 100
_GAP = 1.0  # nats by which test images may be worth more than training images by chance


class _Found(NamedTuple):
    """What was measured of the networks."""

    test: Terms
    train_elbo: float
    grey_elbo: float
    bound: float
    n_pixels: int

    @property
    def error(self) -> float:
        """How far a right estimate of the ELBO by a single draw of each image may lie away."""
        return self.test.error(_N_DRAWS, at_least=0.1)


def _verdict(answer: object) -> str:
    """What is to be said of (encoder, decoder, their ELBO); what was measured is printed."""
    encoder, decoder, claimed = handed_in(answer, "images")
    with torch.no_grad(), checks.evaluating(encoder, decoder):
        n_pixels = measures.n_pixels_of(encoder, next(encoder.parameters()).device)
        images = measures.images(n_pixels)
        q_z = measures.code_of(encoder, images.test)
        _compare_shapes(decoder, q_z.sample()[:2], n_pixels)
        found = _measured(encoder, decoder, images)
        band = BANDS["digits" if n_pixels == 64 else "mnist"]
        print(_report(found, band, claimed))
        if not math.isfinite(found.test.elbo):
            return "not finite"
        honest = abs(claimed - found.test.elbo) <= found.error
        slip = None if honest else _slip(encoder, decoder, images, found, claimed)
    return slip or _of_quality(found, band) or _GOOD


def _compare_shapes(decoder: nn.Module, z: Tensor, n_pixels: int) -> None:
    shape = tuple(measures.logits_at(decoder, z).shape)
    if shape != (len(z), n_pixels):
        raise ValueError(f"your decoder gives shape {shape} for {len(z)} codes.")


def _measured(encoder: nn.Module, decoder: nn.Module, images: measures.Images) -> _Found:
    test, train = (
        measures.terms(measures.code_of(encoder, x), decoder, x, n_draws=_N_DRAWS)
        for x in (images.test, images.train)
    )
    bound = measures.weighted_bound(encoder, decoder, images.test, n_draws=_N_WEIGHTED)
    grey = measures.terms(
        measures.code_of(encoder, images.grey), decoder, images.grey, n_draws=_N_DRAWS
    )
    return _Found(test, train.elbo, grey.elbo, bound, images.test.shape[1])


def _report(found: _Found, band: Band, claimed: float) -> str:
    log_px, kl = found.test.log_px.mean().item(), found.test.kl.mean().item()
    return (
        f"On the test images, by your networks: log-likelihood {log_px:.1f}, KL {kl:.1f}, "
        f"ELBO {found.test.elbo:.2f} nats (you say {claimed:.2f}). Importance-weighted, with "
        f"{_N_WEIGHTED} draws: {found.bound:.2f}. Training images: ELBO {found.train_elbo:.2f}. "
        f"The band: {band.low} to {band.high}."
    )


def _slip(
    encoder: nn.Module, decoder: nn.Module, images: measures.Images, found: _Found, claimed: float
) -> str:
    """By which slip the claimed number may have come from these networks."""
    x, n = images.test, len(images.test)
    q_z = measures.code_of(encoder, x)
    log_px, kl, elbo = found.test.log_px, found.test.kl, found.test.elbo
    log_sigma = measures.code_of(encoder, x, log_var_per_number=2.0)
    at_mean = measures.log_bernoulli(measures.logits_at(decoder, q_z.mean), x.double())
    z = q_z.sample()
    squashed = torch.sigmoid(measures.logits_at(decoder, z))
    slips = {
        "the loss": -elbo,
        "a sum": elbo * n,
        "a pixel's": elbo / x.shape[1],
        "no KL": log_px.mean().item(),
        "the training images": found.train_elbo,
        "grey images": found.grey_elbo,
        "no draw": (at_mean - kl).mean().item(),
        "log σ": measures.terms(log_sigma, decoder, x, n_draws=_N_DRAWS).elbo,
        "a sigmoid twice": (measures.log_bernoulli(squashed, x.double()) - kl).mean().item(),
        "the weighted bound": found.bound,
    }
    errors = {"a sum": found.error * n, "a pixel's": found.error / x.shape[1]}
    return nearest_slip(claimed, slips, found.error, errors)


def _of_quality(found: _Found, band: Band) -> str | None:
    elbo, kl = found.test.elbo, found.test.kl.mean().item()
    if elbo > band.high or (elbo > band.low and elbo > found.train_elbo + _GAP):
        return "too good"
    if elbo >= band.low:
        return None
    if abs(found.test.log_px.mean().item() / found.n_pixels + math.log(2)) < 0.07:
        return "not trained"
    if kl < 0.5:
        return "no information"
    if kl > band.kl:
        return "codes too dear"
    # What has learned grey levels is not so much worse on them than on black and white; nor is
    # what has learned next to nothing, whose KL is small.
    knows_grey = kl > band.kl / 5 and found.grey_elbo > elbo - band.grey
    return "grey training" if knows_grey else "not enough"


EXERCISE = Exercise(
    "I.9",
    oracle=_GOOD,
    summarise=_verdict,
    seconds=60.0,
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
            "Your number is the sum over the test images. Report their mean.",
        ),
        Mistake(
            "for a pixel",
            "a pixel's",
            "Your number is that of a pixel. Report nats for a whole image.",
        ),
        Mistake(
            "no KL",
            "no KL",
            "Your number is the log-likelihood alone. Take off what the codes cost.",
        ),
        Mistake(
            "training images",
            "the training images",
            "Your number is the ELBO of the training images. The test images judge.",
        ),
        Mistake(
            "grey images",
            "grey images",
            "Your number is what your networks give for the grey test images. Pixels that are "
            "neither 0 nor 1 have no probability here (chapter 5): judge `x_test`.",
        ),
        Mistake(
            "no draw",
            "no draw",
            "Your number is what comes of decoding the means of q(z|x), without a draw.",
        ),
        Mistake(
            "log σ",
            "log σ",
            "Your number is that of networks whose second half is log σ. It is log σ² in this "
            "project, in every piece: does one of yours use `exp(log_var)` for σ?",
        ),
        Mistake(
            "sigmoid twice",
            "a sigmoid twice",
            "Your number is what comes of taking the sigmoid of the logits twice.",
        ),
        Mistake(
            "weighted bound",
            "the weighted bound",
            "Your number is that of the importance-weighted bound. Report the ELBO.",
        ),
        Mistake(
            "another number",
            "another number",
            "Your number is not what your networks give on the test images; see above. Is it of "
            "these networks, as they are now, on `x_test`?",
        ),
        Mistake(
            "too good",
            "too good",
            "This is better than we think a VAE can do that has not seen the test images, or "
            "better on them than on the training images. Have the test images been trained on?",
        ),
        Mistake(
            "not trained",
            "not trained",
            "Your decoder says one half for about every pixel, as an untrained one does. Are these "
            "the networks that you trained?",
        ),
        Mistake(
            "no information",
            "no information",
            "The KL is about 0: your codes hold no information, and the decoder draws the average "
            "digit. Does the KL weigh too much: a mean over pixels in place of the sum, a β above "
            "1?",
        ),
        Mistake(
            "codes too dear",
            "codes too dear",
            "Your codes cost more nats than they bring, as in an autoencoder. Does the KL weigh "
            "too little: is it left out, averaged over latent dimensions, or has it a β below 1?",
        ),
        Mistake(
            "grey training",
            "grey training",
            "Your networks do nearly as well on grey images as on black and white ones. Have they "
            "been trained on grey ones?",
        ),
        Mistake(
            "not enough",
            "not enough",
            "This is a VAE, but it has learned too little. More steps, a learning rate near 0.001, "
            "more than a few latent dimensions, a wider hidden layer?",
        ),
    ),
)
