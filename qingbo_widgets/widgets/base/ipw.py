"""ipywidgets' classes as base classes. The package ships no types; ``ipw.pyi`` has those that we use."""

from ipywidgets import Button, Checkbox, GridBox, HBox, Password, Text, Textarea, VBox, Widget

__all__ = ["Button", "Checkbox", "GridBox", "HBox", "Password", "Text", "Textarea", "VBox", "Widget"]
