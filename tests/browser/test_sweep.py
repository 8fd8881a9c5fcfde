"""A sweep in JupyterLab, from the confirmation to the static copy after the kernel is gone."""

from __future__ import annotations

from harness import PATIENCE, SAVED, Notebook, playable
from playwright.sync_api import expect

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

    page.output(1).get_by_role("button", name="Frames").first.click()
    expect(page.output(1).get_by_role("button", name="Continue from this frame")).to_be_visible()

    page.save().shutdown_kernel().reload()
    expect(page.output(1).locator("table video:visible")).to_have_count(4)
    page.screenshot("sweep-kernel-gone")
