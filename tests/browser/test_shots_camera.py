"""Use of the shots, the camera and the keyboard in a browser."""

from __future__ import annotations

import itertools
import re

import pytest
from harness import PANEL, PATIENCE, Notebook, NotebookPage
from playwright.sync_api import Locator, expect

FORM = "import qingbo_widgets as qw\nform = qw.RequestForm(prompt='A koi swims. Light dances.')\nform"
STUDIO = (
    "import qingbo_widgets as qw\n"
    "qw.connect(sandbox=qw.Sandbox(speed=20, draft=True)).poll_interval = 0.25\n"
    "studio = qw.VideoStudio()\nstudio"
)


def button(area: Locator, name: str, nth: int = 0) -> Locator:
    """Return the ``nth`` button of this name, with or without an icon before it."""
    return area.get_by_role("button", name=re.compile(rf"^\W*{re.escape(name)}$")).nth(nth)


def expect_value(page: NotebookPage, cell: int, expression: str, expected: str) -> None:
    """Check the value of an expression in the kernel, evaluated in the given cell."""
    page.write(cell, f"print({expression})").run(cell)
    expect(page.output(cell)).to_have_text(expected)


def outside(area: Locator) -> list[str]:
    """Return the controls that extend beyond the right edge."""
    controls: list[str] = area.evaluate(
        """area => {
            const right = area.getBoundingClientRect().right + 1;
            return [...area.querySelectorAll('button, input, select, textarea, svg, .qingbo-bar')]
                .filter(element => element.getBoundingClientRect().right > right)
                .map(element => element.outerHTML.slice(0, 120));
        }"""
    )
    return controls


def test_shots_from_a_prompt_and_back(notebook: Notebook) -> None:
    """Shots can be edited, moved, split and removed; bar and kernel follow; toggling the mode keeps them."""
    page = notebook([FORM, ""]).run(0)
    form = page.output(0)
    form.get_by_label("Multi-shot").check()
    expect(form.get_by_label("Shot 1")).to_have_value("A koi swims.")
    expect(form.get_by_label("Prompt", exact=True)).to_be_hidden()
    expect(form.locator(".qingbo-rest")).to_have_text("10 s left")

    button(form, "Add a shot").click()
    expect(form.get_by_label("Shot 3")).to_be_focused()
    page.page.keyboard.type("镜头拉远")
    expect(form).to_contain_text("4 / 2500 characters")
    form.get_by_label("Seconds").nth(2).fill("6")
    form.get_by_label("Seconds").nth(2).press("Tab")
    expect(form.locator(".qingbo-rest")).to_have_text("4 s left")
    widths = form.locator(".qingbo-bar > span").evaluate_all(
        "spans => spans.map(span => span.getBoundingClientRect().width)"
    )
    assert widths[2] / widths[1] == pytest.approx(3, rel=0.25), "six seconds are three times as wide as two"

    button(form, "Up", 2).click()
    expect(form.get_by_label("Shot 2")).to_have_value("镜头拉远")
    expect(button(form, "Up", 1)).to_be_focused()
    button(form, "Split", 1).click()
    expect(form.get_by_label("Shot 4")).to_have_value("Light dances.")
    button(form, "Remove", 2).click()
    expect(form.get_by_label("Shot 4")).to_be_hidden()
    expect_value(
        page,
        1,
        "[(shot.prompt, shot.duration) for shot in form.shots]",
        "[('A koi swims.', 3), ('镜头拉远', 3), ('Light dances.', 2)]",
    )

    form.get_by_label("Multi-shot").uncheck()
    expect(form.get_by_label("Prompt", exact=True)).to_have_value("A koi swims. Light dances.")
    form.get_by_label("Multi-shot").check()
    expect(form.get_by_label("Shot 2")).to_have_value("镜头拉远")
    page.write(1, "form.shots = [('One', 2), ('Two', 15)]").run(1)
    expect(form.get_by_label("Shot 1")).to_have_value("One")
    expect(form).to_contain_text("17 of 15 s, 2 s too many")


#: A JavaScript expression for the style of the landscape's nearest layer; each change replaces the layer.
NEAR = "getComputedStyle([...document.querySelectorAll('.qingbo-landscape .qingbo-layer')].at(-1))"


def test_the_camera_preview_follows_the_choice(notebook: Notebook) -> None:
    """A preset chosen by mouse or an axis by keyboard moves the landscape and reaches the kernel."""
    page = notebook([FORM, ""]).run(0)
    form = page.output(0)
    form.get_by_label("Model").select_option(index=2)
    button(form, "Camera").click()
    button(form, "Right, forward").click()
    expect(form.locator(".qingbo-landscape .qingbo-layer").last).to_be_visible()
    page.page.wait_for_function(f"new DOMMatrix({NEAR}.transform).e < -5")
    expect(form.get_by_role("img", name=re.compile("turns right"))).to_be_visible()

    button(form, "By axis").click()
    form.get_by_label("Roll (roll)").fill("-4")
    form.get_by_label("Roll (roll)").press("Enter")
    expect(form.get_by_role("img", name="Roll left: 4")).to_be_visible()
    expect(form).not_to_contain_text("Kling expects exactly one")
    button(form, "Zoom in").focus()
    page.page.keyboard.press("Space")
    expect(form.get_by_label("Zoom (zoom)")).to_have_value("-1")
    expect(form).to_contain_text("2 axes are set; set exactly one")
    expect_value(page, 1, "form.request.camera_control.config", "{'roll': -4.0, 'zoom': -1.0}")

    button(form, "Pause").click()
    page.page.wait_for_function(f"{NEAR}.animationPlayState === 'paused'")
    page.write(1, "form.camera_control = 'down_back'").run(1)
    expect(button(form, "Camera: Down and back")).to_be_visible()


def test_reduced_motion_is_respected(notebook: Notebook) -> None:
    """With reduced motion, the landscape stands still at the end of the movement."""
    page = notebook([FORM.replace("prompt=", "model='kling-v1-6', camera_control='forward_up', prompt=")])
    page.page.emulate_media(reduced_motion="reduce")
    form = page.run(0).output(0)
    button(form, "Camera: Forward and up").click()
    near = form.locator(".qingbo-landscape .qingbo-layer").last
    expect(near).to_have_css("animation-name", "none")
    assert near.evaluate("layer => new DOMMatrix(getComputedStyle(layer).transform).a") > 1.2


def test_the_keyboard_generates(notebook: Notebook) -> None:
    """Ctrl+Enter right after the last letter submits the whole text once and runs no cell."""
    page = notebook([STUDIO, ""]).run(0)
    studio = page.output(0)
    prompt = studio.get_by_label("Prompt", exact=True)
    # The key listener is attached a moment after the form appears, before any user can type.
    expect(studio.locator("[data-listens=keydown]")).to_have_count(1)
    prompt.click()
    page.page.keyboard.type("A koi in a pond!")
    page.page.keyboard.press("Control+Enter")
    expect(studio.locator(".qingbo-card:visible")).to_have_count(1, timeout=PATIENCE)
    expect(studio.locator(".qingbo-card:visible")).to_contain_text("A koi in a pond!")
    expect(prompt).to_have_value("A koi in a pond!")
    expect_value(page, 1, "len(studio.cards)", "1")
    assert page.page.evaluate(f"() => {PANEL}.content.widgets[0].model.executionCount") == 1

    studio.get_by_label("Multi-shot").check()
    studio.get_by_label("Shot 2").click()
    page.page.keyboard.type("The end.")
    page.page.keyboard.press("Meta+Enter")
    expect(studio.locator(".qingbo-card:visible")).to_have_count(2, timeout=PATIENCE)
    # The newest card is the last child, and the page shows it on top.
    expect(studio.locator(".qingbo-card:visible").last).to_contain_text("The end.")


def test_tab_follows_the_reading_order(notebook: Notebook) -> None:
    """Tab moves the focus from top to bottom, and within a line from left to right."""
    page = notebook([FORM.replace("prompt=", "shots=[('One', 5), ('Two', 5)], prompt=")]).run(0)
    form = page.output(0)
    form.get_by_label("Model").focus()
    positions = []
    for _ in range(14):
        box = page.page.evaluate(
            "() => { const {x, y, height} = document.activeElement.getBoundingClientRect();"
            " return [Math.round(y + height / 2), Math.round(x)] }"
        )
        positions.append(box)
        page.page.keyboard.press("Tab")
    lines = [(round(y / 24), x) for y, x in positions]
    assert all(after[0] > before[0] or after[1] > before[1] for before, after in itertools.pairwise(lines))


def test_nothing_jumps_when_the_model_changes(notebook: Notebook) -> None:
    """The controls that all models share, and those below them, keep their positions."""
    form = notebook([FORM]).run(0).output(0)
    places = []
    for index in range(4):
        form.get_by_label("Model").select_option(index=index)
        camera = button(form, "Camera")
        expect(camera).to_be_visible() if index == 2 else expect(camera).to_be_hidden()
        shared = [
            form.get_by_label("Image", exact=True),
            form.get_by_label("Mode", exact=True),
            button(form, "More"),
        ]
        places.append([part.bounding_box()["y"] for part in shared])  # type: ignore[index]
    assert all(place == places[0] for place in places), places


@pytest.mark.parametrize("width", [1280, 400])
def test_the_form_fits_the_window(notebook: Notebook, width: int) -> None:
    """No control is cut off, even in a window as narrow as a phone; the screenshots are for visual review."""
    page = notebook([FORM], width=width).run(0)
    form = page.output(0)
    form.get_by_label("Multi-shot").check()
    expect(form.get_by_label("Shot 2")).to_be_visible()
    for theme in ("light", "dark"):
        page.theme(theme).screenshot(f"form-shots-{width}-{theme}")
        assert outside(form) == []
    form.get_by_label("Model").select_option(index=2)
    button(form, "Camera").click()
    button(form, "By axis").click()
    button(form, "Look up").click()
    expect(form.get_by_role("img", name="Look up: 1")).to_be_visible()
    button(form, "By axis").scroll_into_view_if_needed()
    for theme in ("dark", "light"):
        page.theme(theme).screenshot(f"form-camera-{width}-{theme}")
        assert outside(form) == []
