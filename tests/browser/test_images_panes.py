"""Use of images, masks, the request panes, presets and drafts in a browser."""

from __future__ import annotations

import ast
import io
import json
import re
import urllib.request
from pathlib import Path

import pytest
from harness import PATIENCE, Notebook, NotebookPage
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, expect

from tests.faults.server import FaultServer, answer

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True))\n"
    "manager.poll_interval = 0.25"
)
PAINTED = re.compile(r"[/\\]masks[/\\]mask-[\w-]+\.png$")
THREE_POINTS = re.compile(r"^\[(\[\d+, \d+\](, )?){3}\]$")
WRITTEN = """async ([folder, text]) => {
    const contents = jupyterapp.serviceManager.contents;
    try {
        const files = (await contents.get(folder)).content;
        const texts = await Promise.all(files.map(file => contents.get(file.path)));
        return texts.some(file => file.content.includes(text));
    } catch { return false; }
}"""
"""JavaScript that returns whether a file in a folder of Jupyter contains a text."""
MASKS = "studio = qw.VideoStudio(model='kling-v1-6', prompt='一条锦鲤')\nstudio"


def picture(folder: Path, name: str, width: int = 1200, height: int = 675, mode: str = "RGB") -> None:
    """Write a picture of a pond with a koi into the notebook's folder."""
    image = Image.new(mode, (width, height), "#7fb3d5" if mode == "RGB" else None)
    ImageDraw.Draw(image).ellipse((width / 4, height / 3, width / 2, height / 1.5), fill="#e67e22")
    image.save(folder / name)


def opened(notebook: Notebook, *cells: str, width: int = 1280) -> tuple[NotebookPage, Locator]:
    """Run a notebook beside three pictures and a text file; return its page and the studio's output."""
    page = notebook([CONNECTED, *cells], width=width)
    picture(page.path.parent, "koi pond.png")
    picture(page.path.parent, "koi.png", mode="RGBA")
    picture(page.path.parent, "small.png", 200, 200)
    (page.path.parent / "koi.txt").write_text("A koi", encoding="utf-8")
    page.run_all()
    return page, page.output(1)


def field(output: Locator, label: str) -> Locator:
    """Return the control with this label."""
    return output.get_by_label(label, exact=True)


def button(output: Locator, name: str) -> Locator:
    """Return the button with this name."""
    return output.get_by_role("button", name=name, exact=name in ("Generate", "Regenerate", "Reset"))


def choose(output: Locator, name: str) -> None:
    """Choose a mask or a tool of the motion brush."""
    output.locator(".qingbo-segments label").filter(has_text=re.compile(f"^{name}$")).click()


def painted(url: str) -> Image.Image:
    """Fetch a mask and return its alpha channel."""
    with urllib.request.urlopen(url) as answered, Image.open(answered) as image:
        return image.getchannel("A")


def test_an_image_is_shown_and_checked(notebook: Notebook) -> None:
    """A good image is shown with its shape, a small one with a hint; a non-image keeps Generate disabled."""
    page, output = opened(notebook, "qw.VideoStudio(prompt='一条锦鲤')")
    url = field(output, "Image")
    url.fill("koi pond.png")
    image = output.get_by_alt_text("The first frame")
    expect(image).to_be_visible()
    assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [1200, 675]
    expect(output).to_contain_text("The video will be 16:9.")
    expect(url).to_have_value("koi pond.png")
    expect(output).to_contain_text("The sandbox reads it on this machine.")
    expect(button(output, "Generate")).to_be_enabled()
    page.screenshot("image")

    url.fill("small.png")
    expect(output).to_contain_text("Enlarged to 300 × 300 pixels")
    expect(button(output, "Generate")).to_be_enabled()

    url.fill("koi.txt")
    expect(output).to_contain_text("not a picture")
    expect(button(output, "Generate")).to_be_disabled()

    url.fill(page.lab.url + "/static/favicons/favicon.ico")
    expect(output).to_contain_text("This is not a JPEG, PNG or WebP")
    expect(button(output, "Generate")).to_be_disabled()
    url.fill(page.lab.url + "/nothing.png")
    expect(output).to_contain_text("returns 404")
    assert page.problems == []


def test_a_mask_is_drawn_on_the_image(notebook: Notebook) -> None:
    """Clicks add points to the path and arrow keys move them; the submitted task has these points."""
    page, output = opened(notebook, MASKS, "print(manager.tasks[-1].request.dynamic_masks[0].trajectories)")
    field(output, "Image").fill("koi pond.png")
    button(output, "Motion brush").click()
    button(output, "Add a dynamic mask").click()
    field(output, "Dynamic mask 1").fill("koi.png")
    canvas = output.locator(".qingbo-canvas svg")
    expect(canvas).to_be_visible()
    choose(output, "Path")
    path = field(output, "Path 1")
    for number, (x, y) in enumerate(((100, 100), (200, 150), (300, 100)), 1):
        canvas.click(position={"x": x, "y": y})
        expect(canvas.locator("circle")).to_have_count(number)
    expect(path).to_have_value(THREE_POINTS)
    width = canvas.evaluate("svg => svg.clientWidth")
    points = json.loads(path.input_value())
    assert all(
        abs(point[0] - x * 1200 / width) <= 2 for point, x in zip(points, (100, 200, 300), strict=True)
    )
    assert points[1][1] < points[0][1] == points[2][1]  # the second click was lower: y counts from the bottom
    for theme in ("light", "dark"):
        page.theme(theme).screenshot(f"masks-{theme}")
    page.theme("light")

    canvas.locator("circle").nth(2).focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Shift+ArrowUp")
    expect(path).to_have_value(json.dumps([*points[:2], [points[2][0] + 1, points[2][1] + 10]]))
    page.page.keyboard.press("Delete")
    expect(canvas.locator("circle")).to_have_count(2)
    expect(path).to_have_value(json.dumps([list(point) for point in points[:2]]))

    path.fill("[[10, 20], [600, 300], [900, 100]]")
    expect(canvas.locator("circle")).to_have_count(3)
    button(output, "Generate").click()
    expect(output).to_contain_text("Finished", timeout=2 * PATIENCE)
    page.run(2)
    expect(page.output(2)).to_contain_text("((10, 20), (600, 300), (900, 100))")
    assert page.problems == []


def test_a_mask_is_painted_with_the_mouse_and_the_keyboard(notebook: Notebook) -> None:
    """Strokes by mouse and keys arrive at the service, with Generate clicked at once; undo takes back."""
    page, output = opened(
        notebook, MASKS, "print(*manager.sandbox.requests.values())\nprint(studio.form.problems)"
    )
    field(output, "Image").fill("koi pond.png")
    button(output, "Motion brush").click()
    canvas, status = output.locator(".qingbo-canvas svg"), output.locator(".qingbo-canvas-status")
    expect(canvas).to_be_visible()
    expect(output.get_by_alt_text("The first frame").locator("visible=true")).to_have_count(1)
    expect(output.get_by_role("radio", name="Brush")).to_be_enabled()
    box = canvas.evaluate("svg => [svg.clientWidth, svg.clientHeight]")
    canvas.hover(position={"x": 0.3 * box[0], "y": 0.5 * box[1]})
    page.page.mouse.down()
    canvas.hover(position={"x": 0.4 * box[0], "y": 0.5 * box[1]})
    page.page.mouse.up()
    expect(status).to_contain_text("Painted. Dynamic 1: ")
    expect(status).to_contain_text("Choose Path")
    choose(output, "Path")
    for x in (0.4, 0.7):
        canvas.click(position={"x": x * box[0], "y": 0.5 * box[1]})
    expect(canvas.locator("circle")).to_have_count(2)

    choose(output, "Static")
    canvas.focus()
    keyboard = page.page.keyboard
    for key in ("Shift+ArrowRight", "Shift+ArrowUp", "Space"):
        keyboard.press(key)
    expect(status).to_contain_text("Painted. Static: ")
    for key in ("b", "ControlOrMeta+z"):
        keyboard.press(key)
    expect(status).to_contain_text("Undone. Static: nothing painted.")
    keyboard.press("ControlOrMeta+Shift+Z")
    expect(status).to_contain_text("Redone. Static: ")
    page.screenshot("motion-brush")
    button(output, "Generate").click()
    expect(output).to_contain_text("Finished", timeout=2 * PATIENCE)

    page.run(2)
    text = page.output_text(2)
    sent = ast.literal_eval(text.splitlines()[0])["extra"]
    moving, still = (painted(url) for url in (sent["dynamic_masks"][0]["mask_url"], sent["static_mask"]))
    assert moving.size == still.size == (1200, 675), "a mask has not the picture's size"
    assert moving.getpixel((420, 337)) == 255, "the stroke of the mouse is not in the mask"
    assert (moving.getpixel((700, 337)), moving.getpixel((420, 100))) == (0, 0)
    scale = 1200 / box[0]  # the keys moved the brush by 40 pixels of the screen, from the last click
    spot = (round(0.7 * 1200 + 40 * scale), round(337 - 40 * scale))
    assert (still.getpixel(spot), still.getpixel((100, 100))) == (255, 0), "the keys painted elsewhere"
    assert sent["dynamic_masks"][0]["trajectories"][0]["x"] == pytest.approx(480, abs=3)
    assert page.problems == []


def test_a_slow_upload_of_a_mask_blocks_nothing(notebook: Notebook) -> None:
    """Generate, clicked twice right after a stroke, makes one task, which uploads the mask by itself."""
    upload = (
        "import threading\n"
        "may_end = threading.Event()\n"
        "def upload(path):\n"
        "    assert may_end.wait(60)\n"
        "    return manager.sandbox.publish(path)\n"
        f"manager.upload = upload\n{MASKS}"
    )
    page, output = opened(
        notebook, upload, "may_end.clear()", "print(*[task.request.static_mask for task in manager.tasks])"
    )
    field(output, "Image").fill("koi pond.png")
    button(output, "Motion brush").click()
    canvas = output.locator(".qingbo-canvas svg")
    expect(output.get_by_role("radio", name="Brush")).to_be_enabled()
    choose(output, "Static")
    canvas.focus()
    page.page.keyboard.press("Space")
    expect(output.locator(".qingbo-canvas-status")).to_contain_text("Painted. Static: ")
    generate = output.locator("button.mod-primary")
    generate.dblclick()
    expect(output.locator(".qingbo-card:visible")).to_have_count(1)
    expect(output.locator(".qingbo-card:visible")).to_contain_text("Uploading")
    expect(generate).to_have_text("Generate")
    page.screenshot("mask-uploading")
    page.write(2, "may_end.set()").run(2)
    expect(output).to_contain_text("Finished", timeout=2 * PATIENCE)
    expect(output.locator(".qingbo-card:visible")).to_have_count(1)
    page.run(3)
    expect(page.output(3)).to_have_text(re.compile(r"inputs/mask-1200x675-[\w-]+\.png\s*$"))
    assert page.problems == []


def test_a_finger_paints_and_does_not_scroll(notebook: Notebook) -> None:
    """On a narrow touch screen a drag over the image paints."""
    page, output = opened(notebook, MASKS, width=400)
    field(output, "Image").fill("koi pond.png")
    button(output, "Motion brush").click()
    canvas = output.locator(".qingbo-canvas svg")
    expect(canvas).to_be_visible()
    expect(output.get_by_role("radio", name="Brush")).to_be_enabled()  # the image is loaded
    assert canvas.evaluate("svg => getComputedStyle(svg).touchAction") == "none"
    canvas.evaluate(
        """svg => {
            const { left, top, width, height } = svg.getBoundingClientRect();
            const touch = (type, x) => svg.dispatchEvent(new PointerEvent(type, {
                pointerId: 7, pointerType: 'touch', isPrimary: true, bubbles: true, cancelable: true,
                button: type === 'pointermove' ? -1 : 0, clientX: left + x * width, clientY: top + height / 2,
            }));
            svg.setPointerCapture = () => {};
            touch('pointerdown', 0.2); touch('pointermove', 0.5); touch('pointerup', 0.5);
        }"""
    )
    expect(output.locator(".qingbo-canvas-status")).to_contain_text("Painted. Dynamic 1: ")
    expect(field(output, "Dynamic mask 1")).to_have_value(PAINTED)
    page.screenshot("motion-brush-400")
    assert page.problems == []


def test_the_request_panes_follow_the_form_and_can_be_copied_and_pasted(notebook: Notebook) -> None:
    """The panes follow the input; the copied call matches the form; pasting fills in the form."""
    page, output = opened(notebook, "studio = qw.VideoStudio()\nstudio", "qw.VideoRequest()")
    button(output, "Request preview").click()
    field(output, "Prompt").fill("一条锦鲤")
    body, call = output.locator(".qingbo-code pre").nth(0), output.locator(".qingbo-code pre").nth(1)
    expect(body).to_contain_text('"prompt": "一条锦鲤"')
    field(output, "Mode").select_option("pro, 1080p")
    expect(call).to_have_text('qw.generate("一条锦鲤", mode="pro")')
    page.screenshot("sent")

    button(output, "Copy the Python call").click()
    expect(button(output, "Copy the Python call")).to_have_text("Copied")
    field(output, "Prompt").fill("")
    field(output, "Prompt").press("ControlOrMeta+v")
    expect(field(output, "Prompt")).to_have_value('qw.generate("一条锦鲤", mode="pro")')

    command = (
        "curl -X POST https://qingbo.dev/v1/tasks \\\n -H 'Authorization: Bearer sk-sentinel' \\\n -d '"
        '{"model": "kling-v1", "prompt": "A fox", "duration": 10, "seed": 7, "extra": {"cfg_scale": 0.8}}\''
    )
    field(output, "Fill in from JSON").fill(command)
    button(output, "Fill in the form").click()
    expect(output).to_contain_text("Left out: seed: 7")
    expect(field(output, "Prompt")).to_have_value("A fox")
    expect(field(output, "CFG scale")).to_have_value("0.8")
    expect(field(output, "Fill in from JSON")).to_have_value("")
    page.save()
    assert "sentinel" not in page.path.read_text(encoding="utf-8")
    assert page.problems == []


def test_typed_text_survives(notebook: Notebook) -> None:
    """The text survives a rerun of the cell and a restart of the kernel; ``Reset`` clears it."""
    page, output = opened(notebook, "qw.VideoStudio()")
    drafts = page.path.parent / "qingbo_videos" / "drafts"
    field(output, "Prompt").fill("一条锦鲤在池塘中")
    expect(output).to_contain_text("8 / 2500")
    page.run(1)
    expect(field(output, "Prompt")).to_have_value("一条锦鲤在池塘中")

    page.page.wait_for_function(
        WRITTEN, arg=[drafts.relative_to(page.lab.root).as_posix(), "池塘"], timeout=PATIENCE
    )
    page.shutdown_kernel().reload()
    page.run_all()
    expect(field(output, "Prompt")).to_have_value("一条锦鲤在池塘中", timeout=PATIENCE)
    button(output, "Presets").click()
    button(output, "Reset").click()
    expect(field(output, "Prompt")).to_have_value("")
    page.run(1)
    expect(field(output, "Prompt")).to_have_value("")


def test_presets_and_the_buttons_of_finished_tasks(notebook: Notebook) -> None:
    """A form is saved under a name and loaded; a finished task fills in the form or is submitted again."""
    page, output = opened(notebook, "qw.VideoStudio(duration=3)")
    prompt = field(output, "Prompt")
    prompt.fill("一条锦鲤")
    button(output, "Presets").click()
    field(output, "Save as").fill("锦鲤")
    output.get_by_role("button", name="Save", exact=True).click()
    expect(output).to_contain_text("Saved as 锦鲤.")
    button(output, "Generate").click()
    expect(button(output, "Edit and regenerate")).to_be_visible(timeout=2 * PATIENCE)
    prompt.fill("竹林里，熊猫正在打滚")
    output.get_by_role("button", name="Load", exact=True).click()
    expect(prompt).to_have_value("一条锦鲤")
    prompt.fill("竹林里，熊猫正在打滚")
    button(output, "Edit and regenerate").click()
    expect(prompt).to_have_value("一条锦鲤")
    button(output, "Regenerate").click()
    expect(output.locator(".qingbo-card:visible")).to_have_count(2)
    expect(button(output, "Regenerate")).to_have_count(2, timeout=2 * PATIENCE)
    page.screenshot("presets")
    assert page.problems == []


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_an_image_in_a_foreign_preset_waits_for_a_click(notebook: Notebook, locale: str) -> None:
    """No image of a foreign preset is fetched before a click, by kernel or page; its callback is shown."""
    png = io.BytesIO()
    Image.new("RGB", (1200, 675), "#7fb3d5").save(png, "PNG")
    with FaultServer(otherwise=answer(png.getvalue(), Content_Type="image/png")) as stranger:
        preset = {
            "model": "kling-v1-6",
            "prompt": "一条锦鲤",
            "image_urls": [f"{stranger.url}/koi.png"],
            "dynamic_masks": [{"mask_url": f"{stranger.url}/mask.png", "trajectories": [[10, 20], [30, 40]]}],
            "callback_url": "https://stranger.example/collect",
        }
        page, output = opened(
            notebook,
            f"studio = qw.VideoStudio(locale={locale!r})\nstudio",
            f"_ = studio.form.load({preset!r})",
        )
        show_image, masks = ("Show the image", "Motion brush") if locale == "en" else ("显示图片", "运动笔刷")
        requested: list[str] = []
        page.page.on("request", lambda request: requested.append(request.url))
        expect(button(output, show_image)).to_be_visible()
        expect(output).to_contain_text(
            "stranger.example (https" if locale == "en" else "stranger.example（https"
        )
        button(output, masks).click()
        first = "Show the image above first" if locale == "en" else "请先在上方显示图片"
        expect(output).to_contain_text(first)
        expect(output.locator("img:visible")).to_have_count(0)
        for theme in ("light", "dark"):
            for width in (1280, 400):
                page.theme(theme).viewport(width).screenshot(f"stranger-{locale}-{theme}-{width}")
        assert stranger.requests == []
        assert not any(url.startswith(stranger.url) for url in requested)

        page.theme("light").viewport(1280)
        button(output, show_image).click()
        # The image is shown once: in the open panel, to draw on.
        expect(output.locator("img[src^='data:']:visible")).to_have_count(1)
        expect(button(output, show_image)).to_have_count(0)
        assert {request.path for request in stranger.requests} == {"/koi.png"}, (
            "the mask was fetched without a click"
        )
        page.screenshot(f"stranger-{locale}-looked")
    assert page.problems == []


def test_ctrl_enter_in_the_paste_field_sends_no_text(notebook: Notebook) -> None:
    """Ctrl+Enter sends the text of a prompt, but not a pasted command, which may contain a key."""
    page, output = opened(notebook, "studio = qw.VideoStudio(prompt='一条锦鲤')\nstudio")
    sent: list[str] = []
    page.page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(str(data))))
    page.reload()
    page.run_all()
    button(output, "Request preview").click()
    area = field(output, "Fill in from JSON")
    area.fill("curl https://x -H 'Authorization: Bearer sk-sentinel-1234'")
    area.press("ControlOrMeta+Enter")
    area.press("Tab")
    expect(area).to_have_value("curl https://x -H 'Authorization: Bearer …'")
    with_key = [data for data in sent if "sk-sentinel-1234" in data]
    assert len(with_key) == 1, "only the message of the field itself, which Jupyter does not log"
    assert "label" not in with_key[0]
    page.save()
    assert "sentinel" not in page.path.read_text(encoding="utf-8")


def test_the_panels_fit_a_narrow_window(notebook: Notebook) -> None:
    """In a window as narrow as a phone, no control of image, masks, panes and presets is cut off."""
    page, output = opened(notebook, MASKS, width=400)
    field(output, "Image").fill("koi pond.png")
    expect(output.get_by_alt_text("The first frame")).to_be_visible()
    for panel, inside in (
        ("Motion brush", "Add a dynamic mask"),
        ("Presets", "Reset"),
        ("Request preview", "Fill in the form"),
    ):
        button(output, panel).click()
        expect(button(output, inside)).to_be_visible()
        if panel == "Motion brush":
            button(output, inside).click()
            expect(output.locator(".qingbo-canvas svg")).to_be_visible()
        page.screenshot(f"narrow-{panel.lower().replace(' ', '-')}", of=output)
        outside = output.evaluate(
            """area => {
                const right = area.getBoundingClientRect().right + 1;
                return [...area.querySelectorAll('button, input, select, textarea, img, pre, svg')]
                    .filter(element => element.getBoundingClientRect().right > right)
                    .map(element => element.outerHTML.slice(0, 120));
            }"""
        )
        assert outside == []
        button(output, panel).click()
