"""JupyterLab in Chromium, driven by the harness of the browser tests."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .parts import ROOT

sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "browser")]

from ensure_browser import find_browser  # noqa: E402 - on the path set above
from harness import PANEL, Lab, NotebookPage, launch  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

__all__ = ["PANEL", "VISIBLE", "Lab", "NotebookPage", "opened", "pages"]

#: A JavaScript function that returns whether an element is visible.
VISIBLE = "const visible = e => Boolean(e && e.offsetParent && e.getBoundingClientRect().height > 0);"


@contextmanager
def pages() -> Iterator[tuple[Lab, Browser]]:
    """Start a JupyterLab and a browser.

    Raises:
        RuntimeError: there is no browser.
    """
    executable = find_browser()
    if executable is None:
        raise RuntimeError("no Chromium: set CHROMIUM=/path/to/chromium, or run tools/ensure_browser.py")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        # The package in this repository, which may differ from the installed one.
        Lab(Path(folder), {"PYTHONPATH": str(ROOT)}) as lab,
        sync_playwright() as playwright,
        launch(playwright, executable) as browser,
    ):
        yield lab, browser


@contextmanager
def opened(lab: Lab, browser: Browser, name: str, cells: list[str]) -> Iterator[NotebookPage]:
    """Open a notebook of these cells in a new page with a new kernel."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = NotebookPage(lab, context.new_page(), lab.write(name, cells), lab.folder)
        yield page.open()
    lab.shut_down_kernels()
