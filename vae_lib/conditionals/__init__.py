"""Conditional distributions: modules that map a tensor to a `torch.distributions` object.

Each takes a network and returns a distribution with event_shape (D,), so `log_prob` sums over the
D dimensions of one example. The distributions are torch's own; what is added here is that their
`log_prob` refuses data outside the support, or of a shape that would broadcast silently, with a
message that names the remedy. A conditional's `validate_args = False` turns looking at values off;
it is the library's own flag, whatever torch's process-wide one says.

A network is any map from rows (N, D_in) to rows (N, D_out). Conditionals take (..., D_in), hand it
rows, and give the leading axes back, so it never meets samples and examples as separate axes.
"""

from vae_lib.conditionals.bernoulli import MAX_LOGIT, Bernoulli, ContinuousBernoulli
from vae_lib.conditionals.gaussian import LOG_VAR_RANGE, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.conditionals.levels import LOG_SCALE_RANGE, Categorical, DiscretisedLogistic
from vae_lib.conditionals.over_dimensions import SUPPORTS, OverDimensions

__all__ = [
    "LOG_SCALE_RANGE",
    "LOG_VAR_RANGE",
    "MAX_LOGIT",
    "SUPPORTS",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "DiagonalGaussian",
    "DiscretisedLogistic",
    "Gaussian",
    "OverDimensions",
    "StandardNormal",
]
