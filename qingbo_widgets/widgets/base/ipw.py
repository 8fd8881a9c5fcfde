"""ipywidgets' classes for use as base classes, typed in ``ipw.pyi`` because ipywidgets ships no types."""

from ipywidgets import (
    Button,
    Checkbox,
    Dropdown,
    GridBox,
    HBox,
    Password,
    Text,
    Textarea,
    ToggleButtons,
    VBox,
    Widget,
)
from ipywidgets.widgets.widget_selection import _Selection as Selection

__all__ = [
    "Button",
    "Checkbox",
    "Dropdown",
    "GridBox",
    "HBox",
    "Password",
    "Selection",
    "Text",
    "Textarea",
    "ToggleButtons",
    "VBox",
    "Widget",
]
