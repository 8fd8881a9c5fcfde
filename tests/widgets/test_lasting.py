"""What a widget leaves in the notebook."""

from __future__ import annotations

from typing import Any

import ipywidgets

from qingbo_widgets.widgets.lasting import Lasting, display_html


def test_view_and_twin_are_two_outputs(cell: Any) -> None:
    """In one output the HTML would not be shown when the kernel is gone."""
    widget = ipywidgets.Label()
    Lasting(widget).show("<p>twin</p>")
    view, twin = cell.outputs.values()
    assert view["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert "text/html" not in view
    assert twin["text/html"].endswith("<p>twin</p>")
    widget.layout.close()
    widget.style.close()
    widget.close()


def test_replacing_leaves_html_alone(cell: Any) -> None:
    """In every cell that shows the widget, once; later words change nothing."""
    widget = ipywidgets.Label()
    shown = Lasting(widget)
    shown.show("twin")
    shown.show("twin")
    shown.keep("newer twin")
    assert cell.html == "newer twin" * 2
    shown.replace("end")
    shown.keep("late")
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
    display_html("<p>end</p>")
    assert (cell.html, cell.views) == ("<p>end</p>", 0)
