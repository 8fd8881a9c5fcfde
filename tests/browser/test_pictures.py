"""Pictures of this machine in a studio: what is shown of each kind, and their way to a playing video."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from harness import PANEL, Notebook, NotebookPage, playable
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.pictures import huge_png, of_16_bits, photograph, saved

SANDBOX = """
import qingbo_widgets as qw
manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True, contract="2026-11"))
manager.poll_interval = 0.25
"""
SERVICE = """
import threading
import qingbo_widgets as qw
server = qw.Sandbox(speed=20, draft=True, contract="2026-11", api_key="sandbox-key-1234567890").start()
gate, full = threading.Event(), threading.Event()

def upload(path):
    gate.wait(60)
    if full.is_set():
        raise OSError("the disk of the store is full")
    return server.publish(path)

manager = qw.connect("sandbox-key-1234567890", base_url=server.base_url, contract="2026-11"{upload})
manager.poll_interval = 0.25
"""
STUDIO = "qw.VideoStudio(manager, model='kling-3.0-turbo', prompt='A koi')"
LINK = re.compile(r"'image_urls': \['http://127\.0\.0\.1:\d+/[^']+\.(jpg|png)'\]")

PIXEL = """(image, [x, y]) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
}"""
"""JavaScript that returns the colour at a place of an image, given by its shares of the width and height."""

DROPPED = """(box, [name, type, content]) => {
    const dataTransfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    dataTransfer.items.add(new File([bytes], name, {type}));
    for (const kind of ['dragenter', 'dragover', 'drop'])
        box.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
}"""
"""JavaScript that drops a file on an element."""

#: The beginning of a picture of an iPhone.
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


def animation(form: str) -> bytes:
    """Return an animated picture, first red, then blue."""
    file = io.BytesIO()
    frames = [Image.new("RGB", (640, 360), colour) for colour in ("#cc2020", "#2020cc")]
    frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def half_clear() -> Image.Image:
    """Return a picture whose right half is transparent black."""
    image = Image.new("RGBA", (640, 360), (200, 30, 30, 255))
    image.paste((0, 0, 0, 0), (320, 0, 640, 360))
    return image


def turned() -> bytes:
    """Return the file of a phone that was held upright: the picture lies on its side, and EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(photograph(800, 600), "JPEG", exif=exif, quality=95)


def studio(notebook: Notebook, setup: str, *cells: str) -> tuple[NotebookPage, Locator]:
    """Run a notebook with a studio; return its page and the studio, once it takes files."""
    page = notebook([setup, STUDIO, *cells], width=1280)
    page.run(0).run(1)
    expect(button(page.output(1))).to_be_visible()
    expect(page.output(1).locator("[data-listens]")).to_have_count(1)  # the form is complete
    return page, page.output(1)


def button(output: Locator) -> Locator:
    """Return the button for the files of the first frame."""
    return output.get_by_role("button", name="Choose file… Image", exact=True)


def row(output: Locator) -> Locator:
    """Return the row of the first frame."""
    return output.locator(".qingbo-field-image_urls")


def choose(page: NotebookPage, output: Locator, file: Path) -> None:
    """Choose a file, as by mouse."""
    with page.page.expect_file_chooser() as chooser:
        button(output).click()
    chooser.value.set_files(file)


def drop(output: Locator, name: str, kind: str, content: bytes) -> None:
    """Drop a file on the row of the first frame."""
    row(output).evaluate(DROPPED, [name, kind, base64.b64encode(content).decode()])


def colour_at(output: Locator, x: float, y: float) -> list[int]:
    """Return the colour of the shown picture at a place, by its shares of the width and height."""
    colour: list[int] = output.get_by_alt_text("The first frame").evaluate(PIXEL, [x, y])
    return colour


def is_near(colour: Sequence[int], expected: Sequence[int]) -> bool:
    """Return whether two colours are the same but for compression."""
    return all(abs(one - other) < 40 for one, other in zip(colour, expected, strict=True))


def execute(page: NotebookPage, code: str) -> None:
    """Let the kernel run code, without moving the focus in the page."""
    page.page.evaluate(f"code => {{ {PANEL}.sessionContext.session.kernel.requestExecute({{code}}) }}", code)


def test_every_kind_of_picture(notebook: Notebook, tmp_path: Path) -> None:
    """Each kind is shown as it will be sent, with what was changed; or refused beside the control."""
    page, output = studio(notebook, SANDBOX)
    shown = output.get_by_alt_text("The first frame")
    generate = output.get_by_role("button", name="Generate", exact=True)

    phone = tmp_path / "IMG 0001.jpg"
    phone.write_bytes(turned())
    choose(page, output, phone)
    expect(output).to_contain_text("IMG-0001.jpg: JPEG, 600 × 800 pixels. The video will be 3:4.")
    width, height = shown.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert width * 4 == height * 3, f"the preview of the upright picture has {width} × {height} pixels"
    assert colour_at(output, 0.75, 0.25)[0] > 150, "the red quarter is not at the upper right, so it lies"
    page.screenshot("picture-upright", of=output)

    drop(output, "print.jpg", "image/jpeg", saved(photograph(640, 480).convert("CMYK"), "JPEG", quality=95))
    expect(output).to_contain_text("print.jpg: JPEG, 640 × 480 pixels.")
    assert is_near(colour_at(output, 0.25, 0.25), (220, 30, 0)), "the colours of the CMYK picture are wrong"

    grey = np.full((400, 600), 0x8000, np.uint16)
    drop(output, "scan.png", "image/png", of_16_bits(grey))
    expect(output).to_contain_text(re.compile(r"scan\.png: (PNG|JPEG), 600 × 400 pixels\."))
    assert is_near(colour_at(output, 0.5, 0.5), (128, 128, 128)), "the 16-bit grey is another one"

    for form, kind in (("GIF", "image/gif"), ("WEBP", "image/webp")):
        drop(output, f"wave.{form.lower()}", kind, animation(form))
        expect(output).to_contain_text(re.compile(r"wave\.(png|jpg|gif|webp): \w+, 640 × 360 pixels\."))
        expect(output).to_contain_text("Only the first frame of the animation is used.")
        assert is_near(colour_at(output, 0.5, 0.5), (0xCC, 0x20, 0x20)), (
            f"another frame of the {form} is shown"
        )

    drop(output, "logo.png", "image/png", saved(half_clear(), "PNG"))
    expect(output).to_contain_text("Transparent areas are now white.")
    expect(output).to_contain_text("logo.png: ")
    assert is_near(colour_at(output, 0.75, 0.5), (255, 255, 255)), "what is transparent is not white"
    page.screenshot("picture-with-alpha", of=output)
    expect(generate).to_be_enabled()

    (tmp_path / "IMG_0002.HEIC").write_bytes(HEIC)
    choose(page, output, tmp_path / "IMG_0002.HEIC")
    expect(row(output)).to_contain_text("has arrived")
    expect(output).to_contain_text("HEIC is not read here: convert it to JPEG")
    expect(generate).to_be_disabled()
    expect(shown).to_have_count(0)
    page.screenshot("picture-heic", of=output)

    drop(output, "scan of a wall.png", "image/png", huge_png(20_000))
    expect(output).to_contain_text("The picture has 20000 × 20000 pixels; the limit is 80 million")
    expect(generate).to_be_disabled()
    output.get_by_label("Prompt", exact=True).fill("A koi, and the page is alive")
    expect(output).to_contain_text("28 characters")

    row(output).locator("input[type=text]").fill("")
    expect(generate).to_be_enabled()
    assert page.problems == []


def test_from_a_photograph_to_a_playing_video_by_keyboard(notebook: Notebook, tmp_path: Path) -> None:
    """With Tab, Enter and Space only, a picture of the disk becomes a video."""
    page, output = studio(notebook, SANDBOX, "print(*manager.sandbox.requests.values())")
    (tmp_path / "koi pond.jpg").write_bytes(saved(photograph(1280, 720), "JPEG"))
    output.get_by_label("Prompt", exact=True).focus()
    for _ in range(4):
        page.page.keyboard.press("Tab")
        if button(output).evaluate("element => element === document.activeElement"):
            break
    expect(button(output)).to_be_focused()
    with page.page.expect_file_chooser() as chooser:
        page.page.keyboard.press("Enter")
    chooser.value.set_files(tmp_path / "koi pond.jpg")
    expect(output).to_contain_text("koi-pond.jpg: JPEG, 1280 × 720 pixels. The video will be 16:9.")
    expect(button(output)).to_be_focused()
    for _ in range(20):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.textContent.trim()") == "Generate":
            break
    page.page.keyboard.press("Space")
    video = output.locator("video:visible").first
    assert playable(video)["width"] > 0
    expect(output).to_contain_text("Image: koi-pond.jpg")
    page.run(2)
    expect(page.output(2)).to_contain_text(LINK)
    assert page.problems == []


def test_an_upload_that_is_cancelled_fails_and_is_repeated(notebook: Notebook, tmp_path: Path) -> None:
    """The form says where a picture goes; the card, what is being uploaded, why it failed and what next."""
    setup = SERVICE.format(upload=", upload=upload")
    page, output = studio(notebook, setup, "print(*server.requests.values())")
    (tmp_path / "锦鲤 pond.png").write_bytes(saved(photograph(1280, 720), "PNG"))
    choose(page, output, tmp_path / "锦鲤 pond.png")
    expect(output).to_contain_text("锦鲤-pond.png: PNG, 1280 × 720 pixels")
    expect(output).to_contain_text("Local files are uploaded to upload(). Anyone with the link can see them.")
    generate = output.get_by_role("button", name="Generate", exact=True)
    message = "Uploading 锦鲤-pond.png…"

    generate.click()
    expect(output).to_contain_text(message)
    page.screenshot("picture-uploading", of=output)
    output.get_by_role("button", name="Cancel", exact=True).click()
    expect(output).to_contain_text("Cancelled")
    expect(output).not_to_contain_text(message)

    execute(page, "full.set(); gate.set()")
    generate.click()
    expect(output).to_contain_text("the disk of the store is full. Nothing was submitted or charged.")
    page.screenshot("picture-upload-failed", of=output)
    execute(page, "full.clear()")
    output.get_by_role("button", name="Submit again").click()
    assert playable(output.locator("video:visible").first)["width"] > 0
    page.run(2)
    expect(page.output(2)).to_contain_text(LINK)
    assert page.output_text(2).count("image_urls") == 1, "a picture that did not arrive was submitted"
    assert page.problems == []


def test_without_a_place_for_uploads(notebook: Notebook, tmp_path: Path) -> None:
    """The form says so before anything is chosen, with the line to add, and after that at the picture."""
    page, output = studio(notebook, SERVICE.format(upload=""))
    expect(output).to_contain_text(
        'connect with a place to upload them: qw.connect(upload="s3://bucket/folder")'
    )
    (tmp_path / "koi pond.png").write_bytes(saved(photograph(1280, 720), "PNG"))
    choose(page, output, tmp_path / "koi pond.png")
    expect(output).to_contain_text("koi-pond.png is on this machine, but the service reads public URLs only.")
    expect(output).to_contain_text('qw.connect(upload="s3://bucket/folder")')
    expect(output).not_to_contain_text("connect with a place to upload them")
    expect(output.get_by_role("button", name="Generate", exact=True)).to_be_disabled()
    expect(output.get_by_alt_text("The first frame")).to_be_visible()
    page.screenshot("picture-without-upload", of=output)
    assert page.problems == []
