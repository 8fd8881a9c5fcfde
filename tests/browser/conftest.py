"""Fixtures for the tests that drive JupyterLab in a browser; the machinery is in harness.py."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest
from ensure_browser import find_browser
from harness import Lab, Notebook, NotebookPage, launch
from playwright.sync_api import Browser, Page, expect, sync_playwright

ARTIFACTS = Path(__file__).parent.parent / "artifacts"

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()
expect.set_options(timeout=30_000)  # milliseconds; two cores may have four tests to serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(item.path.stem))  # a loaded page for a module


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes on the test that it has failed, for the fixtures that end after it."""
    report = yield
    item.stash[FAILED] = report.failed or (report.when != "setup" and item.stash[FAILED])
    return report


# Module scope, not session: while Playwright runs, its event loop counts as running in this thread,
# and no test elsewhere could use asyncio.run().
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, or a skip that says why there is none."""
    executable = find_browser()
    if executable is None:
        reason = "no Chromium: set CHROMIUM=/path/to/chromium, or run 'make test' once with a network"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch(playwright, executable)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all browser tests."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def loaded(browser: Browser) -> Iterator[list[Page]]:
    """The page of the module's tests, once there is one. Loading JupyterLab takes longer than most tests."""
    pages: list[Page] = []
    yield pages
    for page in pages:
        page.context.close()


@pytest.fixture
def notebook(
    browser: Browser, lab: Lab, loaded: list[Page], request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    """``notebook(cells)`` opens a new notebook in a folder of its own, a test's second one in a new page.

    The page is handed to the next test, unless this one failed: who knows what it left open.
    """
    opened: list[NotebookPage] = []
    number = itertools.count()

    def open_notebook(
        cells: Sequence[str], *, name: str = "test.ipynb", path: Path | None = None, width: int = 1280
    ) -> NotebookPage:
        page = loaded.pop() if loaded else browser.new_context().new_page()
        if path is None:
            folder = next(str(n) for n in number if not (lab.root / str(n)).exists())
            path = lab.write(f"{folder}/{name}", cells)
        opened.append(NotebookPage(lab, page, path, ARTIFACTS))
        return opened[-1].viewport(width).open()

    yield open_notebook
    try:
        for one in opened:
            if loaded or request.node.stash[FAILED]:
                one.page.context.close()
            else:
                one.leave()
                loaded.append(one.page)
    finally:
        lab.shut_down_kernels()
