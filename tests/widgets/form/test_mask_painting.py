"""Painted masks reach the service as files of the picture's size, and come back with a request."""

from __future__ import annotations

import io
import threading
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
from qingbo_widgets.tasks.background.image_checks import image_reports
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as binding
from qingbo_widgets.widgets.form import mask_uploads, preview
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.faults.server import FaultServer, answer
from tests.waiting import until
from tests.widgets.form.painting import PAINTED, SIZE, editor_of, paint, runs
from tests.widgets.page import click, displayed, displayed_html, send

PATH = ((10, 20), (30, 40))
ELSEWHERE = "https://example.com/mask.png"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the delays after typing and painting."""
    monkeypatch.setattr(preview, "_TYPED", 0.0)
    monkeypatch.setattr(mask_uploads, "PAUSE", 0.0)
    monkeypatch.setattr(binding.refresher, "interval", 0.02)


@pytest.fixture
def local(server: Sandbox, workdir: Path) -> Iterator[TaskManager]:
    """Yield a manager with a sandbox that outlives it, in a folder with a picture."""
    Image.new("RGB", SIZE, "#7fb3d5").save(workdir / "pond.png")
    manager = TaskManager(Client(server.api_key, server.base_url), Library("qingbo_videos"))
    manager.sandbox = server
    yield manager
    manager.sandbox = None
    manager.close()


@pytest.fixture
def make_form(local: TaskManager) -> Iterator[Callable[..., RequestForm]]:
    """Yield a function that makes forms with the picture, whose panel is open; close them at the end."""
    forms = []

    def make(manager: TaskManager = local, **fields: Any) -> RequestForm:
        fields = {"model": "kling-v1-6", "prompt": "A koi", "image_urls": "pond.png", **fields}
        form = RequestForm(manager, **fields)
        forms.append(form)
        form.panels.buttons["masks"].value = True
        url = form.image_urls[0]
        image_reports.check(url, manager.client.base_url, lambda: None)
        until(lambda: image_reports.get(url, manager.client.base_url))
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


def test_a_painted_mask_is_a_picture_that_the_service_can_fetch(form: RequestForm) -> None:
    """The static mask's URL serves a PNG of the picture's size, white where it was painted."""
    paint(form, 0)
    assert form.static_mask is not None
    answered = requests.get(form.static_mask, timeout=30)
    assert white(answered.content) == TEN_PIXELS
    with Image.open(io.BytesIO(answered.content)) as image:
        assert (image.format, image.size) == ("PNG", SIZE)
    assert form.problems == ()
    assert editor_of(form).static.value == form.static_mask


def test_a_dynamic_mask_is_painted_and_gets_its_path(form: RequestForm) -> None:
    """Painting the next mask adds it; the next step is shown until its path is drawn, then it is sent."""
    paint(form, 1)
    assert "Draw its path" in displayed_html(editor_of(form).rows[0])
    assert form.obstacle == "Fix first: Motion brush."
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    assert form.problems == ()
    paint(form, 2)
    assert [mask.trajectories for mask in form.dynamic_masks] == [PATH, ()]
    assert white(requests.get(form.dynamic_masks[1].mask_url, timeout=30).content) == TEN_PIXELS


def test_painting_on_changes_the_mask_and_keeps_its_path(form: RequestForm) -> None:
    """Another stroke replaces the file, not the path."""
    form.dynamic_masks = DynamicMask(ELSEWHERE, PATH)
    paint(form, 1)
    first = form.dynamic_masks[0]
    paint(form, 1, bytes([10, 11]))
    second = form.dynamic_masks[0]
    assert (first.trajectories, second.trajectories) == (PATH, PATH)
    assert len(white(requests.get(second.mask_url, timeout=30).content)) == 11


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
    form: RequestForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mask that cannot be saved is not left out silently; the next stroke tries again."""
    folder = Path("qingbo_videos/masks")
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in its place", encoding="utf-8")
    paint(form, 0)
    assert "could not be saved" in displayed_html(editor_of(form))
    assert form.obstacle == "Fix first: Motion brush."
    folder.unlink()
    paint(form, 0, bytes([10, 11]))
    assert form.problems == ()
    assert form.static_mask is not None


# ---------------------------------------------------------------------- with an uploader


def test_with_an_uploader_a_mask_is_uploaded_when_the_painting_pauses(
    local: TaskManager, make_form: Callable[..., RequestForm]
) -> None:
    """The form waits for the uploaded mask, which is the last one that was painted."""
    uploaded: list[Path] = []
    may_end = threading.Event()  # a test has no event loop that would keep it from drawing at the same time

    def upload(path: Path) -> str:
        uploaded.append(path)
        assert may_end.wait(30)
        return f"https://example.com/{path.name}"

    form = make_form()
    local.upload = upload
    form.refresh()
    paint(form, 1)
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    paint(form, 1, bytes([10, 11]))
    may_end.set()
    until(lambda: len(white(uploaded[-1].read_bytes())) == 11 if uploaded else False)
    until(lambda: form.dynamic_masks[0].mask_url == f"https://example.com/{uploaded[-1].name}")
    assert form.dynamic_masks[0].trajectories == PATH
    until(lambda: form.problems == ())
    assert len(white(on_page(form)[1])) == 11, "a page that is loaded again does not show what was painted"


def test_a_mask_that_is_being_uploaded_keeps_the_form_from_being_sent(
    form: RequestForm, local: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the upload there is a problem that says so, and the mask is not left out."""
    monkeypatch.setattr(mask_uploads, "PAUSE", 3600.0)
    local.upload = str
    paint(form, 0)
    assert [problem.field for problem in form.problems] == ["static_mask"]
    with pytest.raises(InvalidRequest, match="is being uploaded"):
        form.submit()
    assert local.tasks == ()
    assert "is being uploaded" in displayed_html(editor_of(form))
    assert "alarm" not in displayed_html(editor_of(form)), "an upload looks like a mistake"
    assert form.panels.buttons["masks"].description == "Motion brush"
    paint(form, 1)
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    assert "blank" not in displayed_html(editor_of(form)), "a mask on its way is called missing"
    form.dynamic_masks = ()
    form.static_mask = ELSEWHERE
    assert form.problems == (), "a mask that was replaced by a URL is still awaited"


def test_a_failed_upload_is_said_and_tried_again(form: RequestForm, local: TaskManager) -> None:
    """The reason of the user's own function is shown, with a button that uploads again."""
    reasons = [ConnectionError("the bucket is full")]

    def upload(path: Path) -> str:
        if reasons:
            raise reasons.pop()
        return f"https://example.com/{path.name}"

    local.upload = upload
    paint(form, 0)
    again = editor_of(form).drawing.again
    until(lambda: "the bucket is full" in displayed_html(editor_of(form)))
    until(lambda: again in displayed(editor_of(form)))
    assert form.static_mask is None
    again.click()
    until(lambda: form.static_mask)
    until(lambda: form.problems == ())
    until(lambda: again not in displayed(editor_of(form)))


def test_a_mask_that_is_not_uploaded_yet_comes_back_with_undo(
    form: RequestForm, local: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preset that is loaded during an upload replaces the painted masks; Undo publishes them again."""
    local.upload = lambda file: f"https://example.com/{file.name}"
    form.save("koi")
    form.panels.buttons["presets"].value = True
    monkeypatch.setattr(mask_uploads, "PAUSE", 3600.0)
    paint(form, 0)
    paint(form, 1)
    editor_of(form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    pane = form.panels.editor("presets")
    click(pane, "Load")
    assert (form.static_mask, form.dynamic_masks, form.problems) == (None, (), ())
    assert on_page(form) == {}
    monkeypatch.setattr(mask_uploads, "PAUSE", 0.0)
    click(pane, "Undo")
    assert {mask: white(png) for mask, png in on_page(form).items()} == {0: TEN_PIXELS, 1: TEN_PIXELS}
    until(lambda: form.problems == ())
    assert form.static_mask
    assert form.dynamic_masks[0].mask_url
    assert form.dynamic_masks[0].trajectories == PATH


def test_a_form_that_is_closed_during_an_upload_ends_quietly(
    make_form: Callable[..., RequestForm], local: TaskManager, caplog: pytest.LogCaptureFixture
) -> None:
    """An upload that ends after its form was closed changes nothing and logs nothing."""
    started, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def upload(path: Path) -> str:
        started.set()
        assert may_end.wait(30)
        return f"https://example.com/{path.name}"

    form = make_form()
    local.upload = upload
    paint(form, 0)
    assert started.wait(30)
    form.close()
    may_end.set()
    mask_uploads.in_background(ended.set)
    assert ended.wait(30)
    assert caplog.records == []


def test_without_an_uploader_the_form_says_so_before_anything_is_painted(
    manager: TaskManager, workdir: Path
) -> None:
    """With the real service and no uploader, the line to add is shown, and URLs and paths still work."""
    form = RequestForm(manager, model="kling-v1-6", prompt="A koi", image_urls="https://example.com/koi.png")
    form.panels.buttons["masks"].value = True
    editor, canvas = editor_of(form), editor_of(form).drawing.canvas
    assert not canvas.paints
    assert "qw.connect(upload=f)" in displayed_html(editor)
    paint(form, 0)
    assert form.static_mask is None
    editor.static.value = ELSEWHERE
    canvas.set_state({"paths": [[list(point) for point in PATH]]})
    editor.rows[0].url.value = ELSEWHERE
    assert form.problems == ()
    manager.upload = str
    form.refresh()
    assert canvas.paints
    assert "connect(upload=f)" not in displayed_html(editor)
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


def test_a_mask_of_an_earlier_sandbox_is_served_by_this_one(
    form: RequestForm, local: TaskManager, make_form: Callable[..., RequestForm]
) -> None:
    """After a restart of the kernel the sandbox has another address: the masks of a task are there again."""
    paint(form, 0)
    request = form.request
    with Sandbox(draft=True) as later:
        manager = TaskManager(Client(later.api_key, later.base_url), local.library)
        manager.sandbox = later
        other = make_form(manager)
        image_reports._files.clear()  # of another process
        other.load(request)
        assert other.static_mask != request.static_mask
        assert other.static_mask is not None
        assert white(requests.get(other.static_mask, timeout=30).content) == TEN_PIXELS
        assert white(on_page(other)[0]) == TEN_PIXELS
        manager.sandbox = None
        manager.close()


def test_a_mask_of_the_sandbox_is_uploaded_for_the_service(
    form: RequestForm, local: TaskManager, manager: TaskManager, make_form: Callable[..., RequestForm]
) -> None:
    """A preset from the sandbox has the file's path; a form with an uploader uploads it."""
    paint(form, 0)
    form.save("koi")
    path = image_reports.path_of(form.static_mask or "")
    other = TaskManager(Client("key", manager.client.base_url), local.library)
    other.upload = lambda file: f"https://example.com/{file.name}"
    service = make_form(other, image_urls="https://example.com/koi.png")
    service.load("koi")
    until(lambda: service.static_mask == f"https://example.com/{Path(path).name}")
    other.close()


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


def test_a_mask_of_another_size_is_named(form: RequestForm, workdir: Path) -> None:
    """Kling wants masks of the picture's size; a stroke saves the mask in it."""
    Image.new("L", (320, 180), 255).save(workdir / "small.png")
    form.static_mask = str(workdir / "small.png")
    assert "The mask is 320 × 180 pixels, the image 640 × 360" in displayed_html(editor_of(form))
    paint(form, 0)
    assert "The mask is" not in displayed_html(editor_of(form))
