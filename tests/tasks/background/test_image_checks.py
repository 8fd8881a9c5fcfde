"""``image_checks``: each image is fetched once, without blocking the caller."""

from __future__ import annotations

import threading

import pytest

from qingbo_widgets.service.http.image_probe import ImageReport, Size
from qingbo_widgets.tasks.background.image_checks import ImageReports
from tests.waiting import until

URL = "https://example.com/koi.png"
SERVICE = "https://service.example/v1"


class Looks:
    """Fake network: the checked URLs, a gate that blocks the checks, and the report they return."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.kept: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.report = ImageReport(URL, Size("PNG", 640, 360))

    def __call__(self, url: str, base_url: str, *, keep: int = 0) -> ImageReport:
        self.urls.append(url)
        self.kept.append(keep)
        assert self.gate.wait(20)
        return self.report


@pytest.fixture
def looks() -> Looks:
    """Return a fake network."""
    return Looks()


def test_an_image_is_looked_at_once(looks: Looks) -> None:
    """Requests during a check and after it share one fetch."""
    looks.gate.clear()
    pictures, done = ImageReports(looks), [threading.Event() for _ in range(2)]
    for event in done:
        pictures.check(URL, SERVICE, event.set)
    assert pictures.get(URL, SERVICE) is None
    looks.gate.set()
    assert all(event.wait(20) for event in done)
    assert pictures.get(URL, SERVICE) == looks.report
    again = threading.Event()
    pictures.check(URL, SERVICE, again.set)
    assert again.is_set(), "a known report calls back at once"
    assert looks.urls == [URL]


def test_a_server_that_was_not_reached_may_be_asked_again_later(looks: Looks) -> None:
    """The check of an unreachable server is repeated later; until then, its last report is kept."""
    now = [0.0]
    pictures = ImageReports(looks, lambda: now[0])
    looks.report = ImageReport(URL, doubt="…", is_transient=True)
    for _ in range(2):
        assert pictures.is_due(URL, SERVICE)
        event = threading.Event()
        pictures.check(URL, SERVICE, event.set)
        assert event.wait(20)
        assert not pictures.is_due(URL, SERVICE)
        now[0] += 60
        assert pictures.get(URL, SERVICE) == looks.report, "the warning would vanish by itself"
    assert looks.urls == [URL, URL]


def test_an_image_that_was_checked_is_not_due(looks: Looks) -> None:
    """A report that no second check would change is final."""
    now = [0.0]
    pictures, event = ImageReports(looks, lambda: now[0]), threading.Event()
    pictures.check(URL, SERVICE, event.set)
    assert event.wait(20)
    now[0] += 3600
    assert not pictures.is_due(URL, SERVICE)


def test_only_an_image_of_this_machine_is_kept(looks: Looks) -> None:
    """A public image is not kept, because it is shown by its URL."""
    pictures = ImageReports(looks)
    for url in (URL, "http://127.0.0.1:1/a.png"):
        event = threading.Event()
        pictures.check(url, "http://127.0.0.1:1", event.set)
        assert event.wait(20)
    assert looks.kept[0] == 0 < looks.kept[1]


def test_a_failing_callback_does_not_stop_the_others(looks: Looks, caplog: pytest.LogCaptureFixture) -> None:
    """The error of one form is logged, and the other form is still called."""

    def broken() -> None:
        raise RuntimeError("a bug")

    looks.gate.clear()
    pictures, done = ImageReports(looks), threading.Event()
    pictures.check(URL, SERVICE, broken)
    pictures.check(URL, SERVICE, done.set)
    looks.gate.set()
    assert done.wait(20)
    assert "a bug" in caplog.text


def test_a_failed_check_can_be_repeated(looks: Looks) -> None:
    """After a check that raised, the next request starts a new one."""

    def broken(*_: object, **__: object) -> ImageReport:
        looks.urls.append(URL)
        raise RuntimeError("a bug")

    pictures = ImageReports(broken)
    pictures.check(URL, SERVICE, lambda: None)
    until(lambda: looks.urls)

    def is_checked_again() -> bool:
        pictures.check(URL, SERVICE, lambda: None)
        return len(looks.urls) > 1

    until(is_checked_again)
