"""Live figures: pictures that compute, in the reader's browser, from networks trained in Python.

Each is one function here, `<figure>.py`, that returns a widget, and one script, `<figure>.js`, that
does the arithmetic. To add one, write the two and import the function below.
"""

from vae_lib.live.conditional_digits import conditional_digits
from vae_lib.live.decoded_draws import decoded_draws
from vae_lib.live.elbo_bars import elbo_bars
from vae_lib.live.explorer import explorer
from vae_lib.live.figure import LiveFigure
from vae_lib.live.first_vae import first_vae
from vae_lib.live.gradient_estimators import gradient_estimators
from vae_lib.live.latent_map import latent_map
from vae_lib.live.linear_collapse import linear_collapse
from vae_lib.live.loss_calculator import loss_calculator
from vae_lib.live.one_pixel import one_pixel
from vae_lib.live.planted_defects import planted_defects
from vae_lib.live.posterior_ellipse import posterior_ellipse
from vae_lib.live.quiz import quiz_figure
from vae_lib.live.rate_distortion import rate_distortion
from vae_lib.live.receptive_field import receptive_field
from vae_lib.live.rotated_latents import rotated_latents
from vae_lib.live.sigma_slider import sigma_slider

__all__ = [
    "LiveFigure",
    "conditional_digits",
    "decoded_draws",
    "elbo_bars",
    "explorer",
    "first_vae",
    "gradient_estimators",
    "latent_map",
    "linear_collapse",
    "loss_calculator",
    "one_pixel",
    "planted_defects",
    "posterior_ellipse",
    "quiz_figure",
    "rate_distortion",
    "receptive_field",
    "rotated_latents",
    "sigma_slider",
]
