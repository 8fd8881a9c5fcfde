"""Checks of URLs: which may receive the key, and which parts may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from qingbo_widgets.service.contract.urls import (
    base_url_refusal,
    is_private_host,
    is_web_url,
    public_url_refusal,
    redirect_target,
    web_link,
    without_query,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://qingbo.dev/v1",
        "http://127.0.0.1:8000/v1",
        "http://127.8.9.1",
        "http://localhost:1/v1",
        "http://[::1]:8000/v1",
        "http://127.1:8000/v1",
        "http://2130706433/v1",
    ],
)
def test_addresses_that_may_have_the_key(url: str) -> None:
    """The key may be sent to an https address or to this machine."""
    assert base_url_refusal(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://qingbo.dev/v1", "sent unencrypted"),
        ("http://localhost.evil.example/v1", "sent unencrypted"),
        ("http://10.0.0.1/v1", "sent unencrypted"),
        ("http://x.localhost/v1", "sent unencrypted"),  # its resolver may query the network
        ("http://134744072/v1", "sent unencrypted"),
        ("ftp://qingbo.dev", "not an http"),
        ("qingbo.dev/v1", "not an http"),
        ("https://", "not an http"),
        ("https://[::1", "not an http"),
        ("https://a.example:port/", "not an http"),
        ("https://user:word@qingbo.dev/v1", "only a host and a path"),
        ("https://qingbo.dev/v1?key=1", "only a host and a path"),
        ("https://qingbo.dev/v1#x", "only a host and a path"),
    ],
)
def test_addresses_that_must_not_have_the_key(url: str, reason: str) -> None:
    """The key must not be sent to any other address, and the reason is returned."""
    assert reason in (base_url_refusal(url) or "")


@pytest.mark.parametrize(
    "url", ["http://a.example/\x00", "http://a.example/\u200b", "http://a b/", 7, None, "//a"]
)
def test_what_is_no_web_url(url: object) -> None:
    """A URL with blanks or invisible characters is invalid."""
    assert not is_web_url(url)


@pytest.mark.parametrize("text", [r"\\nas\share\koi.png", "//nas/share/koi.png", r"\\?\UNC\nas\koi.png"])
def test_a_network_path_is_not_accessed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network path is never accessed, because Windows would send the user's login to that computer."""

    def refuse(self: Path) -> bool:
        raise AssertionError(f"looked at {self}")

    monkeypatch.setattr(Path, "exists", refuse)
    monkeypatch.setattr(Path, "is_file", refuse)
    assert public_url_refusal(text) is not None


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://localhost/a", True),
        ("http://[fd00::1]/a", True),
        ("http://172.16.0.1/", True),
        ("http://localhost./", True),
        ("http://x.localhost:8000/", True),
        ("http://X.LOCALHOST./", True),
        ("http://127.0.0.1./", True),
        ("http://127.1/", True),
        ("http://2130706433/", True),
        ("http://0x7f000001/", True),
        ("http://0/", True),
        ("http://10.1/", True),
        ("https://8.8.8.8/", False),
        ("https://134744072/", False),
        ("https://notlocalhost/", False),
        ("https://localhost.example/", False),
        ("https://a.example/", False),
        ("http://[", False),
    ],
)
def test_private_hosts(url: str, private: bool) -> None:
    """Hosts that only the local network can reach are private."""
    assert is_private_host(url) is private


def test_the_parts_that_may_be_shown() -> None:
    """``without_query`` drops signatures and passwords."""
    assert without_query("https://me:pw@cdn.example/v.mp4?sig=1#x") == "https://cdn.example/v.mp4"
    assert without_query("http://[") == "an unreadable URL"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/v1/videos/task-4/content",
        "ftp://a.example/v.mp4",
        "https://a b.example/v.mp4",
        "https:///v.mp4",
        "https://a.example:x/v.mp4",
        "http://127.0.0.1\\@a.example/v.mp4",
        "https://a.example/\ud800.mp4",
        None,
        7,
    ],
    ids=ascii,
)
def test_what_is_no_link(text: object) -> None:
    """A text without a host, with another scheme, or with an ambiguous host is no link to a video."""
    assert web_link(text) is None


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/a%2fb", "https://a.example/a%2fb"),
        ("//b.example/v", "https://b.example/v"),
        ("?q", "https://a.example/d/e?q"),
        ("x.mp4", "https://a.example/d/x.mp4"),
        ("../x.mp4", "https://a.example/x.mp4"),
        ("HTTP://b.example/v", "http://b.example/v"),
        ("", "https://a.example/d/e?old"),
        ("ftp://b.example/v", "ftp://b.example/v"),
        ("http://[", "http://["),
    ],
)
def test_the_target_of_a_redirect(location: str, target: str) -> None:
    """Every form of ``Location`` leads to its target; what is no web link is left for the refusal."""
    assert redirect_target("https://a.example/d/e?old", location) == target
