"""Painted masks reach the service as files of the picture's size, and come back with a request."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from qingbo_widgets.exceptions import InvalidRequest
from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.values import DynamicMask
from qingbo_widgets.system import folder
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as binding
from qingbo_widgets.widgets.form import loading, mask_files, preview
from qingbo_widgets.widgets.form.image_fields import report_of
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.faults.server import FaultServer, answer
from tests.waiting import until
from tests.widgets.form.painting import PAINTED, SIZE, editor_of, note_as_before, paint, runs
from tests.widgets.page import click, displayed, displayed_html, send, text_of

PATH = ((10, 20), (30, 40))
ELSEWHERE = "https://example.com/mask.png"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the delays after typing."""
    monkeypatch.setattr(preview, "_TYPED", 0.0)
    monkeypatch.setattr(binding.refresher, "interval", 0.02)


@pytest.fixture
def local(server: Sandbox, workdir: Path) -> Iterator[TaskManager]:
    """Yield a manager with a sandbox that outlives it, in a folder with a picture."""
    Image.new("RGB", SIZE, "#7fb3d5").save(workdir / "pond.png")
    manager = manager_of(server, Library("qingbo_videos"))
    yield manager
    manager.sandbox = None
    manager.close()


def manager_of(sandbox: Sandbox, library: Library) -> TaskManager:
    """Return a manager of a sandbox."""
    client = Client(sandbox.api_key, sandbox.base_url)
    return TaskManager(client, library, sandbox=sandbox, poll_interval=0.1)


@pytest.fixture
def make_form(local: TaskManager) -> Iterator[Callable[..., RequestForm]]:
    """Yield a function that makes forms with the picture, whose panel is open; close them at the end."""
    forms = []

    def make(manager: TaskManager = local, **fields: Any) -> RequestForm:
        fields = {"model": "kling-v1-6", "prompt": "A koi", "image_urls": "pond.png", **fields}
        form = RequestForm(manager, **fields)
        forms.append(form)
        form.panels.buttons["masks"].value = True
        until(lambda: report_of(form, "image_urls", form.image_urls[0]))
        return form

    yield make
    for form in forms:
        form.close()


@pytest.fixture
def form(make_form: Callable[..., RequestForm]) -> RequestForm:
    """Return a form with the picture and no masks."""
    return make_form()


def on_page(form: RequestForm) -> dict[int, bytes]:
    """Return the masks that a page gets that has just loaded the picture; empty ones are left out."""
    canvas, masks = editor_of(form).drawing.canvas, dict[int, bytes]()

    def record(content: dict[str, Any], buffers: list[bytes]) -> None:
        masks[content["mask"]] = buffers[0] if buffers else b""

    canvas.send = record
    send(canvas, {"kind": "ready"})
    return {mask: png for mask, png in masks.items() if png}


def white(png: bytes) -> list[tuple[int, int]]:
    """Return the painted pixels of a mask."""
    with Image.open(io.BytesIO(png)) as image:
        alpha = image.convert("RGBA").getchannel("A")
        return [(i % image.width, i // image.width) for i, value in enumerate(alpha.tobytes()) if value]


TEN_PIXELS = [(x, 0) for x in range(10, 20)]


def content_of(path: str | None) -> bytes:
    """Return the content of a mask of the form."""
    assert path is not None, "the mask is not in the form"
    return Path(path).read_bytes()


def test_a_painted_mask_is_a_picture_in_the_library(form: RequestForm, local: TaskManager) -> None:
    """The static mask is a PNG of the picture's size, white where it was painted; nothing asks about it."""
    paint(form, 0)
    png = content_of(form.static_mask)
    assert white(png) == TEN_PIXELS
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.size) == ("PNG", SIZE)
    assert Path(form.static_mask or "").parent == local.library.folder / "masks"
    assert form.problems == ()
    assert editor_of(form).static.value == form.static_mask


def test_a_painted_mask_arrives_with_the_request(form: RequestForm, local: TaskManager) -> None:
    """Submitted right after the stroke, the request has the mask; what arrives is the very picture."""
    paint(form, 0)
    mask = content_of(form.static_mask)
    task = form.submit()
    task.wait(60)
    assert task.status == "completed", task.error
    assert task.request is not None
    assert content_of(str(local.library.folder / (task.request.static_mask or ""))) == mask
    assert local.sandbox is not None
    sent = local.sandbox.requests[task.task_id]["extra"]["static_mask"]
    assert requests.get(sent, timeout=30).content == mask, "another mask arrived at the service"


def test_a_dynamic_mask_is_painted_and_gets_its_path(form: RequestForm) -> None:
    """Painting the next mask adds it; the next step is shown until its path is drawn, then it is sent."""
    paint(form, 1)
    assert "Draw its path" in displayed_html(editor_of(form).rows[0])
    assert form.obstacle == "Fix first: Motion brush."
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    assert form.problems == ()
    paint(form, 2)
    assert [mask.trajectories for mask in form.dynamic_masks] == [PATH, ()]
    assert white(content_of(form.dynamic_masks[1].mask_url)) == TEN_PIXELS


def test_painting_on_changes_the_mask_and_keeps_its_path(form: RequestForm) -> None:
    """Another stroke replaces the file, not the path."""
    form.dynamic_masks = DynamicMask(ELSEWHERE, PATH)
    paint(form, 1)
    first = form.dynamic_masks[0]
    paint(form, 1, bytes([10, 11]))
    second = form.dynamic_masks[0]
    assert (first.trajectories, second.trajectories) == (PATH, PATH)
    assert len(white(content_of(second.mask_url))) == 11


def test_a_mask_that_was_erased_is_none(form: RequestForm) -> None:
    """Without a painted pixel there is no static mask, and no dynamic mask unless it has a path."""
    for mask in (0, 1):
        paint(form, mask)
        paint(form, mask, b"")
    assert (form.static_mask, form.dynamic_masks, form.problems) == (None, (), ())
    form.dynamic_masks = DynamicMask(ELSEWHERE, PATH)
    paint(form, 1, b"")
    assert form.dynamic_masks == (DynamicMask("", PATH),)
    assert "Paint the part that moves" in displayed_html(editor_of(form))


@pytest.mark.parametrize(
    "message",
    [
        {"mask": 3},
        {"mask": -1},
        {"mask": True},
        {"mask": "0"},
        {"width": 100},
        {"width": 320, "height": 180},
        {"width": None},
        {"kind": "koi"},
    ],
    ids=str,
)
def test_a_page_that_sends_nonsense_changes_nothing(form: RequestForm, message: dict[str, Any]) -> None:
    """A mask that does not exist, or is not of the picture's size, is refused."""
    content = {"kind": "painted", "mask": 0, "width": SIZE[0], "height": SIZE[1], **message}
    size = (320, 180) if message.get("height") else SIZE
    send(editor_of(form).drawing.canvas, content, buffers=(runs(PAINTED, size),))
    assert (form.static_mask, form.dynamic_masks) == (None, ())


def test_a_full_disk_is_said_and_keeps_the_form_from_being_sent(
    form: RequestForm, local: TaskManager
) -> None:
    """A mask that cannot be saved is not left out silently; the next stroke tries again."""
    place = Path("qingbo_videos/masks")
    place.parent.mkdir(exist_ok=True)
    place.write_text("a file in its place", encoding="utf-8")
    paint(form, 0)
    assert "could not be saved" in displayed_html(editor_of(form))
    assert form.obstacle == "Fix first: Motion brush."
    with pytest.raises(InvalidRequest, match="could not be saved"):
        form.submit()
    assert local.tasks == ()
    form.reset()
    paint(form, 1)
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    assert "could not be saved" in displayed_html(editor_of(form).rows[0])
    form.reset()
    place.unlink()
    paint(form, 0, bytes([10, 11]))
    assert form.problems == ()
    assert form.static_mask is not None


# ---------------------------------------------------------------------- with an uploader


@pytest.mark.filterwarnings("ignore:Local files are uploaded")
def test_with_an_uploader_the_masks_are_uploaded_with_the_request(
    local: TaskManager, make_form: Callable[..., RequestForm]
) -> None:
    """Nothing is uploaded while the user paints; the last stroke of each mask is, when it is submitted."""
    uploaded: dict[str, bytes] = {}

    def upload(path: Path) -> str:
        url = local.sandbox.publish(path)
        uploaded[url] = path.read_bytes()
        return url

    local.upload = upload
    form = make_form()
    assert local.inputs.notice in text_of(editor_of(form)), "where the masks go is not said"
    paint(form, 0)
    paint(form, 1)
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    paint(form, 1, bytes([10, 11]))
    assert uploaded == {}
    assert form.problems == ()
    task = form.submit()
    task.wait(60)
    assert task.request is not None
    sent = local.inputs.as_sent(task.request)
    assert white(uploaded[sent.static_mask or ""]) == TEN_PIXELS
    assert len(white(uploaded[sent.dynamic_masks[0].mask_url])) == 11, "an earlier stroke was uploaded"
    assert sent.dynamic_masks[0].trajectories == PATH
    assert len(white(on_page(form)[1])) == 11, "a page that is loaded again does not show what was painted"


@pytest.mark.filterwarnings("ignore:Local files are uploaded")
def test_a_failed_upload_submits_nothing(form: RequestForm, local: TaskManager) -> None:
    """The reason of the user's own function is the error of the task; the form keeps the mask."""

    def upload(_: Path) -> str:
        raise ConnectionError("the bucket is full")

    local.upload = upload
    paint(form, 0)
    task = form.submit()
    until(lambda: task.is_done)
    assert "the bucket is full" in str(task.error)
    assert task.task_id == ""
    assert white(content_of(form.static_mask)) == TEN_PIXELS
    assert form.problems == (), "the form cannot be submitted again"


def test_masks_come_back_with_undo(form: RequestForm) -> None:
    """A preset replaces the painted masks; Undo brings them back, in the form and on the picture."""
    form.save("koi")
    form.panels.buttons["presets"].value = True
    paint(form, 0)
    paint(form, 1)
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    pane = form.panels.editor("presets")
    click(pane, "Load")
    assert (form.static_mask, form.dynamic_masks, form.problems) == (None, (), ())
    assert on_page(form) == {}
    click(pane, "Undo")
    assert {mask: white(png) for mask, png in on_page(form).items()} == {0: TEN_PIXELS, 1: TEN_PIXELS}
    assert form.problems == (), "our own masks wait for a click"
    assert form.dynamic_masks[0].trajectories == PATH


def test_without_an_uploader_the_form_says_so_before_anything_is_painted(
    manager: TaskManager, workdir: Path
) -> None:
    """With the real service and no uploader, the line to add is shown, and URLs and paths still work."""
    form = RequestForm(manager, model="kling-v1-6", prompt="A koi", image_urls="https://example.com/koi.png")
    form.panels.buttons["masks"].value = True
    editor, canvas = editor_of(form), editor_of(form).drawing.canvas
    assert not canvas.paints
    assert "qw.connect(upload=" in displayed_html(editor)
    paint(form, 0)
    assert form.static_mask is None
    editor.static.value = ELSEWHERE
    canvas.set_state({"paths": [[list(point) for point in PATH]]})
    editor.rows[0].url.value = ELSEWHERE
    assert form.problems == ()
    manager.upload = str
    form.refresh()
    assert canvas.paints
    assert "connect(upload=" not in displayed_html(editor)
    form.close()


# ---------------------------------------------------------------------- back again


def test_a_painted_mask_comes_back_with_a_preset_and_a_request(
    form: RequestForm, make_form: Callable[..., RequestForm]
) -> None:
    """The masks of a preset, and those of a request, are shown on the picture again."""
    paint(form, 0)
    paint(form, 1)
    form.save("koi")
    request, other = form.request, make_form()
    assert on_page(other) == {}
    other.load("koi")
    assert {mask: white(png) for mask, png in on_page(other).items()} == {0: TEN_PIXELS, 1: TEN_PIXELS}
    other.reset()
    assert on_page(other) == {}
    other.load(request)
    assert {mask: white(png) for mask, png in on_page(other).items()} == {0: TEN_PIXELS, 1: TEN_PIXELS}


def test_a_library_of_an_earlier_version_keeps_its_masks(
    form: RequestForm, local: TaskManager, make_form: Callable[..., RequestForm]
) -> None:
    """Its requests have the URLs of an earlier sandbox, or of an upload: both are shown, both are sent."""
    paint(form, 0)
    mask = Path(form.static_mask or "")
    before, uploaded = "http://127.0.0.1:9/files/mask.png", "https://example.com/mask.png"
    note_as_before(mask, before)
    note_as_before(mask, uploaded)
    other = make_form()
    masks = [{"mask_url": uploaded, "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}]
    other.load({**loading.fields_of(form), "static_mask": before, "dynamic_masks": masks})
    assert {number: white(png) for number, png in on_page(other).items()} == {0: TEN_PIXELS, 1: TEN_PIXELS}
    assert other.problems == ()
    assert other.static_mask == str(mask), "the sandbox that served it is gone"
    assert other.dynamic_masks[0].mask_url == uploaded
    other.dynamic_masks = ()  # it was never uploaded to example.com
    task = other.submit()
    task.wait(60)
    assert task.status == "completed", task.error


def test_the_masks_of_a_library_that_was_moved_are_found(
    form: RequestForm, local: TaskManager, make_form: Callable[..., RequestForm], workdir: Path
) -> None:
    """A preset has the path of the mask in the folder where the library was."""
    paint(form, 0)
    form.save("koi")
    moved = Path(shutil.copytree(local.library.folder, workdir / "moved"))
    shutil.rmtree(local.library.folder / "masks")
    sandbox = local.sandbox
    assert sandbox is not None
    manager = manager_of(sandbox, Library(moved))
    other = make_form(manager)
    other.load("koi")
    assert white(on_page(other)[0]) == TEN_PIXELS
    assert other.problems == ()
    assert Path(other.static_mask or "").parent == moved / "masks"
    manager.sandbox = None
    manager.close()


def test_a_change_in_the_form_changes_what_the_page_shows(form: RequestForm) -> None:
    """The page gets a mask that is put in or removed, and nothing after a stroke of its own."""
    shown: list[tuple[int, bool]] = []
    paint(form, 0)
    url = form.static_mask
    canvas: Any = editor_of(form).drawing.canvas
    canvas.send = lambda content, buffers: shown.append((content["mask"], bool(buffers)))
    form.static_mask = None
    form.dynamic_masks = DynamicMask(url or "", PATH)
    assert shown == [(0, False), (1, True)]
    paint(form, 1)
    assert shown == [(0, False), (1, True)], "the page gets its own stroke back, and loses the newer one"


def test_removing_a_mask_moves_the_later_ones(form: RequestForm) -> None:
    """The mask after a removed one has its number, in the form and on the page."""
    for mask, length in ((1, 10), (2, 20)):
        paint(form, mask, bytes([0, length]))
    editor_of(form).rows[0].remove.click()
    assert len(form.dynamic_masks) == 1
    assert {mask: len(white(png)) for mask, png in on_page(form).items()} == {1: 20}


def test_a_mask_elsewhere_is_fetched_after_a_click_only(form: RequestForm, workdir: Path) -> None:
    """Another server does not learn of the form before the user wants to see its mask."""
    Image.new("L", SIZE, 255).save(workdir / "all.png")
    with FaultServer(answer(status=404), answer((workdir / "all.png").read_bytes())) as stranger:
        form.static_mask = f"{stranger.url}/mask.png"
        editor = editor_of(form)
        assert on_page(form) == {}
        assert "not loaded yet" in displayed_html(editor)
        assert stranger.requests == []
        editor.show_static.click()
        until(lambda: "could not be loaded" in displayed_html(editor))
        editor.show_static.click()
        until(lambda: editor.show_static not in displayed(editor))
        assert len(white(on_page(form)[0])) == SIZE[0] * SIZE[1]
        assert len(stranger.requests) == 2


def test_a_mask_whose_path_was_filled_in_is_read_after_a_click_only(
    form: RequestForm, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preset with the path of a file of this machine, with blanks around it, reads nothing by itself."""
    Image.new("L", SIZE, 255).save(workdir / "all.png")
    read, reads = folder.read_inside, list[Path]()
    monkeypatch.setattr(mask_files, "read_inside", lambda file, most: reads.append(file) or read(file, most))
    path = f" {workdir / 'all.png'}"
    masks = [{"mask_url": path, "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}]
    form.load({**loading.fields_of(form), "static_mask": path, "dynamic_masks": masks})
    editor = editor_of(form)
    editor.rows[0].path.value = "[[5, 6], [7, 8]]"  # which sets the mask anew
    assert on_page(form) == {}
    assert reads == []
    assert "before you click Show on the image" in displayed_html(editor)
    with pytest.raises(InvalidRequest, match="was filled in, not typed"):
        form.submit()
    editor.show_static.click()
    assert form.problems == (), "both masks are the file that was shown"
    assert {number: len(white(png)) for number, png in on_page(form).items()} == {
        0: SIZE[0] * SIZE[1],
        1: SIZE[0] * SIZE[1],
    }


def test_a_mask_of_another_size_is_named(form: RequestForm, workdir: Path) -> None:
    """Kling wants masks of the picture's size; a stroke saves the mask in it."""
    Image.new("L", (320, 180), 255).save(workdir / "small.png")
    form.static_mask = str(workdir / "small.png")
    assert "The mask is 320 × 180 pixels, the image 640 × 360" in displayed_html(editor_of(form))
    paint(form, 0)
    assert "The mask is" not in displayed_html(editor_of(form))
