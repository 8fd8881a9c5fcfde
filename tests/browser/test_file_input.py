"""Files for the fields of pictures and videos: chosen, dropped and pasted, with a kernel that may be busy."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy
import pytest
from harness import PANEL, PATIENCE, Notebook, NotebookPage
from PIL import Image
from playwright.sync_api import Locator, expect

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "sandbox = qw.Sandbox(speed=20, draft=True, contract={contract!r}).start()\n"
    "manager = qw.connect(sandbox=sandbox)"
)
FORM = "form = qw.RequestForm(manager, model={model!r}, prompt='A koi')\nform"
STORED = re.compile(r"[/\\]qingbo_videos[/\\]chosen[/\\][^/\\]+-[0-9a-f]{16}\.(jpg|png)$")
"""The path of a file that came from the page."""
BUSY = "import time\ntime.sleep({seconds})"

TRANSFER = """files => {
    const data = new DataTransfer();
    for (const {name, type, content} of files) {
        const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, {type}));
    }
    return data;
}"""
"""JavaScript that returns files as they are dragged or pasted."""

COPY = """async content => {
    const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    const picture = new Blob([bytes], {type: 'image/png'});
    await navigator.clipboard.write([new ClipboardItem({'image/png': picture})]);
}"""
"""JavaScript that puts a picture into the clipboard of the system, as a program for screenshots does."""

CELLS = f"() => {PANEL}.content.widgets.length"


def opened(
    notebook: Notebook, model: str = "kling-v3", *cells: str, contract: str = "2026-11", width: int = 1280
) -> tuple[NotebookPage, Locator]:
    """Run a notebook with a form; return its page and the form, once it has its button for files."""
    page = notebook([CONNECTED.format(contract=contract), FORM.format(model=model), *cells], width=width)
    for index in (0, 1):
        page.run(index)
    expect(choose(page.output(1))).to_be_visible()
    return page, page.output(1)


def choose(output: Locator, field: str = "Image") -> Locator:
    """Return the button for the files of a field."""
    return output.get_by_role("button", name=re.compile(rf"^Choose files?… {field}")).first


def inputs(output: Locator, field: str) -> Locator:
    """Return the text fields of a control, by the name of the field."""
    return output.locator(f".qingbo-field-{field} input[type=text]")


def picture(path: Path, width: int = 1280, height: int = 720, colour: str = "#7fb3d5") -> Path:
    """Write a small picture."""
    Image.new("RGB", (width, height), colour).save(path)
    return path


def photograph(path: Path) -> Path:
    """Write a photograph of about 15 MB."""
    noise = numpy.random.default_rng(1).integers(0, 255, (2900, 3900, 3), dtype="uint8")
    Image.fromarray(noise).save(path, quality=96)
    assert 13_000_000 < path.stat().st_size < 17_000_000
    return path


def keep_busy(page: NotebookPage) -> None:
    """Begin to run the third cell."""
    page.page.evaluate(
        f"() => {{ {PANEL}.content.activeCellIndex = 2; jupyterapp.commands.execute('notebook:run-cell'); }}"
    )
    page.page.wait_for_function(f"() => {PANEL}.sessionContext.session.kernel.status === 'busy'")


def dragged(page: NotebookPage, *files: Path, kind: str = "image/png") -> object:
    """Return files as the page gets them when they are dragged or pasted."""
    given = [
        {"name": file.name, "type": kind, "content": base64.b64encode(file.read_bytes()).decode()}
        for file in files
    ]
    return page.page.evaluate_handle(TRANSFER, given)


def saved(page: NotebookPage) -> list[Path]:
    """Return what is in the folder of pictures, hidden files too."""
    return sorted((page.path.parent / "qingbo_videos" / "chosen").glob("*"))


def test_a_photograph_of_15_mb_is_chosen(notebook: Notebook, tmp_path: Path) -> None:
    """A large photograph arrives in pieces with its progress, and is saved as it is."""
    page, output = opened(notebook)
    photo = photograph(tmp_path / "锦鲤 pond.jpg")
    sent: list[int] = []
    page.page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(len(data))))
    page.reload()
    for index in (0, 1):
        page.run(index)
    said = page.page.evaluate_handle(
        """() => {
            const said = [], area = document.querySelector('.jp-Notebook');
            const note = () => said.push(document.querySelector('.qingbo-file-line span')?.textContent);
            new MutationObserver(note).observe(area, {subtree: true, childList: true, characterData: true});
            return said;
        }"""
    )
    with page.page.expect_file_chooser() as chooser:
        choose(output).click()
    assert chooser.value.is_multiple()
    chooser.value.set_files(photo)
    expect(inputs(output, "image_urls")).to_have_value(STORED, timeout=PATIENCE)
    total = -(-photo.stat().st_size // 1_000_000)
    assert any(re.search(rf"锦鲤 pond\.jpg: \d+ of {total} MB", text or "") for text in said.json_value()), (
        "no progress was shown"
    )
    assert max(sent) < 2_000_000, "a message is so large that a server may close the connection"
    (file,) = saved(page)
    assert file.read_bytes() == photo.read_bytes()
    assert re.fullmatch(r"锦鲤-pond-[0-9a-f]{16}\.jpg", file.name)
    expect(output.locator(".qingbo-file-line")).to_have_count(0)
    assert page.problems == []


def test_files_are_dropped_on_the_row(notebook: Notebook, tmp_path: Path) -> None:
    """Files that are dropped anywhere on the row are taken in their order; a wrong one is refused."""
    page, output = opened(notebook)
    first, last = picture(tmp_path / "first.png"), picture(tmp_path / "last.png", colour="#e67e22")
    row = output.locator(".qingbo-field-image_urls")
    data = dragged(page, first, last)
    row.dispatch_event("dragenter", {"dataTransfer": data})
    row.dispatch_event("dragover", {"dataTransfer": data})
    expect(row).to_have_class(re.compile("qingbo-files-over"))
    page.screenshot("file-dragged", of=output)
    page.theme("dark").screenshot("file-dragged-dark", of=output)
    page.theme("light")
    row.dispatch_event("dragleave", {"dataTransfer": data})
    expect(row).not_to_have_class(re.compile("qingbo-files-over"))
    row.locator("label", has_text="Images").dispatch_event("drop", {"dataTransfer": data})
    expect(inputs(output, "image_urls")).to_have_count(2)
    expect(inputs(output, "image_urls").last).to_have_value(STORED)
    assert [file.name.partition("-")[0] for file in saved(page)] == ["first", "last"]
    shown = output.get_by_alt_text("First frame")
    expect(shown).to_be_visible()
    colour = shown.evaluate(
        """image => {
            const canvas = document.createElement('canvas');
            canvas.getContext('2d').drawImage(image, 0, 0, 1, 1);
            return [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data];
        }"""
    )
    assert colour[:3] == [0x7F, 0xB3, 0xD5], "the pictures have changed places"

    row.dispatch_event("drop", {"dataTransfer": dragged(page, first)})
    expect(output).to_contain_text("There is no room for first.png")
    text = tmp_path / "koi.txt"
    text.write_text("A koi", encoding="utf-8")
    row.dispatch_event("drop", {"dataTransfer": dragged(page, text, kind="text/plain")})
    expect(output).to_contain_text("koi.txt is not a picture.")
    page.screenshot("file-refused", of=output)
    assert len(saved(page)) == 2
    assert page.problems == []


def test_a_picture_is_pasted_and_text_stays_text(notebook: Notebook, tmp_path: Path) -> None:
    """Ctrl+V takes a picture from the system's clipboard, in the field and beside it; text is typed."""
    page, output = opened(notebook, "kling-v3-motion-control")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    content = base64.b64encode(picture(tmp_path / "koi.png").read_bytes()).decode()
    text, cells = inputs(output, "image_urls"), page.page.evaluate(CELLS)
    page.page.evaluate("() => navigator.clipboard.writeText('https://example.com/koi.png')")
    text.press("ControlOrMeta+v")
    expect(text).to_have_value("https://example.com/koi.png")
    text.fill("")

    page.page.evaluate(COPY, content)
    text.press("ControlOrMeta+v")
    expect(text).to_have_value(STORED)
    text.fill("")
    page.page.keyboard.press("Tab")
    expect(choose(output)).to_be_focused()
    page.page.keyboard.press("ControlOrMeta+v")
    expect(text).to_have_value(STORED)
    (file,) = saved(page)
    assert file.name.startswith("pasted-"), "the same screenshot is there once, under a name of its own"
    assert page.page.evaluate(CELLS) == cells, "the notebook pasted a cell"

    text.fill("")
    copied = dragged(page, picture(tmp_path / "a b.png", colour="#e67e22"))
    text.evaluate(
        "(field, clipboardData) => field.dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}))",
        copied,
    )
    expect(text).to_have_value(STORED)
    assert any(file.name.startswith("a-b-") for file in saved(page))
    assert page.problems == []


def test_by_keyboard_with_a_busy_kernel(notebook: Notebook, tmp_path: Path) -> None:
    """Without a mouse a file is chosen; the page says what it waits for, and a file can be cancelled."""
    page, output = opened(notebook, "kling-v3", BUSY.format(seconds=8))
    photo, small = photograph(tmp_path / "photo.jpg"), picture(tmp_path / "small.png")
    keep_busy(page)
    for file in (photo, small):
        with page.page.expect_file_chooser() as chooser:
            choose(output).press("Enter")
        chooser.value.set_files(file)
    lines = output.locator(".qingbo-file-line")
    expect(lines.first).to_contain_text("photo.jpg: Waiting for the kernel…")
    expect(output.locator(".qingbo-file-spoken").first).to_contain_text("Waiting for the kernel…")
    expect(output.get_by_role("progressbar", name="photo.jpg")).to_be_visible()
    page.screenshot("file-waiting", of=output)
    output.get_by_role("button", name="Cancel photo.jpg").focus()
    page.page.keyboard.press("Enter")
    expect(lines).to_have_count(1)
    expect(choose(output)).to_be_focused()
    expect(inputs(output, "image_urls")).to_have_value(STORED, timeout=PATIENCE)
    expect(lines).to_have_count(0)
    assert [file.name.partition("-")[0] for file in saved(page)] == ["small"], "a part of a file is left"
    assert page.problems == []


def test_a_page_that_is_closed_in_the_middle(notebook: Notebook, tmp_path: Path) -> None:
    """The page that is loaded again says which file did not arrive; nothing is left of it."""
    page, output = opened(notebook, "kling-v3", BUSY.format(seconds=6))
    page.save()
    keep_busy(page)
    with page.page.expect_file_chooser() as chooser:
        choose(output).click()
    chooser.value.set_files(photograph(tmp_path / "photo.jpg"))
    expect(output.locator(".qingbo-file-line")).to_contain_text("Waiting for the kernel…")
    page.page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(output).to_contain_text("photo.jpg did not arrive, because the page was closed.", timeout=PATIENCE)
    assert saved(page) == []
    expect(inputs(output, "image_urls")).to_have_value("")
    choose(output).locator("xpath=..").locator("input").set_input_files(picture(tmp_path / "small.png"))
    expect(inputs(output, "image_urls")).to_have_value(STORED)
    expect(output).not_to_contain_text("did not arrive")


@pytest.mark.parametrize("end", ["shutdown", "restart"])
def test_a_kernel_that_ends_in_the_middle(notebook: Notebook, tmp_path: Path, end: str) -> None:
    """A file on its way to a kernel that is shut down, or restarted, ends with a message."""
    page, output = opened(notebook, "kling-v3", BUSY.format(seconds=60))
    keep_busy(page)
    output.locator(".qingbo-file input").first.set_input_files(photograph(tmp_path / "photo.jpg"))
    expect(output.locator(".qingbo-file-line")).to_contain_text("Waiting for the kernel…")
    if end == "shutdown":
        page.shutdown_kernel()
    else:
        page.page.evaluate(f"() => {PANEL}.sessionContext.restartKernel()")
    expect(output).to_contain_text("The kernel is gone, and photo.jpg did not arrive.")


def test_a_file_of_jupyters_own_browser(notebook: Notebook, tmp_path: Path) -> None:
    """A file that is dragged from JupyterLab's file browser is taken by its path, without a copy."""
    page, output = opened(notebook)
    picture(page.path.parent / "koi pond.png")
    page.command("filebrowser:activate")
    page.command("filebrowser:go-to-path", path=page.path.parent.relative_to(page.lab.root).as_posix())
    page.command("filebrowser:refresh")
    item = page.page.locator(".jp-DirListing-item", has_text="koi pond.png")
    expect(item).to_be_visible()
    start, end = item.bounding_box(), inputs(output, "image_urls").bounding_box()
    assert start is not None
    assert end is not None
    mouse = page.page.mouse
    mouse.move(start["x"] + 40, start["y"] + 8)
    mouse.down()
    mouse.move(start["x"] + 80, start["y"] + 30, steps=5)
    mouse.move(end["x"] + 30, end["y"] + 10, steps=10)
    expect(output.locator(".qingbo-field-image_urls")).to_have_class(re.compile("qingbo-files-over"))
    mouse.up()
    expect(inputs(output, "image_urls")).to_have_value(re.compile(r"[/\\]koi pond\.png$"))
    expect(output.locator(".qingbo-field-image_urls")).not_to_have_class(re.compile("qingbo-files-over"))
    expect(output).to_contain_text("koi pond.png: PNG, 1280 × 720")
    assert saved(page) == []
    page.command("filebrowser:toggle-main")
    assert page.problems == []


def test_every_field_of_pictures_takes_files(notebook: Notebook, tmp_path: Path) -> None:
    """The rows of roles and elements have their own button, also in a window of 400 pixels."""
    page, output = opened(notebook, "kling-v3-omni", width=400)
    small = picture(tmp_path / "a koi.png")
    output.get_by_role("button", name="Images with roles").click()
    roles, elements = (output.locator(f".qingbo-panel-{name}") for name in ("roles", "elements"))
    add = "button:text-is('Add')"
    roles.locator(add).click()
    choose(output, "Image 1").locator("xpath=..").locator("input").set_input_files(small)
    expect(output.get_by_label("Image 1", exact=True)).to_have_value(STORED)
    output.get_by_role("button", name="Elements").click()
    elements.locator(add).click()
    two = [small, picture(tmp_path / "b.png", colour="#e67e22")]
    elements.locator(".qingbo-file input").set_input_files(two)
    expect(elements.locator(".qingbo-files-line input")).to_have_count(2)
    expect(elements.locator(".qingbo-files-line input").last).to_have_value(STORED)
    page.screenshot("file-rows", of=output)
    page.theme("dark").screenshot("file-rows-dark", of=output)
    page.theme("light")
    assert page.problems == []
