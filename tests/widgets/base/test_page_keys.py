"""The script for the keys of controls: who gets it. page_keys.test.js and a browser test cover the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qingbo_widgets.widgets.base import page_keys
from qingbo_widgets.widgets.base.composite import Composite
from qingbo_widgets.widgets.base.html import Markup
from qingbo_widgets.widgets.base.output import display_html
from qingbo_widgets.widgets.base.sync import close_whole, refresher


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Yield the list of the script's widgets in a kernel of Jupyter's server; they are closed afterwards."""
    widgets: list[Any] = []
    monkeypatch.setattr(page_keys, "_installed", widgets)
    monkeypatch.setattr(page_keys, "in_notebook", lambda: True)
    monkeypatch.setattr(page_keys, "INSTALL_AFTER", 0.0)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/user/test.ipynb")
    yield widgets
    for widget in widgets:
        close_whole(widget)


def test_one_script_does_for_all(installed: list[Any], until: Callable[..., Any]) -> None:
    """The first widget sends the script to the page, and no other one does."""
    boxes = [Composite() for _ in range(3)]
    (script,) = until(lambda: list(installed))
    page_keys.install()
    boxes.append(Composite())
    assert installed == [script]
    for box in boxes:
        box.close()
    assert script.comm is not None, "the next widget of the page has no keys"


def test_closing_all_widgets_is_survived(installed: list[Any], until: Callable[..., Any]) -> None:
    """After ``Widget.close_all()``, the next widget sends the script again."""
    Composite().close()
    (script,) = until(lambda: list(installed))
    close_whole(script)
    Composite().close()
    until(lambda: installed[0].comm is not None)


@pytest.mark.parametrize("lacks", ["a kernel", "a server"])
def test_without_a_page_there_is_no_script(
    installed: list[Any], monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    """Neither a script nor nbclient, which stores the widgets in the notebook, gets the listener."""
    later: list[Any] = []
    monkeypatch.setattr(refresher, "later", lambda *given: later.append(given))
    Composite().close()
    assert len(later) == 1
    if lacks == "a kernel":
        monkeypatch.setattr(page_keys, "in_notebook", lambda: False)
    else:
        monkeypatch.delenv("JPY_SESSION_NAME")
    Composite().close()
    assert len(later) == 1


@pytest.mark.parametrize("part", ["<video controls></video>", '<a href="x">x</a>', "<summary>x</summary>"])
def test_outputs_keep_keys_without_a_script(cell: Any, part: str) -> None:
    """An output with something that can have the focus has a handler, which is safe inside its attribute."""
    display_html(Markup(part), "")
    assert cell.html.startswith('<div onkeydown="')
    assert cell.html.endswith(f"{part}</div>")
    handler = cell.html.removeprefix('<div onkeydown="').partition('"')[0]
    assert "lm-suppress-shortcuts" in handler
    assert "<" not in handler


def test_an_output_without_controls_has_no_handler(cell: Any) -> None:
    """Text alone never has the focus."""
    display_html(Markup("<p>text</p>"), "")
    assert cell.html == "<p>text</p>"
