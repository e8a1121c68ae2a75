"""Live figures: pictures that compute, in the reader's browser, from networks trained in Python.

Each is one function here, `<figure>.py`, that returns a widget, and one script, `<figure>.js`, that
does the arithmetic. To add one, write the two and import the function below.
"""

from vae_lib.live.explorer import explorer
from vae_lib.live.figure import LiveFigure
from vae_lib.live.latent_map import latent_map
from vae_lib.live.posterior_ellipse import posterior_ellipse

__all__ = ["LiveFigure", "explorer", "latent_map", "posterior_ellipse"]
