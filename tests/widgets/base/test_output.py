"""The visibility of widgets and their static copies in the notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.widgets.base import ipw
from qingbo_widgets.widgets.base.html import Markup
from qingbo_widgets.widgets.base.output import CellOutput, display_html, redraw_displays
from qingbo_widgets.widgets.base.sync import close_parts
from tests.places import StartKernel


class View(ipw.VBox):
    """A widget that counts how often it is drawn because it becomes visible."""

    def __init__(self, **traits: Any) -> None:
        self.drawn = 0
        self.cell_output = CellOutput(self, "draw")
        super().__init__(_view_count=0, **traits)

    def draw(self) -> None:
        """Count one drawing."""
        self.drawn += 1

    def page_shows(self, views: int) -> None:
        """Report the number of views as the page does."""
        self.set_state({"_view_count": views})


@pytest.fixture
def view() -> Iterator[View]:
    """Yield a widget whose views are counted."""
    view = View()
    yield view
    close_parts(view)
    view.close()


def test_outside_a_kernel_everything_counts_as_seen(view: View) -> None:
    """Outside a kernel there is no page to burden, so every widget is drawn."""
    assert view.cell_output.is_seen


def test_a_widget_that_was_never_displayed_is_not_seen(view: View, kernel: None) -> None:
    """A widget that was never displayed is not drawn."""
    assert not view.cell_output.is_seen
    assert view.drawn == 0


def test_a_displayed_widget_is_seen_without_a_page(view: View, kernel: None, cell: Any) -> None:
    """A displayed widget is drawn under nbclient, which has no page and stores the widgets' state."""
    view.cell_output.show(Markup("copy"))
    assert view.cell_output.is_seen
    assert view.drawn == 1


def test_the_views_of_the_page_decide_once_it_has_counted_them(view: View, kernel: None, cell: Any) -> None:
    """A cleared output counts as displayed in Python, but the page reports that it has no view."""
    view.cell_output.show(Markup("copy"))
    view.page_shows(1)
    view.page_shows(2)
    assert view.cell_output.is_seen
    view.page_shows(0)
    assert not view.cell_output.is_seen
    drawn = view.drawn
    view.page_shows(1)
    assert view.cell_output.is_seen
    assert view.drawn == drawn + 1


def test_a_widget_displayed_again_is_seen_immediately(view: View, kernel: None, cell: Any) -> None:
    """When a cell runs again, the widget is seen before the busy kernel receives the new view count."""
    view.cell_output.show(Markup("copy"))
    view.page_shows(1)
    view.page_shows(0)
    view.cell_output.show(Markup("copy"))
    assert view.cell_output.is_seen
    view.page_shows(1)
    view.page_shows(0)
    assert not view.cell_output.is_seen


def test_a_part_is_displayed_once(view: View, kernel: None, cell: Any) -> None:
    """Adding a part twice does not override the page's view count of the part."""
    parent = View()
    parent.cell_output.show(Markup("copy"))
    parent.cell_output.add_part(view.cell_output)
    view.page_shows(1)
    view.page_shows(0)
    parent.cell_output.add_part(view.cell_output)
    assert not view.cell_output.is_seen
    parent.cell_output.show(Markup("copy"))
    assert view.cell_output.is_seen
    close_parts(parent)
    parent.close()


def test_a_part_of_something_else_is_seen_as_soon_as_it_is(view: View, kernel: None) -> None:
    """A widget in a box of the user's own is seen as soon as the page reports a view."""
    view.page_shows(1)
    assert view.cell_output.is_seen
    assert view.drawn == 1


@pytest.mark.parametrize("is_late", [False, True])
def test_parts_are_displayed_with_the_whole(view: View, kernel: None, cell: Any, is_late: bool) -> None:
    """Parts added before and after the display are displayed with their parent."""
    parent, middle = ipywidgets.Label(), ipywidgets.Label()
    outer, inner = CellOutput(parent), CellOutput(middle)
    if is_late:
        outer.show(Markup("copy"))
    inner.add_part(view.cell_output)
    outer.add_part(inner)
    if not is_late:
        assert not view.cell_output.is_seen
        outer.show(Markup("copy"))
    assert view.cell_output.is_seen
    assert view.drawn == 1
    for label in (parent, middle):
        close_parts(label)
        label.close()


def test_view_and_static_copy_are_two_outputs(cell: Any) -> None:
    """The static copy is a separate output, because the view's output shows no HTML without a kernel."""
    widget = ipywidgets.Label()
    CellOutput(widget).show(Markup("<p>copy</p>"))
    view, copy = cell.outputs.values()
    assert view["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert "text/html" not in view
    assert copy["text/html"].endswith(Markup("<p>copy</p>"))
    widget.layout.close()
    widget.style.close()
    widget.close()


def test_replacing_leaves_html_alone(cell: Any) -> None:
    """Replacing removes the view in every cell, and later updates change nothing."""
    widget = ipywidgets.Label()
    shown = CellOutput(widget)
    shown.show(Markup("copy"))
    shown.show(Markup("copy"))
    shown.set_copy(Markup("newer copy"))
    assert cell.html == "newer copy" * 2
    shown.replace(Markup("end"))
    shown.set_copy(Markup("late"))
    assert cell.html == "end" * 2
    assert cell.views == 0
    widget.layout.close()
    widget.style.close()
    widget.close()


def test_each_widget_hides_its_own_static_copy() -> None:
    """The style of one card does not hide the static copy of another."""
    label = ipywidgets.Label()
    first, second = CellOutput(label), CellOutput(label)
    assert first.copy_class in first.style
    assert first.copy_class not in second.style
    label.layout.close()
    label.style.close()
    label.close()


def test_html_is_displayed_as_it_is(cell: Any) -> None:
    """HTML is displayed as one output without a widget."""
    display_html(Markup("<p>end</p>"), "end")
    assert (cell.html, cell.views) == (Markup("<p>end</p>"), 0)
    assert [data["text/plain"] for data in cell.outputs.values()] == ["end"]


class Redrawn(View):
    """A widget that a waiting cell can bring up to date."""

    def redraw_now(self) -> None:
        """Show the last state."""
        self.cell_output.set_copy(Markup("the last state"))


@pytest.mark.parametrize("cell_id", ["", "4e1"])
def test_a_waiting_cell_sends_what_a_run_without_a_page_has_lost(
    cell: Any, sent: Any, workdir: Path, start_kernel: StartKernel, cell_id: str
) -> None:
    """Output of a thread for an earlier cell is sent once more, but not to a page, which has shown it."""
    start_kernel(workdir, cell=cell_id)
    view, over = Redrawn(), View()
    view.cell_output.show(Markup("begins"))
    over.cell_output.show(Markup("begins"))
    over.cell_output.replace(Markup("the video"))
    cell.outputs.clear()  # nbclient drops what another thread has sent
    sent.clear()
    redraw_displays()
    is_lost = not cell_id
    assert ("the last state" in cell.html, "the video" in cell.html) == (is_lost, is_lost)
    assert any(widget is view for widget, _ in sent) == is_lost
    assert not any(widget is over for widget, _ in sent)
    cell.outputs.clear()
    sent.clear()
    redraw_displays()
    assert "the video" not in cell.html, "it is sent again although the running cell has sent it"
    assert sent == [], "an unchanged state is sent again"
    for widget in (view, over):
        close_parts(widget)
        widget.close()
    cell.outputs.clear()
    redraw_displays()
    assert cell.html == ""


def test_a_dead_view_gives_way_to_its_copy() -> None:
    """The style that hides the copy ends when ipywidgets marks the view as disconnected."""
    label = ipywidgets.Label()
    style = CellOutput(label).style
    (mark,) = re.findall(r'<i class="([\w-]+)" hidden="">', style)
    assert f":is(.jp-OutputArea, .cell_output):has(.jupyter-widgets-disconnected .{mark})" in style
    label.layout.close()
    label.style.close()
    label.close()


def test_the_parts_of_a_copy_are_sent_when_they_change(
    cell: Any, tmp_path: Path, start_kernel: StartKernel, kernel: None
) -> None:
    """In a page, each part of a static copy is an output of its own, and only changed parts are sent."""
    start_kernel(tmp_path, cell="a cell")
    view = View()
    view.cell_output.show(Markup("<p>new</p>"), "text", Markup(), Markup("<p>old</p>"))
    _, *names = cell.outputs
    assert len(names) == 3, "a cell that has ended gets no further outputs"
    assert cell.outputs[names[1]]["text/html"] == "", "an empty part shows something"
    cell.outputs.clear()
    view.cell_output.set_copy(Markup("<p>new</p>"), "text", Markup("<p>between</p>"), Markup("<p>old</p>"))
    assert list(cell.outputs) == [names[1]]
    view.page_shows(1)
    view.page_shows(2)  # the page was loaded again: it has the outputs of the saved notebook
    cell.outputs.clear()
    view.cell_output.set_copy(Markup("<p>new</p>"), "text", Markup("<p>between</p>"), Markup("<p>old</p>"))
    assert list(cell.outputs) == names
    view.cell_output.replace(Markup("<p>end</p>"))
    assert "".join(cell.outputs[name]["text/html"] for name in names) == ""
    close_parts(view)
    view.close()


def test_without_a_page_a_copy_is_one_output(
    cell: Any, tmp_path: Path, start_kernel: StartKernel, kernel: None
) -> None:
    """Without a page, as with nbclient, no empty outputs are saved, and no part of the copy is missing."""
    start_kernel(tmp_path, cell="")
    view = View()
    view.cell_output.show(Markup("<p>new</p>"), "text", Markup(), Markup("<p>old</p>"))
    assert len(cell.outputs) == 2
    view.cell_output.set_copy(Markup("<p>newer</p>"), "text", Markup("<p>between</p>"), Markup("<p>old</p>"))
    assert cell.html.endswith("<p>newer</p><p>between</p><p>old</p>")
    close_parts(view)
    view.close()
