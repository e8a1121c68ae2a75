import copy
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation.coding import Message, _Codec, frequencies, receive, send
from vae_lib.models import VAE
from vae_lib.networks import mlp


def random_words(n, seed=0):
    return np.random.default_rng(seed).integers(2**32, size=n).tolist()


def as_one_number(message):
    """The stack as one whole number, by another road: the words are its lower digits."""
    value = message.head
    for word in reversed(message.words):
        value = (value << 32) | word
    return value


def random_table(rng, precision, zeros=True):
    n_symbols = int(rng.integers(1, min(40, 1 << precision) + 1))
    p = rng.dirichlet(np.full(n_symbols, rng.choice([0.05, 1.0])))
    if zeros and n_symbols > 2:
        p[rng.integers(n_symbols)] = 0.0
    return p, frequencies(p, precision)


@pytest.mark.parametrize("precision", [0, 1, 5, 16, 24, 32])
def test_pop_is_the_inverse_of_push(precision):
    rng = np.random.default_rng(precision)
    message = Message(random_words(3))
    start, sent = message.copy(), []
    for _ in range(400):
        _, table = random_table(rng, precision)
        symbol = int(rng.choice(np.flatnonzero(table)))  # rare ones as often as the others
        message.push(symbol, table, precision)
        sent.append((symbol, table))
    for symbol, table in reversed(sent):
        assert message.pop(table, precision) == symbol
    assert message == start


@pytest.mark.parametrize("precision", [1, 5, 16, 24, 32])
def test_push_is_the_inverse_of_pop(precision):
    # What bits back rests on: bits that were read as draws are given back.
    rng = np.random.default_rng(precision)
    message = Message(random_words(2000))
    start, drawn = message.copy(), []
    for _ in range(400):
        _, table = random_table(rng, precision)
        drawn.append((message.pop(table, precision), table))
    for symbol, table in reversed(drawn):
        message.push(symbol, table, precision)
    assert message == start


@pytest.mark.parametrize("precision", [1, 8, 24, 32])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_the_head_stays_within_64_bits_where_a_word_is_just_full(precision, off):
    frequency = 1 << (precision - 1)
    table = [frequency, frequency]
    head = min((frequency << (64 - precision)) + off, 2**64 - 1)
    for symbol in (0, 1):
        message = Message([5], head)
        message.push(symbol, table, precision)
        assert 2**32 <= message.head < 2**64
        assert message == Message(message.words, message.head)  # which looks at both
        assert message.pop(table, precision) == symbol
        assert message == Message([5], head)


def test_a_message_costs_its_information():
    rng = np.random.default_rng(0)
    message, information = Message(), 0.0
    for _ in range(3000):
        _, table = random_table(rng, 16)
        symbol = int(rng.choice(len(table), p=table / table.sum()))
        message.push(symbol, table, 16)
        information -= math.log2(table[symbol] / 2**16)
    # The head keeps at least 32 - 16 bits of precision: a relative loss of 2^-16 a symbol at most.
    assert abs(message.bits - Message().bits - information) < 1 + 3000 * 2**-14


def test_its_length_is_near_the_entropy():
    rng = np.random.default_rng(1)
    p = np.array([0.7, 0.2, 0.06, 0.03, 0.01])
    table = frequencies(p, 20)
    message = Message()
    symbols = rng.choice(5, size=20_000, p=p)
    for symbol in symbols:
        message.push(int(symbol), table, 20)
    spread = math.sqrt((p * np.log2(p) ** 2).sum() - stats.entropy(p, base=2) ** 2)
    per_symbol = (message.bits - Message().bits) / len(symbols)
    assert abs(per_symbol - stats.entropy(p, base=2)) < 4 * spread / math.sqrt(len(symbols))
    counts = np.bincount(symbols, minlength=5)
    exact = -(counts * np.log2(p)).sum()
    assert abs(message.bits - Message().bits - exact) < 2


def test_popping_random_bits_draws_from_the_table():
    p = np.array([0.5, 0.3, 0.15, 0.05])
    table, message = frequencies(p, 16), Message(random_words(3000))
    drawn = np.bincount([message.pop(table, 16) for _ in range(20_000)], minlength=4)
    assert stats.chisquare(drawn, 20_000 * p).pvalue > 1e-3


def test_one_symbol_that_is_certain_costs_nothing():
    message = Message(random_words(2))
    before = message.copy()
    message.push(0, [1 << 24])
    assert message == before
    assert message.pop([1 << 24]) == 0
    assert message == before


def test_lengths_and_copies():
    assert Message().bits == 33
    message = Message(random_words(5))
    assert message.bits == 5 * 32 + 33 == as_one_number(message).bit_length()
    twin = message.copy()
    twin.push(3, [1] * 8, 3)
    assert message == Message(random_words(5)) != twin
    assert twin.bits == message.bits + 3


@pytest.mark.parametrize("precision", [2, 8, 16, 24, 32])
def test_frequencies_sum_exactly_and_keep_what_is_possible(precision):
    rng = np.random.default_rng(precision)
    for _ in range(300):
        p, table = random_table(rng, precision)
        assert table.sum() == 2**precision
        assert ((table > 0) == (p > 0)).all()
        n, possible = (p > 0).sum(), p > 0
        if n < 2**precision:
            excess = np.log2(p[possible] / p.sum()) - np.log2(table[possible] / 2**precision)
            assert excess.max() <= -math.log2(1 - n / 2**precision) + 1e-9


@pytest.mark.parametrize(
    "p",
    [
        [1.0],
        [1.0, 0.0],
        [1.0, 1e-300],
        [1e-310, 1e-310],
        [1e300, 1e300],
        [1 / 3, 1 / 3, 1 / 3],
        [0.1] * 10,
        [1.0, 1e-17, 1 - 1e-16],
        [1.0] * 16,
    ],
)
@pytest.mark.parametrize("precision", [4, 24, 32])
def test_frequencies_at_the_edges(p, precision):
    table = frequencies(np.array(p), precision)
    assert table.sum() == 2**precision
    assert ((table > 0) == (np.array(p) > 0)).all()


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-30, 1.0, 1e30, 1e308])
def test_the_scale_of_probabilities_does_not_matter(scale):
    p = np.array([1.0, 1.0, 0.0, 1.0])
    np.testing.assert_array_equal(frequencies(scale * p, 20), frequencies(p, 20))


def test_frequencies_go_row_by_row_and_take_tensors():
    p = torch.rand(3, 4, 5)
    table = frequencies(p, 12)
    assert table.shape == (3, 4, 5)
    assert (table.sum(-1) == 2**12).all()
    np.testing.assert_array_equal(table[1, 2], frequencies(p[1, 2].tolist(), 12))


@pytest.mark.parametrize(
    ("p", "precision", "said"),
    [
        ([0.5, -0.5], 8, "at least 0"),
        ([math.nan, 1.0], 8, "finite"),
        ([], 8, "finite"),
        ([0.0, 0.0], 8, "positive one"),
        ([0.2] * 5, 2, "at most 2\\^precision"),
        ([0.5, 0.5], 33, "at most 32"),
        ([0.5, 0.5], -1, "precision must be"),
    ],
)
def test_bad_probabilities_are_refused(p, precision, said):
    with pytest.raises(ValueError, match=said):
        frequencies(np.array(p), precision)


@pytest.mark.parametrize(
    ("table", "precision"),
    [
        ([1, 2], 2),
        ([5, -1], 2),
        ([0.5, 0.5], 0),
        ([[2, 2]], 2),
        ([], 0),
        ([1 << 33], 33),
        ([2**62, 2**62, 2**62, 2**62, 4], 2),  # 4, once the sum has wrapped round
        (np.array([2**63, 2**63, 4], np.uint64), 2),
    ],
)
def test_bad_tables_are_refused(table, precision):
    message = Message(random_words(2))
    before = message.copy()
    with pytest.raises(ValueError, match="whole numbers"):
        message.push(0, table, precision)
    with pytest.raises(ValueError, match="whole numbers"):
        message.pop(table, precision)
    assert message == before


@pytest.mark.parametrize("symbol", [1, 2, -1, 0.5])
def test_symbols_that_cannot_be_written_are_refused(symbol):
    with pytest.raises(ValueError, match=r"[Ss]ymbol"):
        Message().push(symbol, [4, 0], 2)


@pytest.mark.parametrize(
    ("words", "head"),
    [([2**32], 2**32), ([-1], 2**32), ([], 2**32 - 1), ([], 2**64), ([0.5], 2**32)],
)
def test_what_is_no_message_is_refused(words, head):
    with pytest.raises(ValueError, match="message"):
        Message(words, head)


def test_an_empty_message_cannot_be_drawn_from():
    message = Message()
    with pytest.raises(ValueError, match="run out of bits"):
        message.pop([1] * 4, 2)
    assert message == Message()


def trained_like(n_pixels=16, latent_dim=3, seed=0):
    """An untrained VAE whose posteriors are narrower than the prior and whose pixels matter."""
    torch.manual_seed(seed)
    encoder, decoder = mlp(n_pixels, 16, 2 * latent_dim), mlp(latent_dim, 16, n_pixels)
    with torch.no_grad():
        encoder[-1].weight.mul_(2)
        encoder[-1].bias[latent_dim:] -= 2
        decoder[-1].weight.mul_(6)
    return VAE(DiagonalGaussian(encoder), Bernoulli(decoder), StandardNormal(latent_dim))


def cost_of_bits_back(vae, x, seed, **settings):
    before = Message(random_words(40, seed))
    return (send(vae, x, before, **settings).bits - before.bits) / len(x)


@pytest.mark.parametrize(("n_pixels", "latent_dim"), [(1, 1), (16, 1), (16, 3), (5, 12)])
@pytest.mark.parametrize("latent_bits", [3, 10])
def test_every_image_comes_back(n_pixels, latent_dim, latent_bits):
    vae = trained_like(n_pixels, latent_dim)
    x = torch.rand(20, n_pixels).round()
    before = Message(random_words(40))
    message = send(vae, x, before, latent_bits=latent_bits)
    returned, rest = receive(vae, message, len(x), latent_bits=latent_bits)
    torch.testing.assert_close(returned, x, rtol=0, atol=0)
    assert rest == before == Message(random_words(40))


def test_messages_can_be_read_in_parts_from_the_end():
    vae, x = trained_like(), torch.rand(9, 16).round()
    before = Message(random_words(40))
    message = send(vae, x[4:], send(vae, x[:4], before))
    assert message == send(vae, x, before)
    last, rest = receive(vae, message, 2)
    first, rest = receive(vae, rest, 7)
    assert torch.equal(torch.cat([first, last]), x)
    assert rest == before


@pytest.mark.parametrize("seed", range(3))
def test_the_cost_is_minus_the_elbo(seed):
    vae = trained_like(seed=seed)
    with torch.no_grad():
        x = vae.sample(300)
        q_z = vae.encoder(x)
        z = q_z.sample((400,))
        log_px = vae.decoder(z).log_prob(x)
        log_w = log_px + vae.prior().log_prob(z) - q_z.log_prob(z)
    bits = -log_w.mean(0) / math.log(2)
    # The spread of one draw a image about its own bound, from the 400 draws at hand.
    spread = (log_w.std(0) / math.log(2)).square().mean().sqrt() / math.sqrt(len(x))
    assert abs(cost_of_bits_back(vae, x, seed) - bits.mean()) < 4 * spread + 0.01


def test_without_bits_back_it_would_cost_far_more():
    vae = trained_like()
    x = vae.sample(100)
    latents = 3 * 10  # each of three latents, written with the prior's 10 bits
    with torch.no_grad():
        log_px = vae.decoder(vae.encoder(x).sample()).log_prob(x)
    without = latents - log_px.mean() / math.log(2)
    assert cost_of_bits_back(vae, x, 0) < without - 10


def test_another_scale_of_the_prior_changes_nothing():
    # z = 3u, u standard: the same model, whose bins are as probable as before.
    class Wide(nn.Module):
        def forward(self):
            return td.Independent(td.Normal(torch.zeros(2), 3 * torch.ones(2)), 1)

    class WideToDouble(Wide):
        def forward(self):
            return td.Independent(td.Normal(torch.zeros(2).double(), 3 * torch.ones(2).double()), 1)

    vae = trained_like(latent_dim=2)
    wide = copy.deepcopy(vae)
    wide.prior = WideToDouble()
    with torch.no_grad():
        wide.encoder.net[-1].weight[:2] *= 3
        wide.encoder.net[-1].bias[:2] *= 3
        wide.encoder.net[-1].bias[2:] += 2 * math.log(3)
        wide.decoder.net[0].weight /= 3
    x = vae.sample(50)
    assert abs(cost_of_bits_back(vae, x, 0) - cost_of_bits_back(wide, x, 0)) < 0.5


def test_modes_parameters_and_random_state_are_left_alone():
    vae = trained_like().train()
    before, state = copy.deepcopy(vae.state_dict()), torch.get_rng_state()
    send(vae, torch.ones(2, 16), Message(random_words(20)))
    assert vae.training
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in vae.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.dtype == torch.float32


def test_what_is_random_in_training_is_not_so_in_a_message():
    vae = trained_like()
    for part in (vae.encoder, vae.decoder):
        part.net = nn.Sequential(nn.Dropout(0.5), part.net)
    x, before = torch.rand(10, 16).round(), Message(random_words(40))
    returned, rest = receive(vae.train(), send(vae.train(), x, before), 10)
    assert torch.equal(returned, x)
    assert rest == before


@pytest.mark.parametrize("latent_bits", [1, 3])
def test_bins_have_equal_mass_and_codes_their_middle(latent_bits):
    codec, n = _Codec(trained_like(), latent_bits, 24), 2**latent_bits
    for found, share in ((codec.edges, np.arange(1, n)), (codec.centres, np.arange(n) + 0.5)):
        expected = np.repeat(stats.norm.ppf(share / n)[:, None], 3, axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("logit", [60.0, 1e4, math.inf])  # 1 - sigmoid(60) rounds to 0
def test_pixels_that_a_saturated_decoder_rules_out_can_still_be_sent(logit):
    vae = trained_like()
    with torch.no_grad():
        vae.decoder.net[-1].weight.zero_()
        vae.decoder.net[-1].bias.fill_(logit)
    x = torch.zeros(1, 16)
    before = Message(random_words(20))
    message = send(vae, x, before)
    # 24 bits a pixel, the least frequency that there is, and not the 87 and more of its logit.
    assert abs(message.bits - before.bits - 16 * 24) < 60
    assert torch.equal(receive(vae, message, 1)[0], x)


def test_a_posterior_in_the_far_tail_is_no_obstacle():
    vae = trained_like()
    with torch.no_grad():
        vae.encoder.net[-1].bias[:3] = 60.0
    x, before = torch.ones(3, 16), Message(random_words(40))
    returned, rest = receive(vae, send(vae, x, before), 3)
    assert torch.equal(returned, x)
    assert rest == before


def test_a_receiver_with_another_model_reads_noise_or_says_so():
    vae, x = trained_like(), torch.rand(30, 16).round()
    message = send(vae, x, Message(random_words(40)))
    other = copy.deepcopy(vae)
    with torch.no_grad():
        other.decoder.net[-1].bias += 1e-4
    returned, _ = receive(other, message, 10)
    assert (returned == x[20:]).all(1).sum() < 5
    with torch.no_grad():
        other.encoder.net[-1].bias[3:] -= 15.0  # q so narrow that it misses nearly every bin
    with pytest.raises(ValueError, match="not written here by `send`"):
        receive(other, message, 10)


BOTH_WAYS = {"send": lambda vae, *rest, **more: send(vae, torch.ones(2, 16), *rest, **more)}
BOTH_WAYS["receive"] = lambda vae, *rest, **more: receive(vae, *rest, 1, **more)


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize(
    ("change", "settings", "said"),
    [
        ({}, {"latent_bits": 0}, "latent_bits must be"),
        ({}, {"latent_bits": 21}, "at most 20, not 21"),
        ({}, {"latent_bits": 200}, "at most 20, not 200"),
        ({}, {"precision": 33}, "precision is 33"),
        ({}, {"precision": 5, "latent_bits": 10}, "at most 2\\^precision"),
        ({"encoder": None}, {}, "needs a VAE with an encoder"),
        ({"given": lambda y: None}, {}, "nothing besides x"),
    ],
)
def test_settings_and_models_of_either_side_are_looked_at(way, change, settings, said):
    vae = trained_like()
    for name, value in change.items():
        setattr(vae, name, value)
    with pytest.raises(ValueError, match=said):
        BOTH_WAYS[way](vae, Message(random_words(40)), **settings)


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize("message", [None, random_words(40), b"1234"])
def test_what_is_no_message_is_named(way, message):
    with pytest.raises(ValueError, match=r"must be a Message, .* write Message\(words\)"):
        BOTH_WAYS[way](trained_like(), message)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_model_with_nan_writes_nothing(part):
    vae, message = trained_like(), Message(random_words(40))
    with torch.no_grad():
        getattr(vae, part).net[-1].bias.fill_(math.nan)
    for way in BOTH_WAYS.values():
        with pytest.raises(ValueError, match="finite"):
            way(vae, message)
    assert message == Message(random_words(40))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_message_is_read_as_noise_or_refused_in_words(seed):
    """Nothing else happens: no other error, no image of another shape or with other values."""
    rng = np.random.default_rng(seed)
    vae, x = trained_like(), torch.rand(6, 16).round()
    message = send(vae, x, Message(random_words(20, seed)))
    words = np.array(message.words)
    where = rng.choice(len(words), 3)
    words[where] ^= 1 << rng.integers(32, size=3)
    damaged = Message(words[: len(words) - rng.integers(3)].tolist(), message.head)
    try:
        returned, _ = receive(vae, damaged, 30)
    except ValueError as error:
        assert "run out of bits" in str(error) or "not written here" in str(error)
    else:
        assert returned.shape == (30, 16)
        assert ((returned == 0) | (returned == 1)).all()


def test_bad_messages_and_models_are_refused_in_words():
    vae, x = trained_like(), torch.ones(2, 16)
    with pytest.raises(ValueError, match="run out of bits"):
        send(vae, x, Message())
    message = Message(random_words(20))
    with pytest.raises(ValueError, match="binarize"):
        send(vae, x / 2, message)
    with pytest.raises(ValueError, match="shape \\(N, 16\\)"):
        send(vae, x[:0], message)
    with pytest.raises(ValueError, match="n must be"):
        receive(vae, message, 0)
    grey = VAE(vae.encoder, Gaussian(mlp(3, 16), 1.0), vae.prior)
    with pytest.raises(ValueError, match="Bernoulli"):
        send(grey, x, message)
    too_large = VAE(vae.encoder, Bernoulli(mlp(3, 17)), vae.prior)
    with pytest.raises(ValueError, match="16 columns, but must have shape \\(N, 17\\)"):
        send(too_large, x, message)

    class Correlated(nn.Module):
        def forward(self, x):
            covariance = torch.eye(3, dtype=x.dtype)
            return td.MultivariateNormal(torch.zeros(len(x), 3, dtype=x.dtype), covariance)

    with pytest.raises(ValueError, match="product"):
        send(VAE(Correlated(), vae.decoder, vae.prior), x, message)

    class Heavy(nn.Module):  # torch knows no icdf
        def forward(self):
            return td.Independent(td.StudentT(torch.full((3,), 4.0).double()), 1)

    with pytest.raises(ValueError, match=r"p\(z\) must be a product .* whose icdf torch knows"):
        send(VAE(vae.encoder, vae.decoder, Heavy()), x, message)
    assert message == Message(random_words(20))
