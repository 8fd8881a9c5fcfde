"""Tests of the harness that the other browser tests use."""

from __future__ import annotations

import re

from harness import Notebook, Recorder
from playwright.sync_api import expect


def test_a_recorder_follows_a_widget_that_a_thread_updates(notebook: Notebook) -> None:
    """A recorder sees the steps of a bar that a thread updates, in the output and not in the source."""
    page = notebook(
        [
            "import ipywidgets, threading, time\nbar = ipywidgets.IntProgress(max=5)\nbar",
            "def move():\n    for n in range(6):\n        bar.value = n\n        time.sleep(0.2)\n"
            "thread = threading.Thread(target=move)\nthread.start()\nthread.join()\nprint('moved', 6 * 7)",
        ]
    )
    seen = Recorder(page.page, ".jp-OutputArea-output .progress-bar", "element.style.width")
    page.run_all()
    assert "moved 42" in page.output_text(1)
    expect(page.output(0).locator(".progress-bar")).to_have_attribute("style", re.compile("width: 100%"))
    assert len(seen.values) >= 3
    assert page.problems == []


def test_theme_and_width_change(notebook: Notebook) -> None:
    """Theme and window width really change, so that screenshots of them are meaningful."""
    page = notebook(["1"]).run_all()
    for theme in ("dark", "light"):
        page.theme(theme)
    page.viewport(420)
    assert page.page.evaluate("window.innerWidth") == 420


def test_saved_output_survives_a_shutdown_and_a_reload(notebook: Notebook) -> None:
    """The page shows the saved output after the kernel is shut down and the page is reloaded."""
    page = notebook(["print('before' + ' the end')"]).run_all().save().shutdown_kernel().reload()
    expect(page.output(0)).to_contain_text("before the end")
