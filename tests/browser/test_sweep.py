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
PRICED = SANDBOX.replace("draft=True", 'draft=True, contract="2026-11"')
QUESTION = (
    'sweep = qw.sweep(prompt="a koi", model=["kling-v3", "kling-v2-6"], duration=5, resolution="720p",\n'
    '                 name="models", ask_above=0)\n'
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


def test_the_question_of_a_sweep_has_its_price(notebook: Notebook) -> None:
    """The price is beside the button; afterwards, a rating shows what a video was worth."""
    page = notebook([PRICED, QUESTION]).run_all()
    output = page.output(1)
    submit = output.get_by_role("button", name="Submit 2 tasks")
    expect(submit).to_be_visible()
    price = output.get_by_text("$0.567 ($0.189 to $0.378 each)", exact=True)
    expect(price).to_be_visible()
    button, text = submit.bounding_box(), price.bounding_box()
    assert button is not None
    assert text is not None
    middle = text["y"] + text["height"] / 2
    assert button["y"] < middle < button["y"] + button["height"], "the price is not beside the button"
    page.screenshot("sweep-question")
    submit.click()
    expect(output).to_contain_text("2 finished", timeout=2 * PATIENCE)
    table = output.get_by_role("table", name="What it cost")
    expect(table.get_by_role("row", name="kling-v3").get_by_role("cell")).to_have_text(
        ["1", "$0.378", "$0.0756", "0", "–"]
    )
    output.get_by_role("button", name="4", exact=True).last.click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("kling-v2-6")
    expect(table.get_by_role("row", name="kling-v2-6").get_by_role("cell")).to_have_text(
        ["1", "$0.189", "$0.0378", "1", "$0.189"]
    )
    page.screenshot("sweep-worth")
