"""The layout of the studio: the video beside or below the form, older cards, variations, filling in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from harness import PANEL, PATIENCE, Notebook, NotebookPage
from playwright.sync_api import Locator, expect

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed={speed}, draft=True))\n"
    "manager.poll_interval = 0.25"
)
SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
    }).observe({type: 'layout-shift'});
}"""
HAS_FOCUS = "() => document.activeElement !== document.body && document.activeElement !== null"


def studio_of(notebook: Notebook, width: int, speed: float = 20, cell: str = "") -> tuple[NotebookPage, Any]:
    """Open a notebook with a studio, and return the page and the output of its cell."""
    page = notebook([CONNECTED.format(speed=speed), cell or "studio = qw.VideoStudio()\nstudio"], width=width)
    output = page.run_all().output(1)
    expect(output.locator("[data-listens]")).to_have_count(1)
    return page, output


def generate(output: Locator, prompt: str) -> None:
    """Write a prompt and click on Generate."""
    output.get_by_label("Prompt", exact=True).fill(prompt)
    button = output.get_by_role("button", name=re.compile("^Generate"))
    expect(button).to_be_enabled()
    button.click()


def is_in_view(part: Locator) -> bool:
    """Return whether the whole of an element is in the part of the window where the notebook is."""
    inside: bool = part.evaluate(
        """element => {
            const box = element.getBoundingClientRect();
            const view = document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect();
            return box.height > 0 && box.top >= view.top - 1 && box.bottom <= view.bottom + 1;
        }"""
    )
    return inside


def right_of(part: Locator) -> float:
    """Return the right edge of an element."""
    box = part.bounding_box()
    assert box is not None
    return box["x"] + box["width"]


@pytest.mark.parametrize("width", [1280, 700])
def test_form_and_video_are_in_view(notebook: Notebook, width: int) -> None:
    """Generate and the player are on the screen, at 1280 × 900 the form too, and nothing moves at the end."""
    page, output = studio_of(notebook, width, speed=8)
    page.page.evaluate(SHIFTS)
    generate(output, "A paper boat on a lake at dusk")
    expect(output.locator(".progress-bar:visible")).to_have_count(1, timeout=PATIENCE)
    stage = output.locator(".qingbo-stage:visible")
    height = stage.bounding_box()
    page.page.evaluate("() => { window.shifts = [] }")
    player = output.locator("video:visible")
    expect(player).to_have_count(1, timeout=PATIENCE)
    expect(output.get_by_role("button", name="Regenerate", exact=True)).to_be_visible()
    assert is_in_view(player), "the finished video is below the fold"
    assert is_in_view(output.get_by_role("button", name=re.compile("^Generate")))
    assert is_in_view(output.get_by_label("Model")) == (width == 1280)
    assert stage.bounding_box() == height, "the space of the video was another"
    assert sum(page.page.evaluate("() => window.shifts")) < 0.01, "the page has jumped"
    assert page.page.evaluate(HAS_FOCUS), "the focus has fallen to the page"
    page.screenshot(f"studio-columns-{width}")
    if width == 700:
        summary = output.get_by_role("button", name=re.compile("Edit$"))
        expect(summary).to_have_text("A paper boat on a lake at dusk · kling-v3 · 5 s · Edit")
        summary.click()
        prompt = output.get_by_label("Prompt", exact=True)
        expect(prompt).to_be_focused()
        expect(prompt).to_have_value("A paper boat on a lake at dusk")
        prompt.press("Control+Enter")
        expect(output.locator(".qingbo-card:visible")).to_have_count(2)
        expect(prompt).to_be_visible()  # the user may go on typing


def test_variations_older_cards_and_clear(notebook: Notebook) -> None:
    """One click makes three cards; the older ones are lines that open; Clear finished empties the studio."""
    page, output = studio_of(notebook, 1280)
    output.get_by_label("Variations").select_option("× 3")
    expect(output.get_by_role("button", name="Generate 3")).to_be_visible()
    generate(output, "A heron waits in the reeds")
    expect(output.locator(".qingbo-card:visible")).to_have_count(3)
    generate(output, "A tram climbs a steep street")
    expect(output.locator("video:visible")).to_have_count(3, timeout=2 * PATIENCE)
    lines = output.locator(".qingbo-line:visible")
    expect(lines).to_have_count(3)
    opener = output.get_by_role("button", name="Open: A heron").first
    opener.focus()
    opener.press("Enter")
    expect(output.locator("video:visible")).to_have_count(4)
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(output.get_by_text("6 finished")).to_be_visible(timeout=2 * PATIENCE)
    output.get_by_role("button", name="Clear finished").press("Enter")
    expect(output.locator(".qingbo-card:visible")).to_have_count(0)
    expect(output.get_by_role("button", name="Undo")).to_be_focused()
    expect(output.get_by_text("Recent", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(output.get_by_role("button", name="Use settings")).to_have_count(6)
    page.screenshot("studio-cleared")
    page.run(1)  # the cleared tasks do not come back
    expect(output.locator("[data-listens]")).to_have_count(1)
    expect(output.get_by_role("button", name="Use settings")).to_have_count(6, timeout=PATIENCE)
    expect(output.locator(".qingbo-card:visible")).to_have_count(0)


def test_a_video_that_is_watched_goes_on(notebook: Notebook) -> None:
    """A newer card folds the card of a video only after it; a newer video does not close a recent one."""
    made = "for n in range(7): qw.generate(f'video {n}', duration=3).wait()\n"
    cell = made + "studio = qw.VideoStudio(duration=3)\nstudio"
    page, output = studio_of(notebook, 1280, cell=cell)
    cards = output.locator(".qingbo-studio-cards .qingbo-card:visible")
    for number in range(3):
        generate(output, f"A kite {number}")
        expect(cards).to_have_count(number + 1)
    expect(cards.locator("video:visible")).to_have_count(3, timeout=PATIENCE)
    play = "async v => { window.watched = v; v.muted = true; await v.play() }"
    goes_on = "() => window.watched.checkVisibility() && !window.watched.paused"
    cards.first.locator("video").evaluate(play)  # the oldest: the page shows them the other way round
    generate(output, "A kite 3")
    expect(cards).to_have_count(4)
    expect(cards.locator("video:visible")).to_have_count(4, timeout=PATIENCE)
    assert page.page.evaluate(goes_on), "the video that is watched was put away"
    expect(cards.locator(".qingbo-line:visible")).to_have_count(0)
    page.page.evaluate("window.watched.pause()")
    opener = output.get_by_role("button", name="Open: A kite 0")
    expect(cards.locator("video:visible")).to_have_count(3)
    opener.press("Enter")
    expect(cards.locator("video:visible")).to_have_count(4)
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    opener.press("Enter")
    expect(cards.locator("video:visible")).to_have_count(3)

    output.get_by_role("button", name=re.compile("^Play: video 1")).click()
    player = output.locator(".qingbo-panel-recent video")
    player.evaluate(play)
    output.get_by_role("button", name="Clear finished").click()
    expect(output.get_by_role("button", name=re.compile("^Play: A kite"))).to_have_count(4, timeout=PATIENCE)
    assert page.page.evaluate(goes_on), "a newer video has closed the one that is watched"
    expect(output.locator(".qingbo-recent-tile.qingbo-open")).to_have_count(1)
    assert page.problems == []


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out(notebook: Notebook, width: int) -> None:
    """A long prompt is cut off on the line of an older card, its status is not; a recent video is in view."""
    cell = "studio = qw.VideoStudio(duration=3)\nstudio"
    page, output = studio_of(notebook, width, speed=40, cell=cell)
    output.get_by_label("Variations").select_option("× 4")
    generate(output, "A paper boat drifts across a still lake at dusk, slow aerial pull-back, " * 3)
    expect(output.locator("video:visible")).to_have_count(3, timeout=2 * PATIENCE)
    card = output.locator(".qingbo-card:has(> .qingbo-line)")
    status = card.locator(".qingbo-line-status")
    expect(status).to_have_text("Finished")
    assert right_of(status) <= right_of(card), "the status is beside the card"
    # The head keeps to one or two lines, and its button to the edge of the cards.
    bell = output.get_by_role("button", name="Notify me")
    assert abs(right_of(bell) - right_of(card)) < 6
    output.get_by_role("button", name="Clear finished").click()
    output.get_by_role("button", name=re.compile("^Play: ")).first.click()
    player = output.locator(".qingbo-recent video:visible")
    expect(player).to_have_count(1)
    expect(player).to_be_in_viewport(ratio=0.95)
    expect(output.locator("img[src='data:,']:visible")).to_have_count(0)  # a broken picture
    page.screenshot(f"studio-recent-{width}")
    if width == 1280:  # the form is not folded
        output.get_by_role("button", name="Presets").click()
        earlier, prompt = output.get_by_label("Earlier task"), output.get_by_label("Prompt", exact=True)
        expect(earlier).to_be_visible()
        assert right_of(earlier) < right_of(prompt), "a long task makes the list wider than the form"
        save, name = output.get_by_role("button", name="Save", exact=True), output.get_by_label("Save as")
        places = [part.evaluate("part => part.getBoundingClientRect().bottom") for part in (save, name)]
        assert abs(places[0] - places[1]) < 6, "the button is not beside its field"


def test_the_prompt_has_the_focus_after_a_key_or_the_sandbox(notebook: Notebook) -> None:
    """With the sandbox chosen, the prompt can be typed at once; what the model does is written once."""
    page = notebook(["import qingbo_widgets as qw\nqw.VideoStudio()"], width=1280)
    output = page.run_all().output(0)
    output.get_by_role("button", name="Use the sandbox").click()
    prompt = output.get_by_label("Prompt", exact=True)
    expect(prompt).to_be_focused()
    expect(output.locator("[data-listens]")).to_have_count(1)  # the form is complete
    generate_button = output.get_by_role("button", name="Generate", exact=True)
    top = generate_button.bounding_box()
    page.page.keyboard.type("A koi")
    expect(generate_button).to_be_enabled()
    assert generate_button.bounding_box() == top, "Generate has moved under the mouse"
    expect(output.get_by_text("3 to 15 s, multi-shot, native audio", exact=True)).to_be_hidden()


def test_edit_continue_and_back(notebook: Notebook) -> None:
    """Both fill in the form above, which comes into view with the focus; ✕ brings back what was typed."""
    page, output = studio_of(notebook, 700)
    generate(output, "A lighthouse in a storm")
    expect(output.get_by_role("button", name="Edit and regenerate")).to_be_visible(timeout=PATIENCE)
    output.get_by_role("button", name=re.compile("Edit$")).click()
    prompt = output.get_by_label("Prompt", exact=True)
    prompt.fill("Typed for ten minutes")
    output.get_by_role("button", name="Edit and regenerate").click()
    expect(prompt).to_be_focused()
    expect(prompt).to_have_value("A lighthouse in a storm")
    line = output.locator(".qingbo-from")
    expect(line).to_contain_text("From: A lighthouse in a storm")
    assert is_in_view(prompt)
    assert is_in_view(line), "it is not said where the text is from"
    page.screenshot("studio-filled-in")
    line.get_by_role("button").click()
    expect(prompt).to_have_value("Typed for ten minutes")
    expect(prompt).to_be_focused()
    frames = output.get_by_role("button", name="Frames")
    frames.press("Enter")
    expect(frames).to_have_attribute("aria-expanded", "true")
    expect(frames).to_be_focused()
    output.get_by_role("button", name="Continue from this frame").click()
    expect(prompt).to_be_focused()
    expect(prompt).to_have_value("")
    expect(output.get_by_label("Image", exact=True)).to_have_value(re.compile("/inputs/"))
    expect(output.locator("textarea:visible")).to_have_count(1)  # no second form
    page.page.wait_for_timeout(1100)  # a click within a second would count as a double click
    frames.press("Enter")
    expect(frames).to_have_attribute("aria-expanded", "false")
    expect(output.get_by_role("button", name="Save frame")).to_have_count(0)


SLOW_FRAME = """
import threading
from qingbo_widgets.widgets.studio import follow_up
gate = threading.Event()
save_frame = follow_up.save_frame
follow_up.save_frame = lambda *frame: gate.wait(60) and save_frame(*frame)
"""


def execute(page: NotebookPage, code: str) -> None:
    """Let the kernel run code, without waiting for it and without moving the focus in the page."""
    page.page.evaluate(
        f"code => {{ {PANEL}.sessionContext.session.kernel.requestExecute({{code}}) }}",
        code,
    )


def test_continue_shows_at_once_and_the_focus_is_the_users(notebook: Notebook) -> None:
    """Continue says what is being done; the form takes the focus, unless the user has moved it meanwhile."""
    cell = "studio = qw.VideoStudio(duration=3)\nstudio"
    page = notebook([CONNECTED.format(speed=20) + SLOW_FRAME, cell], width=1280)
    output = page.run_all().output(1)
    expect(output.locator("[data-listens]")).to_have_count(1)
    page.page.wait_for_function("document.documentElement.dataset.qingboFocus")
    generate(output, "A heron")
    button = output.get_by_role("button", name=re.compile("^(Continue|Taking the last frame…)$"))
    expect(button).to_be_visible(timeout=PATIENCE)
    prompt, model = (output.get_by_label(name, exact=True) for name in ("Prompt", "Model"))

    button.click()
    expect(button).to_have_text("Taking the last frame…")
    expect(button).to_have_attribute("aria-disabled", "true")
    model.focus()
    execute(page, "gate.set()")
    marked = output.locator(".qingbo-filled textarea").first
    expect(marked).to_be_visible(timeout=PATIENCE)
    assert marked.evaluate("e => getComputedStyle(e).animationName") == "qingbo-filled", "no field is marked"
    expect(button).to_have_text("Continue", timeout=PATIENCE)
    expect(output.get_by_label("Image", exact=True)).to_have_value(re.compile("/inputs/"))
    page.page.wait_for_timeout(1500)  # the next click is no repetition
    expect(model).to_be_focused()

    execute(page, "gate.clear()")
    prompt.fill("Typed")
    button.click()
    expect(button).to_have_text("Taking the last frame…")
    expect(button).to_be_focused()
    execute(page, "gate.set()")
    expect(prompt).to_be_focused(timeout=PATIENCE)
    expect(prompt).to_have_value("")


def test_a_click_that_a_busy_kernel_handles_late_leaves_the_focus(notebook: Notebook) -> None:
    """If a cell is running, the form is filled in later; the focus stays where the user has moved it."""
    page, output = studio_of(notebook, 1280)
    page.page.wait_for_function("document.documentElement.dataset.qingboFocus")
    generate(output, "A heron")
    edit = output.get_by_role("button", name="Edit and regenerate")
    expect(edit).to_be_visible(timeout=PATIENCE)
    prompt, model = (output.get_by_label(name, exact=True) for name in ("Prompt", "Model"))
    prompt.fill("Typed")
    execute(page, "import time; time.sleep(4)")
    edit.click()
    model.focus()
    expect(prompt).to_have_value("A heron", timeout=PATIENCE)
    page.page.wait_for_timeout(500)
    expect(model).to_be_focused()
