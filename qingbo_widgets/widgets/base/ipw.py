"""ipywidgets' classes for use as base classes, typed in ``ipw.pyi`` because ipywidgets ships no types."""

from ipywidgets import Button, Checkbox, Dropdown, GridBox, HBox, Password, Text, Textarea, VBox, Widget

__all__ = [
    "Button",
    "Checkbox",
    "Dropdown",
    "GridBox",
    "HBox",
    "Password",
    "Text",
    "Textarea",
    "VBox",
    "Widget",
]
