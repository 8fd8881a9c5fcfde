"""Skipping of tests whose programs are not installed."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["skip_without"]


def skip_without(reason: str, remedy: str) -> NoReturn:
    """Skip the test, or fail it in CI, where everything must be tested.

    Args:
        reason: what is missing, a sentence without its full stop.
        remedy: the command that installs it.
    """
    message = f"{reason}. Install it: {remedy}."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
