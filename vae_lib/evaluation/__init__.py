"""How good is the model? Likelihoods, use of the latent space, and distances from draws to data.

Likelihoods are in nats per example, larger is better. The scores for draws compare two sets of
rows, (N, D) and (M, D), and know nothing of models; what they give by chance is another matter,
for `real_against_real` and `jackknife_error`. Scores of codes, (N, L), ask what single dimensions
tell of known factors. Whether importance weights can be trusted, the weights themselves are asked.

Data may be tensors or arrays on any device and of any precision; batches of them move to the
model, and results come back to the data's device, in float32 or float64. A model is judged in
evaluation mode, and afterwards has the mode that it had.
"""

from vae_lib.evaluation.draws import (
    energy_distance,
    frechet_distance,
    nearest_distance,
    precision_recall,
    two_sample_accuracy,
)
from vae_lib.evaluation.factors import DCI, dci, factor_information, mutual_information_gap
from vae_lib.evaluation.floors import jackknife_error, real_against_real
from vae_lib.evaluation.latents import active_units, mutual_information
from vae_lib.evaluation.likelihood import bits_per_dim, log_likelihood
from vae_lib.evaluation.linear import LinearOptimum, linear_optimum
from vae_lib.evaluation.quadrature import exact_log_likelihood
from vae_lib.evaluation.rates import rate_and_distortion
from vae_lib.evaluation.weights import effective_sample_size, pareto_shape

__all__ = [
    "DCI",
    "LinearOptimum",
    "active_units",
    "bits_per_dim",
    "dci",
    "effective_sample_size",
    "energy_distance",
    "exact_log_likelihood",
    "factor_information",
    "frechet_distance",
    "jackknife_error",
    "linear_optimum",
    "log_likelihood",
    "mutual_information",
    "mutual_information_gap",
    "nearest_distance",
    "pareto_shape",
    "precision_recall",
    "rate_and_distortion",
    "real_against_real",
    "two_sample_accuracy",
]
