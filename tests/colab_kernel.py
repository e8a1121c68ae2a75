"""Run in a kernel before a notebook, which then takes it for Colab's: no network, and their module.

Only what anywidget looks at is there: that `google.colab.output` has been imported, as Colab's own
kernel does, and the switch in it for widgets that are not ipywidgets' own.
"""

import os
import socket
import sys
import types

MANAGER = "https://example.org/manager.min.js"


def _refuse(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        raise OSError(f"a chapter asked for the network: {address}")
    return _connect(self, address)


_connect = socket.socket.connect
socket.socket.connect = socket.socket.connect_ex = _refuse
# For pip alone, a process of its own: torch and others look for packages, and would import them.
os.environ["PYTHONPATH"] = os.environ["LISTED_IN_COLAB"]


def _enable_custom_widget_manager():
    _output.calls += 1
    _output._widgets._installed_url = MANAGER


_output = types.ModuleType("google.colab.output")
_output.calls, _output.enable_custom_widget_manager = 0, _enable_custom_widget_manager
_output._widgets = types.SimpleNamespace(_installed_url=None)
_google, _colab = types.ModuleType("google"), types.ModuleType("google.colab")
_google.colab, _colab.output = _colab, _output
sys.modules |= {"google": _google, "google.colab": _colab, "google.colab.output": _output}
