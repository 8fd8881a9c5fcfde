"""Fixtures of the tests that drive JupyterLab in a browser; the implementation is in harness.py."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest
from harness import Lab, Notebook, NotebookPage
from playwright.sync_api import Browser, Page, expect

from tests.browsers import started_browser

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


# Package scope, not session scope: while Playwright runs, its event loop counts as running in this thread,
# and tests in other folders could not call asyncio.run().
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Yield the browser, or skip the test with the reason if there is none."""
    with started_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one JupyterLab for all browser tests."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="package")
def loaded(browser: Browser) -> Iterator[list[Page]]:
    """Yield a list with the loaded page of the folder, which tests share because loading takes long."""
    pages: list[Page] = []
    yield pages
    for page in pages:
        page.context.close()


@pytest.fixture
def notebook(
    browser: Browser, lab: Lab, loaded: list[Page], request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    """Yield ``notebook(cells)``, which opens a new notebook in its own folder, a test's second in a new page.

    The next test reuses the page unless this test failed, because a failed test may leave dialogs open.
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
        for notebook_page in opened:
            if loaded or request.node.stash[FAILED]:
                notebook_page.page.context.close()
            else:
                notebook_page.leave()
                loaded.append(notebook_page.page)
    finally:
        lab.shut_down_kernels()
