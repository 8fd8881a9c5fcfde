"""What a widget leaves in the notebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.widgets.base import ipw
from qingbo_widgets.widgets.base.html import Markup
from qingbo_widgets.widgets.base.output import Lasting, display_html
from qingbo_widgets.widgets.base.sync import close_parts


class View(ipw.VBox):
    """Counts how often it is drawn because somebody begins to look."""

    def __init__(self, **given: Any) -> None:
        self.drawn = 0
        self.lasting = Lasting(self, "draw")
        super().__init__(_view_count=0, **given)

    def draw(self) -> None:
        """Somebody looks."""
        self.drawn += 1

    def page_shows(self, views: int) -> None:
        """The page tells how many views it has."""
        self.set_state({"_view_count": views})


@pytest.fixture
def view() -> Iterator[View]:
    """A widget whose views are counted."""
    view = View()
    yield view
    close_parts(view)
    view.close()


def test_outside_a_kernel_everything_counts_as_seen(view: View) -> None:
    """There is no page to burden, and scripts and tests find what is drawn."""
    assert view.lasting.is_seen


def test_what_was_never_displayed_is_not_seen(view: View, kernel: None) -> None:
    """Nobody has asked for it."""
    assert not view.lasting.is_seen
    assert view.drawn == 0


def test_what_was_displayed_is_seen_where_no_page_counts(view: View, kernel: None, cell: Any) -> None:
    """A notebook is run without a page by nbclient, which stores what the widgets show."""
    view.lasting.show(Markup("twin"))
    assert view.lasting.is_seen
    assert view.drawn == 1


def test_the_views_of_the_page_decide_once_it_has_counted_them(view: View, kernel: None, cell: Any) -> None:
    """An output that is cleared is displayed by Python for ever; the page knows better."""
    view.lasting.show(Markup("twin"))
    view.page_shows(1)
    view.page_shows(2)
    assert view.lasting.is_seen
    view.page_shows(0)
    assert not view.lasting.is_seen
    drawn = view.drawn
    view.page_shows(1)
    assert view.lasting.is_seen
    assert view.drawn == drawn + 1


def test_what_is_displayed_again_is_seen_at_once(view: View, kernel: None, cell: Any) -> None:
    """A cell that is run again: the old view is gone, and of the new one the busy kernel hears late."""
    view.lasting.show(Markup("twin"))
    view.page_shows(1)
    view.page_shows(0)
    view.lasting.show(Markup("twin"))
    assert view.lasting.is_seen
    view.page_shows(1)
    view.page_shows(0)
    assert not view.lasting.is_seen


def test_a_part_is_displayed_once(view: View, kernel: None, cell: Any) -> None:
    """However often the whole says that it contains it: the page's word about the part counts."""
    whole = View()
    whole.lasting.show(Markup("twin"))
    whole.lasting.contain(view.lasting)
    view.page_shows(1)
    view.page_shows(0)
    whole.lasting.contain(view.lasting)
    assert not view.lasting.is_seen
    whole.lasting.show(Markup("twin"))
    assert view.lasting.is_seen
    close_parts(whole)
    whole.close()


def test_a_part_of_something_else_is_seen_as_soon_as_it_is(view: View, kernel: None) -> None:
    """A box of the user's own making: only the page can know."""
    view.page_shows(1)
    assert view.lasting.is_seen
    assert view.drawn == 1


@pytest.mark.parametrize("is_late", [False, True])
def test_parts_are_displayed_with_the_whole(view: View, kernel: None, cell: Any, is_late: bool) -> None:
    """Those that are there, and those that come later."""
    whole, between = ipywidgets.Label(), ipywidgets.Label()
    outer, inner = Lasting(whole), Lasting(between)
    if is_late:
        outer.show(Markup("twin"))
    inner.contain(view.lasting)
    outer.contain(inner)
    if not is_late:
        assert not view.lasting.is_seen
        outer.show(Markup("twin"))
    assert view.lasting.is_seen
    assert view.drawn == 1
    for label in (whole, between):
        close_parts(label)
        label.close()


def test_view_and_twin_are_two_outputs(cell: Any) -> None:
    """In one output the HTML would not be shown when the kernel is gone."""
    widget = ipywidgets.Label()
    Lasting(widget).show(Markup("<p>twin</p>"))
    view, twin = cell.outputs.values()
    assert view["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert "text/html" not in view
    assert twin["text/html"].endswith(Markup("<p>twin</p>"))
    widget.layout.close()
    widget.style.close()
    widget.close()


def test_replacing_leaves_html_alone(cell: Any) -> None:
    """In every cell that shows the widget, once; later words change nothing."""
    widget = ipywidgets.Label()
    shown = Lasting(widget)
    shown.show(Markup("twin"))
    shown.show(Markup("twin"))
    shown.keep(Markup("newer twin"))
    assert cell.html == "newer twin" * 2
    shown.replace(Markup("end"))
    shown.keep(Markup("late"))
    assert cell.html == "end" * 2
    assert cell.views == 0
    widget.layout.close()
    widget.style.close()
    widget.close()


def test_each_widget_hides_its_own_twin() -> None:
    """The style of one card does not hide the twin of another."""
    label = ipywidgets.Label()
    one, other = Lasting(label), Lasting(label)
    assert one.twin_class in one.style
    assert one.twin_class not in other.style
    label.layout.close()
    label.style.close()
    label.close()


def test_html_is_displayed_as_it_is(cell: Any) -> None:
    """One output, no widget."""
    display_html(Markup("<p>end</p>"))
    assert (cell.html, cell.views) == (Markup("<p>end</p>"), 0)
