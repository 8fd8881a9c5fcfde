"""``late``: the names that are called upwards exist."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qingbo_widgets import late

NAMES = [name for name in late.__all__ if name != "Late"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_resolves(name: str) -> None:
    """A module that moves takes its name in the table along; a type checker would not notice."""
    assert callable(getattr(late, name).load())


def test_nothing_is_imported_before_the_call() -> None:
    """A script that follows tasks without showing them loads no widgets."""
    loaded = "import sys, qingbo_widgets.late; print([name for name in sys.modules if '.widgets' in name])"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).strip() == "[]"
