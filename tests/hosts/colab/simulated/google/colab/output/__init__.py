"""Outputs of cells, of which only the widget manager is simulated."""

from . import _widgets
from ._widgets import enable_custom_widget_manager

__all__ = ["_widgets", "enable_custom_widget_manager"]
