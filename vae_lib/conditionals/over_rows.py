"""How a network is called: with rows, whatever axes its input has."""

from torch import Tensor, nn

from vae_lib.checks import HALVES, called


def over_rows(net: nn.Module, x: Tensor) -> Tensor:
    """The network's outputs for x (..., D_in), as (..., D_out), in float32 at least.

    The network sees rows (N, D_in): samples and examples are one axis to it, so that batch norm
    averages over both and a convolution finds its axes where it expects them.
    """
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    outputs = called(net, rows)
    if not isinstance(outputs, Tensor) or outputs.ndim != 2 or len(outputs) != len(rows):
        came = f"a {type(outputs).__name__}"
        came = tuple(outputs.shape) if isinstance(outputs, Tensor) else came
        raise ValueError(
            f"A network must give a row of numbers for each row of its input, ({len(rows)}, D) for "
            f"{tuple(rows.shape)}, but gave {came}. For images write vae_lib.networks.OverRows("
            "net, (C, H, W)), which turns rows into images for the network and back."
        )
    if outputs.dtype in HALVES:
        outputs = outputs.float()  # 8 bits of a log-density would say little
    return outputs if x.ndim == 2 else outputs.reshape(*x.shape[:-1], outputs.shape[-1])
