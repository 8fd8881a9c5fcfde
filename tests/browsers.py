"""The browser that tests drive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ensure_browser import find_browser
from harness import launch
from playwright.sync_api import Browser, sync_playwright

from tests.missing import skip_without

__all__ = ["started_browser"]


@contextmanager
def started_browser() -> Iterator[Browser]:
    """Yield a browser without a window, or skip the test with the reason if there is none.

    Use it in a fixture with the scope of a package, not of the session: while Playwright runs, its event loop
    counts as running in this thread, and tests in other folders could not call ``asyncio.run()``.
    """
    executable = find_browser()
    if executable is None:
        skip_without("There is no Chromium", "CHROMIUM=/path/to/chromium, or 'make test' with a network")
    with sync_playwright() as playwright:
        browser = launch(playwright, executable)
        yield browser
        browser.close()
