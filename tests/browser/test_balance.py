"""The balance in the head of a studio: it falls after a task, survives a reload, and is not saved."""

from __future__ import annotations

import re

import pytest
from harness import PATIENCE, Notebook
from playwright.sync_api import expect

from tests.waiting import until

CELLS = (
    "import qingbo_widgets as qw\n"
    "sandbox = qw.Sandbox(speed=50, draft=True, contract='2026-11', credit=13.57)\n"
    "manager = qw.connect(sandbox=sandbox)\n"
    "manager.poll_interval = 0.25",
    "studio = qw.VideoStudio(prompt='A koi', resolution='720p', duration=5)\nstudio",
)


@pytest.mark.parametrize("width", [1280, 400])
def test_the_balance_falls_and_is_not_saved(notebook: Notebook, width: int) -> None:
    """The page shows it within the head, gets the new amount, and has it again after a reload."""
    page = notebook(CELLS, width=width)
    output = page.run_all().output(1)
    balance = output.locator(".qingbo-balance")
    expect(balance).to_have_text("$13.57 left (play money)", timeout=PATIENCE)
    expect(balance).to_have_attribute("title", re.compile("13.57 left at .* used."))
    page.screenshot(f"balance-{width}")
    output.get_by_role("button", name=re.compile("^Generate")).click()
    expect(balance).to_have_text("$13.19 left (play money)", timeout=PATIENCE)
    page.save().reload()
    expect(balance).to_have_text("$13.19 left (play money)", timeout=PATIENCE)
    page.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    page.save()
    path = page.path
    until(lambda: "widget-state+json" in path.read_text(encoding="utf-8"))
    saved = path.read_text(encoding="utf-8")
    assert "msg:custom" in saved, "the widget with the balance is not in the state"
    for amount in ("13.57 left", "13.19"):
        assert amount not in saved, "who opens the notebook reads the balance"
    page.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")  # the next test has the same page
