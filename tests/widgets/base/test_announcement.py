"""Announcements for screen readers. Their handler runs in tests/browser/test_outputs.py."""

from __future__ import annotations

from html import unescape

from qingbo_widgets.widgets.base.announcement import announcement


def test_an_announcement_is_invisible() -> None:
    """The announcement shows nothing, and its image is never loaded."""
    made = announcement("task-1", "Finished: a koi")
    assert made.startswith('<img hidden="" alt="" src="data:,"')
    assert 'data-sender="task-1" data-text="Finished: a koi"' in made


def test_the_text_cannot_leave_its_attribute() -> None:
    """A prompt with quotes and markup stays the value of an attribute, outside the handler."""
    hostile = '" onload="alert(1)" \'><script>alert(2)</script>'
    made = announcement("task-1", hostile)
    assert "<script" not in made
    assert made.count('"') == announcement("task-1", "koi").count('"')
    assert hostile in unescape(made)
