"""Clicks on a page whose kernel does not answer: one intended submission creates one task."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness import PATIENCE, Notebook, NotebookPage
from playwright.sync_api import expect

CELLS = (
    "import os\n"
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True))\n"
    "manager.poll_interval = 0.25\n"
    "print('process', os.getpid())",
    "qw.VideoStudio()",
    "print('tasks:', len(manager.tasks))",
)


@contextmanager
def frozen_kernel(page: NotebookPage) -> Iterator[None]:
    """Stop the kernel's process, like a kernel that computes without a break."""
    process = int(page.output_text(0).split()[-1])
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def tasks(page: NotebookPage) -> str:
    """Return the printed number of tasks, once the kernel has handled all earlier messages."""
    return page.run(2).wait_idle().output_text(2).strip()


@pytest.mark.parametrize("how", ["double click", "impatient clicks", "Ctrl+Enter held down"])
def test_repeated_clicks_on_a_frozen_kernel_create_one_task(notebook: Notebook, how: str) -> None:
    """Repeated clicks create one task, however late they arrive; a click after the answer creates another."""
    page = notebook(CELLS).run_all()
    prompt = page.output(1).get_by_label("Prompt", exact=True)
    button = page.output(1).get_by_role("button", name="Generate", exact=True)
    prompt.fill("锦鲤")
    expect(button).to_be_enabled()
    expect(page.output(1).locator('[data-listens="keydown"]')).to_be_attached(timeout=PATIENCE)
    page.wait_idle()
    with frozen_kernel(page):
        if how == "double click":
            button.dblclick()
            page.page.wait_for_timeout(2000)
        elif how == "impatient clicks":
            for _ in range(3):
                button.click()
                page.page.wait_for_timeout(1500)
        else:
            prompt.focus()
            page.page.keyboard.down("Control")
            for _ in range(5):
                page.page.keyboard.down("Enter")
                page.page.wait_for_timeout(300)
            page.page.keyboard.up("Enter")
            page.page.keyboard.up("Control")
    expect(page.output(1)).to_contain_text("Finished", timeout=2 * PATIENCE)
    assert tasks(page) == "tasks: 1", "the user paid twice"

    expect(button).to_be_enabled()
    button.click()
    expect(page.output(1).locator("video:visible")).to_have_count(2, timeout=2 * PATIENCE)
    assert tasks(page) == "tasks: 2", "a click after the answer was dropped as a repetition"
