"""marimo, which shows no Jupyter widgets: tasks, sweeps, galleries and comparisons play there as HTML."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.hosts.apps import started
from tests.hosts.environments import python_of, versions_of
from tests.hosts.results import record

pytestmark = pytest.mark.browser

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import qingbo_widgets as qw
    manager = qw.connect(sandbox=qw.Sandbox(speed=100, draft=True), library="videos")
    qw.VideoStudio(prompt="a koi")
    return manager, mo, qw

@app.cell
def _(mo, qw):
    mo.as_html(qw.RequestForm())
    return

@app.cell
async def _(qw):
    task = await qw.generate("a koi in a pond")
    task
    return (task,)

@app.cell
async def _(qw):
    sweep = qw.sweep(prompt=["a carp", "two carps"])
    await sweep
    sweep
    return (sweep,)

@app.cell
def _(qw, sweep):
    qw.Comparison([cell.task for cell in sweep.cells])
    return

@app.cell
def _(qw, sweep):
    qw.Pairwise([cell.task for cell in sweep.cells])
    return

@app.cell
def _(qw, sweep, task):
    qw.Gallery()
    return

@app.cell
def _(mo, qw, task):
    mo.vstack([qw.TaskCard(task), mo.md("the end")])
    return

@app.cell
def _(qw, task):
    running = qw.Task(task.manager, task.request)
    running
    return

if __name__ == "__main__":
    app.run()
"""
#: Whether each video on the page can be played.
PLAY = """() => [...document.querySelectorAll("video")].every(
    video => video.readyState >= 2 && video.videoWidth > 0)"""
#: The players of one task, two of a sweep, two of a comparison, three of a gallery, one of a card.
PLAYERS = 9


def test_marimo_plays_what_is_made_and_says_what_it_lacks(tmp_path: Path, browser: Browser) -> None:
    """Every finished video plays, a running task shows how to follow it, and each form has one sentence."""
    (tmp_path / "notebook.py").write_text(NOTEBOOK, encoding="utf-8")
    command = [str(python_of()), "-m", "marimo", "-y", "run", "notebook.py", "--headless", "--no-token"]
    with started([*command, "--port", "{port}"], tmp_path) as app:
        page = browser.new_page()
        page.goto(app.url)
        page.get_by_text("the end").wait_for(timeout=120_000)
        last = page.locator("video").nth(PLAYERS - 1)
        last.wait_for(state="attached", timeout=120_000)
        page.locator("video").evaluate_all("videos => videos.forEach(video => video.load())")
        page.wait_for_function(PLAY, timeout=60_000)
        shown = page.locator("body").inner_text()
        page.close()
    assert "Jupyter widgets are not supported" not in shown, f"marimo's own words instead of ours:\n{shown}"
    for name in ("VideoStudio", "RequestForm", "Pairwise"):
        assert f"{name} cannot be used here" in shown, f"{name} says nothing:\n{shown}"
    assert 'qw.generate("…")' in shown
    assert "Submitting" in shown, "a running task shows nothing"
    assert "Traceback" not in app.output, app.output
    record("marimo", versions_of(["marimo", "python"]), form="no", card="partly", video="yes", review="yes")
