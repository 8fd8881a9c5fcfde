"""The labels of parameters and of their choices, in the current language."""

from __future__ import annotations

from ...i18n import tr
from .schema import Parameter

__all__ = ["choice_label", "label"]


def label(parameter: Parameter) -> str:
    """Return the label of a field; its name if it has no label."""
    return tr(parameter.label) if parameter.label else parameter.name


def choice_label(parameter: Parameter, value: object) -> str:
    """Return the label of a choice; the value as text if it has no label."""
    text = parameter.labels.get(str(value)) if parameter.choices else None
    return tr(text) if text else str(value)
