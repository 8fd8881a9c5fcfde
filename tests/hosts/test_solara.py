"""Solara, whose page gets no files of the program: the form submits, and videos are embedded."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.hosts.apps import started
from tests.hosts.environments import python_of, versions_of
from tests.hosts.npm import npm_package
from tests.hosts.results import record

pytestmark = [pytest.mark.host, pytest.mark.browser]

APP = """
import qingbo_widgets as qw
import solara

manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True), library="videos")
manager.poll_interval = 0.25

@solara.component
def Page():
    solara.display(solara.use_memo(lambda: qw.VideoStudio(prompt="a koi in a pond", duration=3), []))
"""
#: What Solara's page loads from its CDN otherwise.
PACKAGES = (("@widgetti/solara-vuetify3-app", "5.2.0"), ("requirejs", "2.3.6"), ("font-awesome", "4.5.0"))
#: Whether the page has a video that is shown and can be played.
PLAYS = """() => [...document.querySelectorAll("video")].some(
    video => video.checkVisibility() && video.readyState >= 2 && video.videoWidth > 0)"""


def test_in_solara_a_video_is_made_and_plays(tmp_path: Path, browser: Browser) -> None:
    """A click on Generate shows a card with its progress, then the video."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    assets = tmp_path / "cdn"
    for name, version in PACKAGES:
        place = assets / f"{name}@{version}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(npm_package(name, version))
    variables = {"SOLARA_ASSETS_PROXY_CACHE_DIR": str(assets)}
    command = [str(python_of("solara")), "-m", "solara", "run", "app.py", "--no-open", "--port", "{port}"]
    with started(command, tmp_path, variables=variables) as app:
        page = browser.new_page()
        page.goto(app.url)
        button = page.get_by_role("button", name="Generate").first
        button.wait_for(timeout=120_000)
        assert button.is_enabled(), "Generate is off"
        button.click()
        page.get_by_text("Generating").first.wait_for(timeout=60_000)
        page.wait_for_function(PLAYS, timeout=90_000)
        source = page.locator("video").first.evaluate("video => video.currentSrc.slice(0, 22)")
        shown = page.locator("body").inner_text()
        page.close()
    assert source == "data:video/mp4;base64,", f"a video that Solara does not serve: {source}"
    assert "cannot get the file" not in shown, shown
    assert "Traceback" not in app.output, app.output
    assert "/v1/tasks" not in app.output, f"the sandbox logs into its host:\n{app.output}"
    record("solara", versions_of(["solara", "python"], "solara"), form="yes", card="yes", video="yes")
