"""Creating widgets takes as few messages to the page as possible."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.tasks.background.key_checks import key_checks
from qingbo_widgets.widgets.base import build as making
from qingbo_widgets.widgets.base.build import (
    button,
    create_shared,
    create_widget,
    focus,
    newest_first,
    style_sheet,
)
from qingbo_widgets.widgets.base.html import CSS
from qingbo_widgets.widgets.base.key_field import KeyEntry
from qingbo_widgets.widgets.base.sync import close_parts, share
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from tests.widgets.page import classes_of, send_click, tooltip_of

Count = Callable[[], int]


@pytest.fixture(autouse=True)
def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove shared widgets that other tests have left open."""
    monkeypatch.setattr(making, "_shared", weakref.WeakValueDictionary())


def close(*widgets: ipywidgets.Widget) -> None:
    """Close widgets as our own widgets close themselves."""
    for widget in widgets:
        close_parts(widget)
        widget.close()


def test_everything_is_in_the_message_that_makes_it(sent: list[Any]) -> None:
    """The message that creates a widget includes its tooltip and classes."""
    button = create_widget(ipywidgets.Button, "Explained", "one", "two", description="Press")
    assert (tooltip_of(button), classes_of(button)) == ("Explained", ("one", "two"))
    assert sent == []
    close(button)


def test_similar_widgets_share_layout_and_style(live_widgets: Count) -> None:
    """Ten buttons share one layout and one style, each of which is a widget on the page."""
    before = live_widgets()
    size = {"width": "auto"}
    buttons = [create_shared(ipywidgets.Button, layout=size, description=str(n)) for n in range(10)]
    assert live_widgets() - before == 12
    other = create_shared(ipywidgets.Button, layout={"width": "50%"})
    assert other.style is buttons[0].style
    assert other.layout is not buttons[0].layout
    close(other, *buttons)
    assert live_widgets() == before


def test_a_shared_part_is_closed_with_its_last_user(live_widgets: Count) -> None:
    """Shared parts stay open until the last user closes, and later widgets get new ones."""
    before = live_widgets()
    first, second = create_shared(ipywidgets.HTML), create_shared(ipywidgets.HTML)
    close(first)
    close(first)
    assert second.layout.comm is not None
    assert second.style.comm is not None
    close(second)
    assert live_widgets() == before
    third = create_shared(ipywidgets.HTML)
    assert third.layout.comm is not None
    close(third)


def test_one_style_sheet_does_for_all(live_widgets: Count) -> None:
    """The style sheet is a child of each box and closes with the last box."""
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
    """A shared part with a single user closes with that user."""
    box, part = ipywidgets.VBox(), ipywidgets.HTML()
    box.children = [part]
    share(part, box)
    close(box)
    assert part.comm is None


@pytest.mark.parametrize("make", [lambda: ConnectPanel(lambda _: None)], ids=["connect panel"])
def test_creating_a_panel_sends_no_updates(make: Callable[[], Any], sent: list[Any]) -> None:
    """Creating a panel sends no updates for widgets that it has just created."""
    widget = make()
    assert sent == []
    widget.close()


def test_a_column_is_appended_to_and_shown_the_other_way_round(live_widgets: Count) -> None:
    """The last child is on top, so that no earlier child is drawn again, and Tab follows what is seen."""
    before = live_widgets()
    column = newest_first()
    assert column.layout.flex_flow == "column-reverse"
    (name,) = classes_of(column)
    assert f".{name}{{reading-flow:flex-visual}}" in CSS
    close(column)
    assert live_widgets() == before


#: The time of a click by the page's clock, and the class with which the page moves the focus after it.
CLICKED = {"session": "s", "date": datetime(2026, 11, 30, 9, tzinfo=UTC)}
WISH = "qingbo-focus-1796029200000"


@pytest.fixture
def has_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page have the scripts."""
    monkeypatch.setattr(making, "has_scripts", lambda: True)


@pytest.mark.usefixtures("has_page")
def test_the_focus_is_wished_for_with_the_time_of_the_click(
    monkeypatch: pytest.MonkeyPatch, until: Callable[[Callable[[], object]], None]
) -> None:
    """The page learns for a moment after which click the focus should move, and decides itself."""
    monkeypatch.setattr(making, "_WISHED", 0.0)
    field = ipywidgets.Text()
    seen: list[tuple[str, ...]] = []
    field.observe(lambda change: seen.append(change["new"]), "_dom_classes")
    pressed = button("Use settings", "", lambda: focus(field))
    send_click(pressed, CLICKED)
    assert seen[0] == (WISH,), "the form takes the focus from a control that the user has moved to"
    until(lambda: classes_of(field) == ())
    close(field, pressed)


@pytest.mark.parametrize("has_scripts", [False, True])
def test_without_a_time_or_a_script_the_focus_is_moved(
    monkeypatch: pytest.MonkeyPatch, has_scripts: bool
) -> None:
    """A page that cannot decide moves the focus, as ipywidgets does."""
    monkeypatch.setattr(making, "has_scripts", lambda: has_scripts)
    field, moved = ipywidgets.Text(), list[int]()
    monkeypatch.setattr(field, "focus", lambda: moved.append(1), raising=False)
    pressed = button("Use settings", "", lambda: focus(field))
    send_click(pressed, {} if has_scripts else CLICKED)
    assert moved == [1]
    close(field, pressed)


@pytest.mark.usefixtures("has_page")
def test_a_check_on_another_thread_knows_the_click(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer about a key comes later; a user who types elsewhere by then keeps the focus."""
    answers: list[Callable[[Any], None]] = []
    monkeypatch.setattr(key_checks, "check", lambda _, done: answers.append(done))
    entry = KeyEntry("Use this key", lambda: None)
    monkeypatch.setattr(entry, "_carry_out", lambda *_: entry.fail("The service does not accept this key."))
    client: Any = None
    pressed = button("Use this key", "", lambda: entry.check(client, lambda _: None))
    send_click(pressed, CLICKED)
    thread = threading.Thread(target=answers[0], args=(None,))
    thread.start()
    thread.join()
    assert WISH in classes_of(entry.field)
    close(pressed)
