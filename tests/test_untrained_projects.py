"""A project's whole, handed in without training: what it is, is said, and it is not accepted."""

import re

import pytest
import torch

from vae_lib import networks
from vae_lib.exercises import check, exercises

SIZES = {"I.9": (64, 64), "II.8": (768, 771)}  # of x, and of what the encoder is given


@pytest.mark.parametrize(("id_", "given"), [("I.9", 0), ("II.8", 3)])
def test_networks_that_were_not_trained_are_judged_and_refused(id_, given, capsys):
    torch.manual_seed(0)
    data_dim, seen = SIZES[id_]
    encoder, decoder = networks.mlp(seen, 8, 8), networks.mlp(4 + given, 8, data_dim)
    check(id_, (encoder, decoder, 0.0))
    told = capsys.readouterr().out
    assert f"✗ Exercise {id_}" in told and "Your number is not" in told
    elbo = float(re.search(r"ELBO (-[\d.]+) nats", told)[1])
    low, high = map(float, re.search(r"The band: (\S+) to (\S+?)\.\s", told).groups())
    assert elbo < low < high
    check(id_, (encoder, decoder, elbo))
    told = capsys.readouterr().out
    assert f"✗ Exercise {id_}" in told and "Your number is not" not in told
    exercise = exercises()[id_]
    by_whom = [exercise.summarise((encoder, decoder, number)) for number in (0.0, elbo)]
    assert len({*by_whom, exercise.oracle}) == 3, by_whom  # and what a good one is told
