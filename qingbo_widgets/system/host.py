"""The environment of this interpreter: a notebook's kernel, a terminal, or a script, and its host."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

__all__ = ["in_notebook", "is_colab", "is_voila", "shell", "warn"]


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


def warn(message: str) -> None:
    """Issue a ``UserWarning`` that points at the innermost stack frame outside this package."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
