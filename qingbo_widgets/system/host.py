"""The environment of this interpreter: a notebook's kernel, a terminal, or a script."""

from __future__ import annotations

import sys
import warnings
from typing import Any

__all__ = ["in_notebook", "shell", "warn"]


def shell() -> Any:
    """Return the running IPython shell; ``None`` outside IPython, which is not imported for this check."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel, so that widgets can be shown."""
    return getattr(shell(), "kernel", None) is not None


def warn(message: str) -> None:
    """Issue a ``UserWarning`` that points at the innermost stack frame outside this package."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
