"""``late``: the names in higher layers exist."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qingbo_widgets import late

NAMES = [name for name in late.__all__ if name != "LazyCallable"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_resolves(name: str) -> None:
    """Every name resolves, even after a module has moved; a type checker would not notice."""
    assert callable(getattr(late, name).load())


def test_a_call_for_widgets_that_do_not_exist_imports_none() -> None:
    """A script that waits for a task shows nothing, and loads no widgets to find that out."""
    script = (
        "import sys; from qingbo_widgets.late import redraw_displays as redraw; redraw.call_if_imported(); "
        "print([name for name in sys.modules if '.widgets' in name])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_nothing_is_imported_before_the_call() -> None:
    """Importing ``late`` imports no widgets, so a script that shows none loads none."""
    script = "import sys, qingbo_widgets.late; print([name for name in sys.modules if '.widgets' in name])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
