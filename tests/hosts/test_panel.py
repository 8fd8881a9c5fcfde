"""Panel, whose page loses what a thread draws: a studio there must not submit."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.hosts.apps import started
from tests.hosts.environments import python_of, versions_of
from tests.hosts.results import record

pytestmark = [pytest.mark.host, pytest.mark.browser]

APP = """
import panel as pn
import qingbo_widgets as qw
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid

pn.extension("ipywidgets")
manager = qw.connect(sandbox=qw.Sandbox(speed=100, draft=True), library="videos")
studio = qw.VideoStudio(prompt="a koi")
sweep = qw.sweep([f"a koi {number}" for number in range(13)], duration=5)
views = [pn.pane.IPyWidget(view, sizing_mode="stretch_width") for view in (studio, SweepGrid(sweep))]
pn.Column(*views).servable()
print("path of the video", qw.generate("a carp").wait().video_path, flush=True)
"""


def test_in_panel_generate_is_off_and_the_page_says_why(tmp_path: Path, browser: Browser) -> None:
    """A click could spend money on a video that no card shows; a task from Python works."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    command = [str(python_of("panel")), "-m", "panel", "serve", "app.py", "--port", "{port}"]
    with started(command, tmp_path, "/app") as app:
        page = browser.new_page()
        page.goto(app.url.replace("127.0.0.1", "localhost"), timeout=120_000, wait_until="commit")
        button = page.get_by_role("button", name="Generate").first
        button.wait_for(timeout=120_000)
        assert button.is_disabled(), "a click submits, and no card appears"
        button = page.get_by_role("button", name="Submit 13 tasks").first
        button.wait_for()
        assert button.is_disabled(), "a click submits 13 tasks, and no card appears"
        page.get_by_text("Panel would show neither the progress nor the video").first.wait_for()
        page.close()
        assert app.printed("path of the video"), app.output
    packages = ["panel", "ipywidgets_bokeh", "python"]
    record("panel", versions_of(packages, "panel"), form="partly", card="no", video="no")
