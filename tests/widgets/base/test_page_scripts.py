"""The scripts of a page: who gets them. Tests in JavaScript and in the browser cover what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qingbo_widgets.widgets.base import page_scripts
from qingbo_widgets.widgets.base.composite import Composite
from qingbo_widgets.widgets.base.sync import close_whole, refresher


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Yield the list of the scripts' widgets in a kernel of Jupyter's server; they are closed afterwards."""
    widgets: list[Any] = []
    monkeypatch.setattr(page_scripts, "_installed", widgets)
    monkeypatch.setattr(page_scripts, "in_notebook", lambda: True)
    monkeypatch.setattr(page_scripts, "INSTALL_AFTER", 0.0)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/user/test.ipynb")
    yield widgets
    for widget in widgets:
        close_whole(widget)


def test_each_script_is_sent_once(installed: list[Any], until: Callable[..., Any]) -> None:
    """The first widget sends the scripts to the page, and no other one does."""
    boxes = [Composite() for _ in range(3)]
    scripts = until(lambda: list(installed))
    assert [script._esm[:3] for script in scripts] == ["// "] * len(page_scripts.SCRIPTS)
    page_scripts.install()
    boxes.append(Composite())
    assert installed == scripts
    for box in boxes:
        box.close()
    assert all(script.comm for script in scripts), "the next widget of the page has no keys"


def test_closing_all_widgets_is_survived(installed: list[Any], until: Callable[..., Any]) -> None:
    """After ``Widget.close_all()``, the next widget sends the scripts again."""
    Composite().close()
    for script in until(lambda: list(installed)):
        close_whole(script)
    Composite().close()
    until(lambda: all(script.comm is not None for script in installed))


@pytest.mark.parametrize("lacks", ["a kernel", "a server"])
def test_without_a_page_there_is_no_script(
    installed: list[Any], monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    """Neither a script nor nbclient, which stores the widgets in the notebook, gets the scripts."""
    later: list[Any] = []
    monkeypatch.setattr(refresher, "later", lambda *given: later.append(given))
    Composite().close()
    assert len(later) == 1
    if lacks == "a kernel":
        monkeypatch.setattr(page_scripts, "in_notebook", lambda: False)
    else:
        monkeypatch.delenv("JPY_SESSION_NAME")
    Composite().close()
    assert len(later) == 1
