"""The environment of this interpreter: a notebook's kernel, a terminal, or a script, and its host."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ..exceptions import QingboError
from ..i18n import N_, tr

__all__ = [
    "after_each_cell",
    "check_threads",
    "in_notebook",
    "is_colab",
    "is_marimo",
    "is_solara",
    "is_voila",
    "running_cell",
    "running_source",
    "shell",
    "warn",
    "why_no_cards",
    "why_no_threads",
]

#: The modules by which Panel and Shiny show widgets. What a thread makes or changes is lost there.
_WITHOUT_CARDS = {"ipywidgets_bokeh": "Panel", "shinywidgets": "Shiny"}
_NO_CARDS = N_(
    "{host} would show neither the progress nor the video, so Generate is off. In Python, "
    "task = form.submit() works, then task.wait()."
)
_PYODIDE = N_(
    "qingbo_widgets cannot run in the browser (JupyterLite, Pyodide): this Python has no threads, which "
    "follow the tasks. Use Jupyter on a computer or a server."
)


def shell() -> Any:
    """Return the running IPython shell; ``None`` outside IPython, which is not imported for this check."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel, so that widgets can be shown."""
    return getattr(shell(), "kernel", None) is not None


def is_colab() -> bool:
    """Return whether this is Google Colab, whose page gets no files from the kernel's machine."""
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def is_voila() -> bool:
    """Return whether Voila shows the notebook; its page gets only the files that its options allow."""
    return os.environ.get("SERVER_SOFTWARE", "").lower().startswith("voila/")


def running_cell() -> tuple[str, str]:
    """Return the id of the running cell, and that of its run; empty texts if there is none.

    A page sends the id, which a cell keeps for its lifetime; a copy of the notebook has it too. A program
    that runs a notebook without a page, such as nbclient or papermill, sends none.
    """
    return _of_request("metadata", "cellId"), _of_request("header", "msg_id")


def after_each_cell(call: Callable[..., object]) -> None:
    """Call the function at the end of each cell from the running one on, however often it is registered."""
    if (running := shell()) is not None:
        running.events.register("post_run_cell", call)


def running_source() -> str:
    """Return the source of the running cell; an empty text if there is none."""
    return _of_request("content", "code")


def _of_request(part: str, name: str) -> str:
    """Return a text in the request that runs the cell; an empty text if there is none."""
    get_parent = getattr(shell(), "get_parent", None)
    parent = get_parent() if get_parent is not None else None
    fields = parent.get(part) if isinstance(parent, Mapping) else None
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, str) else ""


def warn(message: str) -> None:
    """Issue a ``UserWarning`` that points at the innermost stack frame outside this package."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def why_no_threads() -> str:
    """Return why this Python can never start a thread; an empty text if it can."""
    return tr(_PYODIDE) if sys.platform == "emscripten" else ""


def check_threads() -> None:
    """Raise an error where no task could be followed, because Python runs in a browser.

    Raises:
        QingboError: it does.
    """
    if reason := why_no_threads():
        raise QingboError(reason)


def is_marimo() -> bool:
    """Return whether a marimo notebook runs, whose page shows no Jupyter widgets and gets no files."""
    marimo = sys.modules.get("marimo")
    return bool(getattr(marimo, "running_in_notebook", bool)())


def why_no_cards() -> str:
    """Return why this host shows no card of a task, and what to do; an empty text if it does."""
    if in_notebook():
        return ""
    for module, name in _WITHOUT_CARDS.items():
        if module in sys.modules:
            return tr(_NO_CARDS).format(host=name)
    return ""


def is_solara() -> bool:
    """Return whether Solara shows this program as a page, which gets no files from its folder."""
    return type(shell()).__module__.startswith("solara.")
