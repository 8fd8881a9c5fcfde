"""What the interpreter around us is: a notebook's kernel, a terminal, a script."""

from __future__ import annotations

import sys
import warnings
from typing import Any

__all__ = ["in_notebook", "shell", "warn"]


def shell() -> Any:
    """The running IPython shell, ``None`` outside IPython, which is never imported just to ask."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_notebook() -> bool:
    """Whether a kernel runs us, so that widgets can be shown."""
    return getattr(shell(), "kernel", None) is not None


def warn(message: str) -> None:
    """A ``UserWarning`` that points at the first line on the stack that is not this package's."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
