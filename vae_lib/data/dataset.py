"""What a data set is: images as rows, and all that other parts of the book must know of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as rows, with a fixed split into training and test examples.

    ``train`` (N, D) and ``test`` (M, D) are float32; ``train_labels`` (N,) and ``test_labels``
    (M,) are int64, or None where the data have no classes. ``image_shape`` is (height, width) or,
    in colour, (channels, height, width); its product is D.

    ``factors`` gives, where they are known, what each training image was made of: a tensor (N,)
    for each name; ``test_factors`` the same of the test images. ``drawing`` says how a drawing by
    the reader becomes an image like these (see ``vae_lib.live``), None where it can't. Whoever
    shows the data owes ``citation`` to their authors, under ``licence``.
    """

    name: str
    train: Tensor
    test: Tensor
    train_labels: Tensor | None = None
    test_labels: Tensor | None = None
    image_shape: tuple[int, ...] = ()
    factors: Mapping[str, Tensor] | None = None
    test_factors: Mapping[str, Tensor] | None = None
    drawing: str | None = None
    licence: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        n_pixels = math.prod(self.image_shape)
        if len(self.image_shape) not in (2, 3):
            raise ValueError(
                f"image_shape must be (H, W) or (C, H, W), not {tuple(self.image_shape)}."
            )
        if not self.train.shape[1:] == self.test.shape[1:] == (n_pixels,):
            raise ValueError(
                f"Images of shape {tuple(self.image_shape)} are rows of {n_pixels} numbers, but "
                f"train has shape {tuple(self.train.shape)} and test {tuple(self.test.shape)}."
            )
        for part, labels, factors in (
            (self.train, self.train_labels, self.factors),
            (self.test, self.test_labels, self.test_factors),
        ):
            named = {"labels": labels, **(factors or {})}
            for name, values in named.items():
                if values is not None and values.shape != part.shape[:1]:
                    raise ValueError(
                        f"{self.name}: expected one of {name} for each image, ({len(part)},), but "
                        f"got {tuple(values.shape)}."
                    )
