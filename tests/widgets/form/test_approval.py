"""The URLs and paths that were filled in, however the controls write them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.widgets.form.approval import is_unapproved, without


def form_with(*texts: str) -> Any:
    """Return a form with these texts filled in."""
    return SimpleNamespace(unapproved=frozenset(texts))


@pytest.mark.parametrize("text", ["/a/b.png", "  /a/b.png\n", "x /a/b.png", "/a/b.png x", "x\n/a/b.png y"])
def test_a_path_in_a_text_that_was_filled_in_is_unapproved(text: str) -> None:
    """A control that divides or strips the text does not make another path of it."""
    assert is_unapproved(form_with(text), "/a/b.png")
    assert is_unapproved(form_with(text), " /a/b.png")


def test_a_path_with_blanks_is_one_path() -> None:
    """The path of a file whose name has blanks is found as a whole."""
    assert is_unapproved(form_with("x\n/a/my b.png"), "/a/my b.png")


@pytest.mark.parametrize("place", ["/a/b.pn", "a/b.png", "/a/b.png2", "", " ", None, 5])
def test_any_other_place_is_not(place: object) -> None:
    """A path that the user types is another one, even if it is a part of that one."""
    assert not is_unapproved(form_with("/a/b.png"), place)


def test_what_is_approved_is_approved_alone() -> None:
    """The click on one file allows no other."""
    left = without(["/a/b.png", "/a/b.png /c.png", "/a/b.png?2", " /a/b.png"], ["/a/b.png"])
    assert left == {" /c.png", "/a/b.png?2"}
    assert not is_unapproved(form_with(*left), "/a/b.png")
    assert is_unapproved(form_with(*left), "/c.png")
