"""Use of the form of contract 2026-11 in a browser: lines of URLs, roles, a video, several shots."""

from __future__ import annotations

from pathlib import Path

import av
import numpy
import pytest
from harness import Notebook, NotebookPage
from PIL import Image
from playwright.sync_api import Locator, expect

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "sandbox = qw.Sandbox(speed=20, draft=True, contract='2026-11').start()\n"
    "manager = qw.connect(sandbox=sandbox)"
)
FORM = "form = qw.RequestForm(manager, model={model!r}, prompt='A koi')\nform"
OMNI = "kling-v3-omni · $0.0756/s: 3 to 15 s, 4k, references, editing, multi-shot, elements, audio"
EVERYTHING = """
element = {'name': 'koi', 'description': 'a fish', 'element_input_urls': ['first.png', 'last.png']}
role = {'url': 'first.png', 'role': 'first_frame'}
form = qw.RequestForm(
    manager, model='kling-v3-omni', prompt='A koi', image_urls=['first.png', 'last.png'], video_urls='5.mp4',
    image_with_roles=[role], element_list=[element],
)
form.switch.value = True
for button in form.panels.buttons.values():
    button.value = True
form"""
CUT_OFF = """area => {
    const right = area.getBoundingClientRect().right + 1;
    return [...area.querySelectorAll('button, input, select, textarea, img, pre, video')]
        .filter(element => element.getBoundingClientRect().right > right)
        .map(element => element.outerHTML.slice(0, 120));
}"""
"""JavaScript that returns the controls that the right edge of the output cuts off."""


TOO_LONG = """select => {
    const style = getComputedStyle(select), canvas = document.createElement('canvas').getContext('2d');
    canvas.font = `${style.fontSize} ${style.fontFamily}`;
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return [...select.options].map(option => option.text)
        .filter(text => canvas.measureText(text).width > room);
}"""
"""JavaScript that returns the options that a closed select has no room for."""


def film(path: Path, seconds: int) -> None:
    """Write a black video of this length."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        black = numpy.zeros((360, 640, 3), dtype="uint8")
        for _ in range(5 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(black, format="rgb24")))
        container.mux(stream.encode())


def opened(notebook: Notebook, model: str, *before: str, width: int = 1280) -> tuple[NotebookPage, Locator]:
    """Run a notebook with a form, beside pictures and videos; return its page and the form."""
    page = notebook([CONNECTED, "\n".join([*before, FORM.format(model=model)])], width=width)
    for name, colour in (("first.png", "#7fb3d5"), ("last.png", "#e67e22")):
        Image.new("RGB", (1280, 720), colour).save(page.path.parent / name)
    for seconds in (5, 12):
        film(page.path.parent / f"{seconds}.mp4", seconds)
    page.run_all()
    return page, page.output(1)


def field(output: Locator, label: str) -> Locator:
    """Return the control with this label."""
    return output.get_by_label(label, exact=True)


def button(output: Locator, name: str) -> Locator:
    """Return the button with this name."""
    return output.get_by_role("button", name=name, exact=name in ("Generate", "Regenerate", "Reset"))


def fill(control: Locator, text: str) -> None:
    """Type into a control, and leave it."""
    control.fill(text)
    control.page.keyboard.press("Tab")  # an image that has arrived meanwhile has changed the label


def test_frames_are_lines_and_move_to_roles(notebook: Notebook) -> None:
    """First and last frame have a line each, can be swapped, and get their roles with another model."""
    page, output = opened(notebook, "kling-v3")
    fill(field(output, "Images"), "first.png")
    expect(field(output, "First frame").first).to_have_value("first.png")
    button(output, "Add a URL").click()
    fill(field(output, "Last frame"), "last.png")
    expect(output.get_by_alt_text("Last frame")).to_be_visible()
    expect(output).to_contain_text("last.png: PNG, 1280 × 720")
    first = output.get_by_alt_text("First frame").get_attribute("src")
    button(output, "Down").first.click()
    expect(output.get_by_alt_text("Last frame")).to_have_attribute("src", first or "")
    page.screenshot("form-2026-11-frames")
    field(output, "Model").select_option(OMNI)
    button(output, "Images with roles: 2").click()
    expect(field(output, "Role 2")).to_have_value("last frame")
    expect(output.get_by_alt_text("last frame", exact=True)).to_have_attribute("src", first or "")
    assert page.problems == []


def test_an_unset_choice_reads_default(notebook: Notebook) -> None:
    """A choice that is not set shows "default", also after another one was chosen, and after a redraw."""
    page, output = opened(notebook, "kling-v3")
    ratio = field(output, "Aspect ratio")
    expect(ratio).to_have_value("default")
    ratio.select_option("1:1, square")
    ratio.select_option("default")
    expect(ratio).to_have_value("default")
    button(output, "Request preview").click()
    expect(output).not_to_contain_text("aspect_ratio")
    page.theme("dark")
    expect(ratio).to_have_value("default")


def test_the_player_tells_the_length_of_a_video(notebook: Notebook) -> None:
    """A file is shown with its length, a video at a URL is played; both are compared with the limits."""
    page, output = opened(notebook, "kling-v3-motion-control")
    fill(field(output, "Input video"), "5.mp4")
    expect(output).to_contain_text("5 s, 640 × 360 pixels")
    expect(output.locator("video")).to_have_count(0)
    field(output, "Orientation").select_option("as in the image")
    expect(output).not_to_contain_text("takes 3 to 10 s")
    fill(field(output, "Input video"), "12.mp4")
    expect(output).to_contain_text("The video is 12 s long; the limits are 3 to 10 s.")
    served = page.path.parent.relative_to(page.lab.root).as_posix()
    fill(field(output, "Input video"), f"{page.lab.url}/files/{served}/12.mp4")
    expect(output).to_contain_text("12 s, 640 × 360 pixels. The model takes 3 to 10 s.")
    expect(output.locator("video")).to_have_count(1)
    page.screenshot("form-2026-11-motion", of=output)
    assert page.problems == []


def test_several_shots_beside_the_prompt(notebook: Notebook) -> None:
    """The prompt stays visible above the shots, whose seconds become the duration."""
    page, output = opened(notebook, "kling-v3")
    field(output, "Multi-shot").check()
    expect(field(output, "Prompt")).to_be_visible()
    fill(field(output, "Shot 2"), "A heron lands")
    field(output, "Seconds").last.fill("4")
    field(output, "Seconds").last.press("Tab")
    expect(output).to_contain_text("7 of 15 s, 8 s left")
    expect(field(output, "Duration")).to_be_disabled()
    field(output, "Shot type").select_option("chosen by the model")
    expect(field(output, "Shot 2")).to_be_hidden()
    field(output, "Shot type").select_option("as listed")
    expect(field(output, "Shot 2")).to_have_value("A heron lands")
    page.screenshot("form-2026-11-shots", of=output)


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_editor_fits_a_narrow_window(notebook: Notebook, locale: str) -> None:
    """In a window as narrow as a phone, no control of the longest form is cut off, in any theme."""
    page, output = opened(notebook, "kling-v3-omni", f"qw.set_locale({locale!r})", width=400)
    page.write(1, EVERYTHING)
    page.run(1)
    expect(output.locator("img").first).to_be_attached()
    for theme in ("light", "dark"):
        page.theme(theme).screenshot(f"form-2026-11-{locale}-{theme}-400")
    assert output.evaluate(CUT_OFF) == []


def test_the_description_of_a_model_is_readable_at_every_width(notebook: Notebook) -> None:
    """A wide form shows a model with its description in one line, a narrow one has the description below.

    With its price, a model may be too long for the line; then its description is below in every form.
    """
    description = "a character moves as in a video, 1080p"
    page, output = opened(notebook, "kling-v2-6-motion-control")
    below = output.locator(".qingbo-about-model .qingbo-dim")
    select = field(output, "Model")
    expect(select.locator("option", has_text="$")).to_have_count(7)
    too_long = [text.replace("\xa0", " ") for text in select.evaluate(TOO_LONG)]
    expect(below).to_be_hidden()
    for text in too_long:
        select.select_option(text)
        expect(below).to_have_text(text.partition(": ")[2])
        expect(below).to_be_visible()
    select.select_option("kling-v2-6-motion-control · $0.063/s: a character moves as in a video, 1080p")
    expect(below).to_be_hidden()
    page.viewport(400)
    expect(below).to_have_text(description)
    expect(below).to_be_visible()
    assert page.output(1).evaluate(CUT_OFF) == []
