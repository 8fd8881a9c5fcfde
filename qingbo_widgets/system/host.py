"""The environment of this interpreter: a notebook's kernel, a terminal, or a script, and its host."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ..exceptions import QingboError
from ..i18n import N_, tr

__all__ = [
    "VOILA",
    "VSCODE_NOTEBOOK",
    "after_each_cell",
    "check_cards",
    "enable_custom_widgets",
    "host_without_files",
    "in_console",
    "in_notebook",
    "is_colab",
    "is_marimo",
    "is_solara",
    "is_voila",
    "is_vscode",
    "running_cell",
    "running_source",
    "shell",
    "warn",
    "why_no_cards",
]

#: The name of Voila in ``host_without_files``.
VOILA = "Voila"
#: Variables that a host sets in each of its kernels. Kaggle's have Colab's, too.
_MARKS = {
    "KAGGLE_KERNEL_RUN_TYPE": "Kaggle",
    "DEEPNOTE_PROJECT_ID": "Deepnote",
    "DATABRICKS_RUNTIME_VERSION": "Databricks",
}
#: The variable of the user that VS Code's Jupyter extension sets to the path of the notebook. Environment
#: variables prove nothing: a server that was started in a terminal of VS Code inherits them.
VSCODE_NOTEBOOK = "__vsc_ipynb_file__"
#: The modules by which Panel and Shiny show widgets. What a thread makes or changes is lost there.
_WITHOUT_CARDS = {"ipywidgets_bokeh": "Panel", "shinywidgets": "Shiny"}
_NO_CARDS = N_(
    "{host} would show neither the progress nor the video, so buttons that submit are off. In Python, "
    "generate(…), form.submit() and sweep.start() work, then wait()."
)


def shell() -> Any:
    """Return the running IPython shell; ``None`` outside IPython, which is not imported for this check."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel, so that widgets can be shown."""
    return getattr(shell(), "kernel", None) is not None


def in_console() -> bool:
    """Return whether the user types into a text console: IPython's own, or one with a kernel.

    A kernel knows ``jupyter console`` and its like only by the request that runs the cell: Python's client
    makes its id, with two underscores, and the user can be asked for input. Pages make other ids, and
    programs that run notebooks take no input.
    """
    if not in_notebook():
        return shell() is not None and sys.stderr.isatty()
    takes_input = _field_of_request("content", "allow_stdin") is True
    return takes_input and running_cell()[1].count("_") >= 2 and not running_cell()[0]


def is_colab() -> bool:
    """Return whether this is Google Colab, whose page gets no files from the kernel's machine."""
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def is_voila() -> bool:
    """Return whether Voila shows the notebook; its page gets only the files that its options allow."""
    return os.environ.get("SERVER_SOFTWARE", "").lower().startswith("voila/")


def is_marimo() -> bool:
    """Return whether a marimo notebook runs, whose page shows no Jupyter widgets and gets no files."""
    marimo = sys.modules.get("marimo")
    return bool(getattr(marimo, "running_in_notebook", bool)())


def is_solara() -> bool:
    """Return whether Solara shows this program as a page, which gets no files from its folder."""
    return type(shell()).__module__.startswith("solara.")


def host_without_files() -> str:
    """Return the name of the host if its page gets no videos from the kernel's machine; empty for others.

    Voila serves a video only if its options allow that, of which its kernels know nothing.
    """
    for variable, name in _MARKS.items():
        if variable in os.environ:
            return name
    checks = {"Colab": is_colab, "marimo": is_marimo, "Solara": is_solara, VOILA: is_voila}
    return next((name for name, is_here in checks.items() if is_here()), "")


def why_no_cards() -> str:
    """Return why this host shows no card of a task, and what to do; an empty text if it does."""
    if in_notebook():
        return ""
    for module, name in _WITHOUT_CARDS.items():
        if module in sys.modules:
            return tr(_NO_CARDS).format(host=name)
    return ""


def check_cards() -> None:
    """Raise an error where a click would spend money on videos that the page does not show.

    Raises:
        QingboError: this host shows no cards; nothing may be submitted by a click.
    """
    if reason := why_no_cards():
        raise QingboError(reason)


def is_vscode() -> bool:
    """Return whether VS Code, or an editor made of it, shows the notebook of this kernel."""
    return VSCODE_NOTEBOOK in getattr(shell(), "user_ns", {})


def enable_custom_widgets() -> None:
    """Have Colab load the widgets of other packages, such as anywidget's, in the outputs of this thread.

    Call it before the first of them is created. anywidget does the same for the whole kernel, only once, but
    Colab keeps the hook by thread: on a background thread it would be of no use to any cell.
    """
    output = sys.modules.get("google.colab.output")
    if output is not None and threading.current_thread() is threading.main_thread():
        output.enable_custom_widget_manager()


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
    value = _field_of_request(part, name)
    return value if isinstance(value, str) else ""


def _field_of_request(part: str, name: str) -> Any:
    """Return a value in the request that runs the cell; ``None`` if there is none."""
    get_parent = getattr(shell(), "get_parent", None)
    parent = get_parent() if get_parent is not None else None
    fields = parent.get(part) if isinstance(parent, Mapping) else None
    return fields.get(name) if isinstance(fields, Mapping) else None


def warn(message: str) -> None:
    """Issue a ``UserWarning`` that points at the innermost stack frame outside this package."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
