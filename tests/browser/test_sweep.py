"""A sweep in JupyterLab, from the confirmation to the static copy after the kernel is gone."""

from __future__ import annotations

import time

from harness import PATIENCE, SAVED, Notebook, playable
from playwright.sync_api import Locator, expect

SANDBOX = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True))\n"
    "manager.poll_interval = 0.25"
)
SWEEP = (
    'sweep = qw.sweep(prompt=["一条锦鲤", "A paper boat"], mode=["std", "pro"], duration=3,\n'
    '                 enable_audio=False, name="two by two", ask_above=3)\n'
    "sweep"
)


def expect_soon(videos: Locator, condition: str) -> None:
    """Wait until a JavaScript function of the videos returns true."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not videos.evaluate_all(condition):
        states = "videos => videos.map(v => [v.currentTime, v.paused, v.muted, v.readyState])"
        assert time.monotonic() < deadline, (condition, videos.evaluate_all(states))
        videos.page.wait_for_timeout(50)


def test_a_sweep_from_the_confirmation_to_the_table(notebook: Notebook) -> None:
    """No task is submitted before the click; then four videos play, and still do after the kernel is gone."""
    page = notebook([SANDBOX, SWEEP]).run_all()
    submit = page.output(1).get_by_role("button", name="Submit 4 tasks")
    expect(submit).to_be_visible()
    expect(page.output(1)).to_contain_text("4 waiting")
    submit.click()
    expect(page.output(1)).to_contain_text("4 finished", timeout=2 * PATIENCE)
    players = page.output(1).locator("video:visible")
    expect(players).to_have_count(4)
    for number in range(4):
        expect(players.nth(number)).to_have_attribute("src", SAVED)
        assert playable(players.nth(number))["duration"] > 2.5
    page.screenshot("sweep-finished")

    page.output(1).get_by_role("button", name="Play all in step").click()
    in_step = """videos => videos.every(video => video.muted && !video.paused && video.currentTime > 0.2)
        && Math.max(...videos.map(video => video.currentTime))
            - Math.min(...videos.map(video => video.currentTime)) < 0.25"""
    expect_soon(players, in_step)
    page.output(1).get_by_role("button", name="Pause all").click()
    expect_soon(players, "videos => videos.every(video => video.paused && !video.muted && video.loop)")

    details = page.output(1).get_by_role("button", name="Details").first
    expect(details).to_have_attribute("aria-expanded", "false")
    expect(page.output(1).get_by_role("button", name="Frames")).to_have_count(0)
    details.click()
    expect(details).to_have_attribute("aria-expanded", "true")
    page.output(1).get_by_role("button", name="Frames").first.click()
    expect(page.output(1).get_by_role("button", name="Continue from this frame")).to_be_visible()

    page.save().shutdown_kernel().reload()
    expect(page.output(1).locator("table video:visible")).to_have_count(4)
    page.screenshot("sweep-kernel-gone")
