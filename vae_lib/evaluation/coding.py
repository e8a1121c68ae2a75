"""Real messages: a stack of bits that any distribution can write on, and bits back with a VAE.

The coder is an asymmetric numeral system: a message is a stack, to which a symbol is pushed under a
table of whole-number frequencies and from which it is popped under the same table. Popped from bits
that are random, a symbol is a *draw* from that distribution, and pushing it gives the bits back.
`send` and `receive` use both for binary images, whose latents are points of a grid.
"""

import contextlib
import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch import distributions as td

from vae_lib import checks

if TYPE_CHECKING:
    from vae_lib.models import VAE

WORD = 32
LOWEST_HEAD = 1 << WORD
PRECISION = 24
"""Frequencies of symbols sum to 2^24, so that a pixel's costs at most 1.7e-7 bits too much."""


MOST_LATENT_BITS = 20
"""Of `latent_bits`: a table of 2^20 bins for each latent fills 16 MB."""


@dataclass
class Message:
    """A message as a stack: what was pushed last is popped first.

    `words` are whole numbers below 2^32, the bottom of the stack first; `head` is the number from
    2^32 to 2^64 in which symbols are gathered until they fill a word. Two messages are equal if
    they hold the same bits. `Message(words)` starts from other bits, which bits back needs to draw
    from; they come back when all that was pushed has been popped.

    Source: Duda (2013), the variant with ranges. Taught in chapter 12.
    """

    words: list[int] = field(default_factory=list)
    head: int = LOWEST_HEAD

    def __post_init__(self) -> None:
        self.words = [checks.count(word, "A word of a message", 0) for word in self.words]
        self.head = checks.count(self.head, "The head of a message", LOWEST_HEAD)
        if max([*self.words, self.head >> WORD]) >> WORD:
            raise ValueError("The words of a message must be below 2^32, and its head below 2^64.")

    @property
    def bits(self) -> int:
        """Its length in bits: that of all words, and of the head without leading zeros.

        The empty message has 33, the head's smallest length.
        """
        return WORD * len(self.words) + self.head.bit_length()

    def copy(self) -> "Message":
        """The same bits, in a message of their own."""
        twin = copy.copy(self)
        twin.words = [*self.words]
        return twin

    def push(self, symbol: int, table: Sequence[int], precision: int = PRECISION) -> None:
        """Write `symbol` with its share table[symbol] / 2^precision: -log₂ share bits.

        Raises:
            ValueError: the table does not sum to 2^precision, or gives the symbol nothing.
        """
        table = _as_table(table, precision)
        symbol = checks.count(symbol, "A symbol", 0)
        if symbol >= len(table) or not (frequency := int(table[symbol])):
            raise ValueError(
                f"Symbol {symbol} cannot be written: the table of {len(table)} symbols gives it "
                "no frequency. Tables from `frequencies` do to all of positive probability."
            )
        start = int(table[:symbol].sum())
        if self.head >= frequency << (2 * WORD - precision):
            self.words.append(self.head & (LOWEST_HEAD - 1))
            self.head >>= WORD
        self.head = (self.head // frequency << precision) + self.head % frequency + start

    def pop(self, table: Sequence[int], precision: int = PRECISION) -> int:
        """Read the symbol that was pushed last under this table, or draw one from other bits.

        Raises:
            ValueError: the table does not sum to 2^precision; the message has run out of bits.
        """
        ends = np.cumsum(_as_table(table, precision))
        slot = self.head & ((1 << precision) - 1)
        symbol = int(np.searchsorted(ends, slot, side="right"))
        start = int(ends[symbol - 1]) if symbol else 0
        head = (int(ends[symbol]) - start) * (self.head >> precision) + slot - start
        if head < LOWEST_HEAD:
            if not self.words:
                raise ValueError(
                    "The message has run out of bits. Bits back draws its codes from bits that are "
                    "there already: start from Message(words) with some 32 random bits for each "
                    "latent dimension, and receive no more than was sent."
                )
            head = (head << WORD) | self.words.pop()
        self.head = head
        return symbol


def _as_table(table: Sequence[int], precision: int) -> np.ndarray:
    precision = checks.count(precision, "precision", 0)
    table = np.asarray(table)
    good = precision <= WORD and table.ndim == 1 and table.dtype.kind in "iu"
    # Numbers above the sum could wrap round in it.
    good = good and table.min(initial=0) >= 0 and table.max(initial=0) <= 1 << precision
    if not good or table.sum() != 1 << precision:
        raise ValueError(
            f"A table must be whole numbers of at least 0 that sum to 2^{precision}, the precision "
            f"at most {WORD}, but is {table.dtype} of shape {table.shape} with the sum "
            f"{table.sum(dtype=float):.12g}. Make it with vae_lib.evaluation.coding.frequencies."
        )
    return table


def frequencies(probabilities: Tensor | np.ndarray, precision: int = PRECISION) -> np.ndarray:
    """Probabilities (..., S) of S symbols as whole numbers that sum to 2^precision, int64.

    A symbol has a frequency of 0 only if its probability is 0. Of the n others each gets 1 and its
    share, rounded down, of what is left; what then remains goes to the most probable. So a symbol
    costs at most -log₂(1 - n / 2^precision) bits more than -log₂ of its probability.

    Raises:
        ValueError: negative or infinite values or NaN, a row without any positive one, more
            symbols than the precision has room for. Rows are divided by their sums.
    """
    p = checks.as_tensor(probabilities, "probabilities").cpu().double().numpy()
    precision = checks.count(precision, "precision", 0)
    if p.ndim == 0 or not p.size or not np.isfinite(p).all() or p.min() < 0:
        raise ValueError(
            f"probabilities must be finite numbers of at least 0, of shape (..., S) with S of 1 or "
            f"more, but have shape {p.shape} and values such as {p.ravel()[:3].tolist()}."
        )
    possible, largest = p > 0, p.max(-1, keepdims=True)
    room = (1 << precision) - possible.sum(-1, keepdims=True)
    if not possible.any(-1).all() or room.min() < 0 or precision > WORD:
        raise ValueError(
            f"Each row of probabilities needs a positive one, and at most 2^precision of them; "
            f"the precision is {precision}, and must be at most {WORD}."
        )
    p = p / largest  # whose sum is finite, and no share of it too small to divide by
    table = np.floor(p / p.sum(-1, keepdims=True) * room).astype(np.int64) + possible
    left_over = (1 << precision) - table.sum(-1)
    most_probable = np.arange(p.shape[-1]) == p.argmax(-1)[..., None]
    return table + most_probable * left_over[..., None]


def send(
    vae: "VAE", x: Tensor, message: Message, *, latent_bits: int = 10, precision: int = PRECISION
) -> Message:
    """Write binary images x (N, D) on a copy of `message`, by bits back, and return it.

    For each image: draw z from q(z|x) by *popping* it from the bits that are there, push x under
    p(x|z), push z under p(z). That costs -log₂ p(x|z) - log₂ p(z) + log₂ q(z|x) bits, on average
    -ELBO / log 2. Each latent takes the centre of one of 2^latent_bits bins of equal prior mass.
    Bins wider than q make a coarser model, with an ELBO of its own.

    Both sides compute in float64, on the CPU, one image at a time: sums in floating point depend on
    their order, which goes with batch size and device, and frequencies that differ by 1 make all
    that follows unreadable. For the same reason both need the same versions and the same machine.

    Raises:
        ValueError: images that are not binary, or not as long as the decoder's; a model without an
            encoder, or that is conditional; a decoder that is not Bernoulli; q(z|x) or p(z) that
            is no product over dimensions with a cdf; a message with too few bits to start.

    Source: Townsend, Bird and Barber (2019). Taught in chapter 12.
    """
    message, codec = _copied(message), _Codec(vae, latent_bits, precision)
    x = checks.rows(x, "x", dtype=torch.float64, n_columns=codec.n_pixels).cpu()
    if not ((x == 0) | (x == 1)).all():
        raise ValueError("send wants binary images: make them with vae_lib.data.binarize.")
    for image in x:
        posterior = codec.posterior(image)
        z = [message.pop(table, precision) for table in posterior]
        for pixel, table in zip(image, codec.pixels(z), strict=True):
            message.push(int(pixel), table, precision)
        for code in z:
            message.push(code, codec.prior, latent_bits)
    return message


def receive(
    vae: "VAE", message: Message, n: int, *, latent_bits: int = 10, precision: int = PRECISION
) -> tuple[Tensor, Message]:
    """The last `n` images that `send` wrote, (n, D) in their order, and the message before them.

    Every step of `send` backwards, with the same settings: pop z under p(z), pop x under p(x|z),
    and give back the bits from which z was drawn by pushing it under q(z|x).

    Raises:
        ValueError: as `send` does; where it is noticed, a message that `send` did not write with
            this model and these settings, or that holds fewer images. Else what comes is noise.

    Taught in chapter 12.
    """
    n, message = checks.count(n, "n"), _copied(message)
    codec = _Codec(vae, latent_bits, precision)
    images = []
    for _ in range(n):
        z = [message.pop(codec.prior, latent_bits) for _ in range(codec.latent_dim)][::-1]
        tables = codec.pixels(z)
        pixels = [message.pop(table, precision) for table in reversed(tables)][::-1]
        images.append(torch.tensor(pixels, dtype=torch.float64))
        for code, table in reversed(list(zip(z, codec.posterior(images[-1]), strict=True))):
            if not table[code]:
                raise ValueError(
                    "This message was not written here by `send` with this model and these "
                    "settings: q(z|x) could not have drawn the code that it holds."
                )
            message.push(code, table, precision)
    return torch.stack(images[::-1]).to(torch.float32), message


def _copied(message: Message) -> Message:
    if not isinstance(message, Message):
        raise ValueError(
            f"message must be a Message, but is a {type(message).__name__}: write Message(words) "
            "for whole numbers below 2^32."
        )
    return message.copy()


class _Codec:
    """The three maps of a VAE as tables of frequencies, for one image at a time."""

    @torch.no_grad()
    def __init__(self, vae: "VAE", latent_bits: int, precision: int) -> None:
        if getattr(vae, "encoder", None) is None or hasattr(vae, "given"):
            raise ValueError(
                "Bits back needs a VAE with an encoder that is given nothing besides x, but got "
                f"a {type(vae).__name__}."
            )
        n_bins, self.precision = 1 << checks.count(latent_bits, "latent_bits"), precision
        if n_bins > 1 << MOST_LATENT_BITS:
            raise ValueError(f"latent_bits must be at most {MOST_LATENT_BITS}, not {latent_bits}.")
        self.vae = copy.deepcopy(vae).cpu().double().eval()
        bins = torch.arange(n_bins + 1, dtype=torch.float64)[:, None] / n_bins
        prior = self.vae.prior()
        self.edges = _by_dimension(prior, "p(z)", "icdf", bins[1:-1])
        self.centres = _by_dimension(prior, "p(z)", "icdf", bins[1:] - bins[1] / 2)
        self.prior = np.ones(n_bins, dtype=np.int64)
        self.latent_dim = self.edges.shape[1]
        self.n_pixels = len(self.pixels([n_bins // 2] * self.latent_dim))

    @torch.no_grad()
    def posterior(self, x: Tensor) -> np.ndarray:
        """Frequencies of the bins under q(z|x) for x (D,): (L, 2^latent_bits)."""
        inner = _by_dimension(self.vae.encoder(x[None]), "q(z|x)", "cdf", self.edges)
        ends = torch.zeros(1, self.latent_dim, dtype=torch.float64)
        masses = torch.cat([ends, inner, ends + 1]).diff(dim=0).clamp_min(0)
        return frequencies(masses.T, self.precision)

    @torch.no_grad()
    def pixels(self, z: list[int]) -> np.ndarray:
        """Frequencies of 0 and 1 for each pixel under p(x|z), z given by its bins: (D, 2)."""
        centre = self.centres[torch.tensor(z), torch.arange(self.latent_dim)]
        p_x = self.vae.decoder(centre[None])
        pixels = getattr(p_x, "base_dist", None)
        if not isinstance(pixels, td.Bernoulli) or len(p_x.event_shape) != 1:
            raise ValueError(
                f"p(x|z) must be a Bernoulli for each pixel, of event_shape (D,), but is {p_x}. "
                "Use vae_lib.conditionals.Bernoulli."
            )
        # From the logits, since 1 - p(1) would round to 0 where a black pixel is still possible,
        # and clamped, so that it stays possible where a probability itself would round to 0.
        logits = pixels.logits[0].clamp(-700, 700)
        return frequencies(torch.stack([-logits, logits], -1).sigmoid(), self.precision)


def _by_dimension(
    distribution: td.Distribution, name: str, function: str, values: Tensor
) -> Tensor:
    """The cdf or icdf of the single dimensions, of which one over L is a product: (S, L)."""
    base = getattr(distribution, "base_dist", None)
    if base is not None and len(distribution.event_shape) == 1 and not base.event_shape:
        with contextlib.suppress(NotImplementedError):
            return getattr(base, function)(values.expand(-1, *distribution.event_shape))
    raise ValueError(
        f"{name} must be a product of distributions over its dimensions, whose {function} "
        "torch knows, so that they can be cut into bins, as DiagonalGaussian and "
        f"StandardNormal give it, but is {distribution}."
    )
