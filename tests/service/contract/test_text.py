"""``text``: texts of users and of the service, on one line."""

from __future__ import annotations

from qingbo_widgets.service.contract.text import shorten


def test_shorten_cuts_on_one_line_and_drops_what_cannot_be_seen() -> None:
    """A prompt with line breaks or bidi control characters becomes one plain line."""
    assert shorten("a\n\n b\u202ec") == "a bc"
    assert shorten("x" * 300, 10) == "x" * 9 + "…"
    assert shorten("koi in a pond", 9) == "koi in a…", "a blank stands before the ellipsis"
