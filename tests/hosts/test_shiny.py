"""Shiny, whose page draws no form: a studio there must not submit, and Shiny keeps its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.hosts.apps import started
from tests.hosts.environments import python_of, versions_of
from tests.hosts.results import record

pytestmark = [pytest.mark.host, pytest.mark.browser]

APP = """
import qingbo_widgets as qw
from shiny import App, ui
from shinywidgets import output_widget, render_widget

manager = qw.connect(sandbox=qw.Sandbox(speed=100, draft=True), library="videos")

def server(input, output, session):
    @render_widget
    def studio():
        return qw.VideoStudio(prompt="a koi")

app = App(ui.page_fluid(output_widget("studio")), server)
print("path of the video", qw.generate("a carp").wait().video_path, flush=True)
"""


def test_in_shiny_generate_is_off_and_shiny_keeps_its_log(tmp_path: Path, browser: Browser) -> None:
    """A click could spend money on a video that no card shows; the sandbox logs nothing, Shiny all."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    command = [str(python_of("shiny")), "-m", "shiny", "run", "app.py", "--port", "{port}"]
    with started(command, tmp_path) as app:
        page = browser.new_page()
        page.goto(app.url)
        button = page.get_by_role("button", name="Generate").first
        button.wait_for(timeout=60_000)
        assert button.is_disabled(), "a click submits, and no card appears"
        page.get_by_text("Shiny would show neither the progress nor the video").first.wait_for()
        page.close()
        assert "path of the video" in app.output
        assert '"GET / HTTP/1.1" 200' in app.output, f"the sandbox has silenced the host:\n{app.output}"
        assert "/v1/tasks" not in app.output, f"the sandbox logs into its host:\n{app.output}"
    packages = ["shiny", "shinywidgets", "python"]
    record("shiny", versions_of(packages, "shiny"), form="partly", card="no", video="no")
