"""A wait for conditions that other threads and processes fulfil."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["until"]


def until(condition: Callable[[], Any], patience: float = 60.0) -> Any:
    """Poll a condition until it is true, and return its value. Never wait for a fixed time.

    Args:
        condition: the function to poll.
        patience: seconds after which the test fails.
    """
    end = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < end, f"the condition did not come true within {patience:g} s"
        threading.Event().wait(0.01)
    return value
