"""What the figures share in which the reader draws a digit, and a network encodes it."""

from torch import Tensor, nn

from vae_lib.live.figure import pack, pack_network

RULES = ("box", "mass")


def drawing_rule(name: str, images: Tensor, image_shape: tuple[int, int]) -> dict[str, object]:
    """How `shared/drawn.js` makes an image of a drawing: as the data set's own were made.

    "box", the UCI digits: stretched to the full height of a bitmap of 4x4 times the image's size,
    the pen so thick that as much of it is ink as in `images` on average, and the ink of each 4x4
    block counted. "mass", MNIST: fitted into 20/28 of the image with the centre of mass in the
    middle.
    """
    if name not in RULES:
        raise ValueError(
            f'drawing must be "box", as in the UCI digits, or "mass", as in MNIST, not {name!r}.'
        )
    return {"name": name, "image_shape": list(image_shape), "ink": float(images.mean())}


def model_and_digits(
    encoder: nn.Module,
    decoder: nn.Module,
    codes: Tensor,
    labels: Tensor,
    images: Tensor,
    image_labels: Tensor,
    image_shape: tuple[int, int],
    log_var_range: tuple[float, float],
) -> dict[str, object]:
    """Two networks, codes to print on the plane, and images to choose from, as a figure's state."""
    _check_coded(codes, labels)
    _check_images(images, image_labels, image_shape)
    n_pixels = images.shape[1]
    return {
        "encoder": _packed_with_sizes("encoder", encoder, n_pixels, 4),
        "decoder": _packed_with_sizes("decoder", decoder, 2, n_pixels),
        "codes": pack(codes),
        "labels": pack(labels, "uint8"),
        "images": pack(images),
        "image_labels": pack(image_labels, "uint8"),
        "image_shape": list(image_shape),
        "log_var_range": [float(end) for end in log_var_range],
        **plane(codes),
    }


def _packed_with_sizes(name: str, net: nn.Module, n_in: int, n_out: int) -> dict[str, object]:
    packed = pack_network(net)
    layers = packed["layers"]
    sizes = layers[0]["weight"]["shape"][1], layers[-1]["weight"]["shape"][0]
    if sizes != (n_in, n_out):
        raise ValueError(
            f"With two latent dimensions, and images of this shape, the {name} must map "
            f"{n_in} to {n_out} numbers, but this one maps {sizes[0]} to {sizes[1]}."
        )
    return packed


def _check_coded(codes: Tensor, labels: Tensor) -> None:
    """Codes in the plane, each with the class of its image."""
    if codes.ndim != 2 or codes.shape[1] != 2 or labels.shape != codes.shape[:1] or not len(codes):
        raise ValueError(
            f"Expected codes of shape (N, 2) and their labels, (N,), but got "
            f"{tuple(codes.shape)} and {tuple(labels.shape)}."
        )


def _check_images(images: Tensor, labels: Tensor, image_shape: tuple[int, int]) -> None:
    """Images in [0, 1] as rows, each with its class."""
    n_pixels = image_shape[0] * image_shape[1]
    fits = images.ndim == 2 and images.shape[1] == n_pixels and labels.shape == images.shape[:1]
    if not fits or not len(images):
        raise ValueError(
            f"Expected images of shape (K, {n_pixels}), for an image_shape of {image_shape}, and "
            f"their labels, (K,), but got {tuple(images.shape)} and {tuple(labels.shape)}."
        )
    if not ((images >= 0) & (images <= 1)).all():
        raise ValueError("The images to choose from must have pixels in [0, 1]: rescale them.")


def plane(codes: Tensor, margin: float = 0.06) -> dict[str, list[float]]:
    """The ranges of the smallest square round all codes, with some room about it."""
    low, high = codes.amin(0), codes.amax(0)
    middle, half = (low + high) / 2, (0.5 + margin) * (high - low).max().clamp(min=1e-3)
    return {
        name: [float(centre - half), float(centre + half)]
        for name, centre in zip(("x_range", "y_range"), middle, strict=True)
    }
