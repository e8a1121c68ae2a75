"""How good is the model? Likelihoods, use of the latent space, and distances from draws to data.

Likelihoods are in nats per example, larger is better. The three scores for draws compare two sets
of rows, (N, D) and (M, D), and know nothing of models.

Data may be tensors or arrays on any device and of any precision; batches of them move to the
model, and results come back to the data's device, in float32 or float64. A model is judged in
evaluation mode, and afterwards has the mode that it had.
"""

from vae_lib.evaluation.draws import energy_distance, nearest_distance, two_sample_accuracy
from vae_lib.evaluation.latents import active_units, mutual_information
from vae_lib.evaluation.likelihood import bits_per_dim, log_likelihood
from vae_lib.evaluation.linear import LinearOptimum, linear_optimum
from vae_lib.evaluation.quadrature import exact_log_likelihood
from vae_lib.evaluation.rates import rate_and_distortion

__all__ = [
    "LinearOptimum",
    "active_units",
    "bits_per_dim",
    "energy_distance",
    "exact_log_likelihood",
    "linear_optimum",
    "log_likelihood",
    "mutual_information",
    "nearest_distance",
    "rate_and_distortion",
    "two_sample_accuracy",
]
