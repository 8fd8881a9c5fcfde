"""The target of the results is named, with the host first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import qingbo_widgets as qw
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.contract.callbacks import callback_note


@pytest.fixture
def chinese() -> Iterator[None]:
    """The language of the messages, for a test."""
    set_locale("zh")
    yield
    set_locale(None)


def asked(url: object) -> qw.VideoRequest:
    """A request with this callback."""
    return qw.VideoRequest(prompt="A koi", callback_url=url)  # type: ignore[arg-type]


def test_without_a_callback_nothing_is_said() -> None:
    """Of any number of requests."""
    assert callback_note() == callback_note(asked(None), asked("")) == ""


def test_the_host_stands_before_the_address() -> None:
    """A login in front of the host is made to look like another host."""
    note = callback_note(asked("https://qingbo.dev@stranger.example:8443/collect?from=you"))
    assert "to stranger.example (https://qingbo.dev@stranger.example:8443/collect?from=you)" in note
    assert "link to the video" in note


def test_nothing_in_the_address_turns_the_line() -> None:
    """Nor is one as long as a page."""
    note = callback_note(asked("https://stranger.example/\u202egnp.exe\n" + "a" * 5000))
    assert note.isprintable()
    assert len(note) < 400


@pytest.mark.parametrize("url", ["https://[broken", "no address", 7])
def test_what_is_no_address_is_named_too(url: object) -> None:
    """The form has a problem with it, and says so elsewhere."""
    assert str(url) in callback_note(asked(url))


def test_several_are_counted() -> None:
    """Each once; a table of a stranger may have one in each row."""
    note = callback_note(*(asked(f"https://{name}.example") for name in "abcdeab"))
    assert all(f"{name}.example" in note for name in "abc")
    assert "d.example" not in note
    assert "2 more" in note


def test_in_chinese(chinese: None) -> None:
    """As everything that the user is to notice."""
    assert "视频链接" in callback_note(asked("https://stranger.example/collect"))
    assert "stranger.example" in callback_note(asked("https://stranger.example/collect"))
