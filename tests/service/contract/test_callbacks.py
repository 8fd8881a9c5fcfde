"""``callback_note`` names the receiver of the results, with the host first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import qingbo_widgets as qw
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.contract.callbacks import callback_note


@pytest.fixture
def chinese() -> Iterator[None]:
    """Set the language to Chinese for a test."""
    set_locale("zh")
    yield
    set_locale(None)


def request_to(url: object) -> qw.VideoRequest:
    """Return a request with this callback."""
    return qw.VideoRequest(prompt="A koi", callback_url=url)  # type: ignore[arg-type]


def test_there_is_no_note_without_a_callback() -> None:
    """The note is empty for any number of requests without a callback."""
    assert callback_note() == callback_note(request_to(None), request_to("")) == ""


def test_the_host_stands_before_the_address() -> None:
    """The host comes first, because a login in the URL can look like another host."""
    note = callback_note(request_to("https://qingbo.dev@stranger.example:8443/collect?from=you"))
    assert "to stranger.example (https://qingbo.dev@stranger.example:8443/collect?from=you)" in note
    assert "link to the video" in note


def test_nothing_in_the_address_turns_the_line() -> None:
    """Control characters are dropped and long URLs are shortened."""
    note = callback_note(request_to("https://stranger.example/\u202egnp.exe\n" + "a" * 5000))
    assert note.isprintable()
    assert len(note) < 400


@pytest.mark.parametrize("url", ["https://[broken", "no address", 7])
def test_what_is_no_address_is_named_too(url: object) -> None:
    """An invalid URL is shown too; the form reports its problem elsewhere."""
    assert str(url) in callback_note(request_to(url))


def test_several_are_counted() -> None:
    """At most three distinct URLs are named, and the rest are counted."""
    note = callback_note(*(request_to(f"https://{name}.example") for name in "abcdeab"))
    assert all(f"{name}.example" in note for name in "abc")
    assert "d.example" not in note
    assert "2 more" in note


def test_in_chinese(chinese: None) -> None:
    """The note is translated."""
    assert "视频链接" in callback_note(request_to("https://stranger.example/collect"))
    assert "stranger.example" in callback_note(request_to("https://stranger.example/collect"))
