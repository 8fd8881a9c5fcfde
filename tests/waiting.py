"""Waiting for what other threads and processes do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["until"]


def until(condition: Callable[[], Any], patience: float = 60.0) -> Any:
    """Ask again and again until the answer is true, and return it. Never wait for a time.

    Args:
        condition: asked.
        patience: seconds after which it fails.
    """
    end = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < end, f"the condition did not come true within {patience:g} s"
        threading.Event().wait(0.01)
    return answer
