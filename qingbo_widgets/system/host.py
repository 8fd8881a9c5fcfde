"""The environment of this interpreter: a notebook's kernel, a terminal, or a script."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any

__all__ = ["in_notebook", "running_cell", "shell", "warn"]


def shell() -> Any:
    """Return the running IPython shell; ``None`` outside IPython, which is not imported for this check."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel, so that widgets can be shown."""
    return getattr(shell(), "kernel", None) is not None


def running_cell() -> tuple[str, str]:
    """Return the id of the running cell, and that of its run; empty texts if there is none.

    A page sends the id, which a cell keeps for its lifetime; a copy of the notebook has it too. A program
    that runs a notebook without a page, such as nbclient or papermill, sends none.
    """
    get_parent = getattr(shell(), "get_parent", None)
    parent = get_parent() if get_parent is not None else None
    if not isinstance(parent, Mapping):
        return "", ""
    ids = [
        part.get(name) if isinstance(part := parent.get(key), Mapping) else None
        for key, name in (("metadata", "cellId"), ("header", "msg_id"))
    ]
    cell, run = (value if isinstance(value, str) else "" for value in ids)
    return cell, run


def warn(message: str) -> None:
    """Issue a ``UserWarning`` that points at the innermost stack frame outside this package."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
