"""The contents of an executed notebook: outputs, and the states of its widgets."""

from __future__ import annotations

import json
import re
from typing import Any

from nbformat import NotebookNode

__all__ = ["html_of", "missing_models", "states_of", "texts_in", "views_of"]

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def html_of(cell: NotebookNode) -> str:
    """Return the HTML of a cell's outputs, without styles."""
    html = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def views_of(cell: NotebookNode) -> list[str]:
    """Return the models of the widgets that a cell shows."""
    data = (output.get("data", {}) for output in cell.outputs)
    return [part[VIEW]["model_id"] for part in data if VIEW in part]


def states_of(notebook: NotebookNode) -> dict[str, Any]:
    """Return the states of all stored widgets, by model."""
    states: dict[str, Any] = notebook.metadata.widgets[STATE]["state"]
    return states


def texts_in(notebook: NotebookNode, model: str) -> str:
    """Return the HTML of a stored widget and of everything inside it, as nbconvert shows it."""
    state = states_of(notebook)[model]["state"]
    text = str(state.get("value", ""))
    text += "".join(output["data"]["text/html"] for output in state.get("outputs", ()))
    for child in state.get("children", ()):
        text += texts_in(notebook, child.removeprefix("IPY_MODEL_"))
    return text


def missing_models(notebook: NotebookNode) -> set[str]:
    """Return the models that stored widgets refer to, and that are not stored: their views are not shown."""
    states = states_of(notebook)
    return set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(states))) - states.keys()
