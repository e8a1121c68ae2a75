"""What IPython shows of a live figure: the widget, and behind it what needs no script."""

import ipywidgets
import pytest
from IPython.core.formatters import DisplayFormatter

from vae_lib import live
from vae_lib.live import figure

WIDGET = "application/vnd.jupyter.widget-view+json"


def as_ipywidgets_7(self, **kwargs):
    figure.display({WIDGET: {"model_id": self.model_id}, "text/plain": repr(self)}, raw=True)


@pytest.mark.parametrize("older", [False, True], ids=["as installed", "as ipywidgets 7"])
def test_a_figure_is_shown_with_its_picture_and_its_description(older, monkeypatch):
    shown = []
    monkeypatch.setattr(figure, "display", lambda data, **options: shown.append((data, options)))
    if older:
        monkeypatch.setattr(ipywidgets.Widget, "_ipython_display_", as_ipywidgets_7, raising=False)
    made = live.one_pixel()
    assert DisplayFormatter().format(made) == ({}, {}), "it is shown already"
    ((data, options),) = shown
    assert data[WIDGET]["model_id"] == made.model_id
    assert data["image/png"] and made.name in data["text/plain"]
    assert options == {"metadata": {}, "raw": True}
