"""Widgets in as few messages as will do."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.widgets.base import build as making
from qingbo_widgets.widgets.base.build import alike, made, style_sheet
from qingbo_widgets.widgets.base.sync import close_parts, share
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from tests.widgets.page import classes_of, tooltip_of

Count = Callable[[], int]


@pytest.fixture(autouse=True)
def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have left open is not in common with what is made here."""
    monkeypatch.setattr(making, "_shared", weakref.WeakValueDictionary())


def close(*widgets: ipywidgets.Widget) -> None:
    """As each of our widgets closes itself."""
    for widget in widgets:
        close_parts(widget)
        widget.close()


def test_everything_is_in_the_message_that_makes_it(sent: list[Any]) -> None:
    """Tooltip and classes are no second and third message."""
    button = made(ipywidgets.Button, "Explained", "one", "two", description="Press")
    assert (tooltip_of(button), classes_of(button)) == ("Explained", ("one", "two"))
    assert sent == []
    close(button)


def test_what_is_made_alike_shares_layout_and_style(live_widgets: Count) -> None:
    """Each of them is a widget that the page has to be told of."""
    before = live_widgets()
    size = {"width": "auto"}
    buttons = [alike(ipywidgets.Button, layout=size, description=str(n)) for n in range(10)]
    assert live_widgets() - before == 12
    other = alike(ipywidgets.Button, layout={"width": "50%"})
    assert other.style is buttons[0].style
    assert other.layout is not buttons[0].layout
    close(other, *buttons)
    assert live_widgets() == before


def test_what_is_shared_is_closed_with_the_last(live_widgets: Count) -> None:
    """However often one of them is closed; and what comes afterwards gets open ones."""
    before = live_widgets()
    first, second = alike(ipywidgets.HTML), alike(ipywidgets.HTML)
    close(first)
    close(first)
    assert second.layout.comm is not None
    assert second.style.comm is not None
    close(second)
    assert live_widgets() == before
    third = alike(ipywidgets.HTML)
    assert third.layout.comm is not None
    close(third)


def test_one_style_sheet_does_for_all(live_widgets: Count) -> None:
    """It is a child of each card, and no card takes it from another."""
    before = live_widgets()
    boxes = [ipywidgets.VBox(), ipywidgets.VBox()]
    for box in boxes:
        box.children = [style_sheet(box)]
    (sheet,) = {box.children[0] for box in boxes}
    close(boxes[0])
    assert sheet.comm is not None
    close(boxes[1])
    assert sheet.comm is None
    assert live_widgets() == before


def test_a_part_that_is_shared_with_nobody_is_closed() -> None:
    """A share of one."""
    box, part = ipywidgets.VBox(), ipywidgets.HTML()
    box.children = [part]
    share(part, box)
    close(box)
    assert part.comm is None


@pytest.mark.parametrize("make", [lambda: ConnectPanel(lambda _: None)], ids=["connect panel"])
def test_nothing_is_told_of_twice(make: Callable[[], Any], sent: list[Any]) -> None:
    """Making it sends no update of what was made a moment before."""
    widget = make()
    assert sent == []
    widget.close()
