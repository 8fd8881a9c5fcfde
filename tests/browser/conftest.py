"""Fixtures of the tests that drive JupyterLab in a browser; the implementation is in harness.py."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from ensure_browser import find_browser
from harness import Lab, Notebook, NotebookPage, launch
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ARTIFACTS = Path(__file__).parent.parent / "artifacts"

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()
expect.set_options(timeout=30_000)  # milliseconds; four tests may share two cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as a slow browser test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record on the test item whether it failed, for the teardown of fixtures."""
    report = yield
    item.stash[FAILED] = report.failed or (report.when != "setup" and item.stash[FAILED])
    return report


class Shared:
    """The browser, and the loaded page of a module: tests share them because both take long to start."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self._open = ExitStack()
        self._browser: Browser | None = None
        self._context: BrowserContext | None = None
        self._module: Path | None = None

    def browser(self, executable: str) -> Browser:
        """Return the browser; start it if there is none or it has crashed."""
        if self._browser is None or not self._browser.is_connected():
            self.close()
            playwright = self._open.enter_context(sync_playwright())
            self._browser = launch(playwright, executable)
            self._open.callback(self._browser.close)
        return self._browser

    def enter(self, module: Path) -> None:
        """Close the page of another module; what the browser has stored of JupyterLab's files stays."""
        if module != self._module:
            for page in self.pages:
                page.close()
            self.pages.clear()
        self._module = module

    def new_page(self, browser: Browser, *, is_first: bool) -> Page:
        """Return an empty page; a test's second is as of another user."""
        if not is_first:
            return browser.new_context().new_page()
        self._context = self._context or browser.new_context()
        return self._context.new_page()

    def discard(self, page: Page) -> None:
        """Close a page with everything that the browser has stored of it."""
        if page.context is self._context:
            self._context = None
        page.context.close()

    def close(self) -> None:
        """Close the browser with its pages."""
        self.pages.clear()
        self._browser = self._context = self._module = None
        self._open.close()


SHARED = Shared()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """Close the browser after the last test of this folder.

    While Playwright runs, its event loop counts as running in this thread, and other tests could not call
    asyncio.run().
    """
    try:
        yield
    finally:
        if nextitem is None or HERE not in nextitem.path.parents:
            SHARED.close()


@pytest.fixture
def browser() -> Browser:
    """Return the browser, or skip the test with the reason if there is none."""
    executable = find_browser()
    if executable is None:
        reason = "no Chromium: set CHROMIUM=/path/to/chromium, or run 'make test' once with a network"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED.browser(executable)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one JupyterLab for all browser tests."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def notebook(browser: Browser, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """Yield ``notebook(cells)``, which opens a new notebook in its own folder, a test's second in a new page.

    The next test reuses the page unless this test failed, because a failed test may leave dialogs open.
    """
    SHARED.enter(request.path)
    loaded, opened = SHARED.pages, list[NotebookPage]()
    number = itertools.count()

    def open_notebook(
        cells: Sequence[str], *, name: str = "test.ipynb", path: Path | None = None, width: int = 1280
    ) -> NotebookPage:
        page = loaded.pop() if loaded else SHARED.new_page(browser, is_first=not opened)
        if path is None:
            folder = next(str(n) for n in number if not (lab.root / str(n)).exists())
            path = lab.write(f"{folder}/{name}", cells)
        opened.append(NotebookPage(lab, page, path, ARTIFACTS))
        return opened[-1].viewport(width).open()

    yield open_notebook
    try:
        for notebook_page in opened:
            if loaded or request.node.stash[FAILED]:
                SHARED.discard(notebook_page.page)
            else:
                notebook_page.leave()
                loaded.append(notebook_page.page)
    finally:
        lab.shut_down_kernels()
