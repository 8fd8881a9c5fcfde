"""Generate in a studio with painted masks: what was painted before the click is in the request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image

from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import DynamicMask
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync
from qingbo_widgets.widgets.form import mask_files
from qingbo_widgets.widgets.form.image_fields import report_of
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.waiting import until
from tests.widgets.form.painting import SIZE, editor_of, paint
from tests.widgets.page import classes_of, click, ctrl_enter, displayed_html, send_click

PATH = ((10, 20), (30, 40))


@pytest.fixture
def local(server: Sandbox, workdir: Path) -> Iterator[TaskManager]:
    """Yield a manager with a sandbox that outlives it, in a folder with a picture."""
    Image.new("RGB", SIZE, "#7fb3d5").save(workdir / "pond.png")
    client = Client(server.api_key, server.base_url)
    manager = TaskManager(client, Library("qingbo_videos"), sandbox=server, poll_interval=0.1)
    yield manager
    manager.sandbox = None
    manager.close()


@pytest.fixture
def studio(local: TaskManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[VideoStudio]:
    """Yield a studio with the picture, whose motion brush is open."""
    monkeypatch.setattr(sync.refresher, "interval", 0.02)
    studio = VideoStudio(local, model="kling-v1-6", prompt="A koi", image_urls="pond.png")
    studio.form.panels.buttons["masks"].value = True
    until(lambda: report_of(studio.form, "image_urls", "pond.png"))
    yield studio
    studio.close()


def sent(manager: TaskManager) -> list[VideoRequest]:
    """Return the requests of all tasks, whose masks are files of the library."""
    return [task.request for task in manager.tasks if task.request is not None]


def content_of(manager: TaskManager, mask: str | None) -> bytes:
    """Return the content of a mask of a form, or of one in a request, which is named without its folders."""
    assert mask, "the request has no mask"
    return (manager.library.folder / mask).read_bytes()


def test_a_click_right_after_a_stroke_has_the_mask(studio: VideoStudio, local: TaskManager) -> None:
    """The task is there at once, with both masks; however often the button is clicked, it is one."""
    paint(studio.form, 0)
    paint(studio.form, 1)
    editor_of(studio.form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    mask = content_of(local, studio.form.static_mask)
    for _ in range(3):
        send_click(studio.generate_button)
    (request,) = sent(local)
    assert content_of(local, request.static_mask) == mask
    assert request.dynamic_masks == (DynamicMask(request.static_mask or "", PATH),)
    (card,) = studio.cards
    card.task.wait(60)
    assert local.sandbox is not None
    link = local.sandbox.requests[card.task.task_id]["extra"]["static_mask"]
    assert requests.get(link, timeout=30).content == mask, "another mask arrived at the service"


def test_what_is_changed_after_the_click_is_not_submitted(studio: VideoStudio, local: TaskManager) -> None:
    """The request is that of the click; the next prompt and another stroke are for the next one."""
    paint(studio.form, 0)
    mask = content_of(local, studio.form.static_mask)
    studio.variations.value = 2
    send_click(studio.generate_button)
    studio.form.prompt = "A heron"
    paint(studio.form, 0, bytes([10, 11]))
    until(lambda: all(task.is_done for task in local.tasks))
    assert [(one.prompt, content_of(local, one.static_mask)) for one in sent(local)] == 2 * [("A koi", mask)]


def test_ctrl_enter_has_the_mask(studio: VideoStudio, local: TaskManager) -> None:
    """Ctrl+Enter right after a stroke submits it, with the text that came with the key."""
    paint(studio.form, 0)
    studio.get_ready()
    ctrl_enter(studio, "Prompt", "A heron")
    (request,) = sent(local)
    assert request.prompt == "A heron"
    assert content_of(local, request.static_mask) == content_of(local, studio.form.static_mask)


def test_a_stroke_that_is_being_saved_on_another_thread_is_waited_for(
    studio: VideoStudio, local: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JupyterLab may deliver the stroke before a click on another thread: the click has its mask."""
    is_saving, may_save, save = threading.Event(), threading.Event(), mask_files.MaskFiles.save

    def slow(self: mask_files.MaskFiles, runs: tuple[int, ...], width: int, height: int) -> Path:
        is_saving.set()
        assert may_save.wait(30)
        return save(self, runs, width, height)

    monkeypatch.setattr(mask_files.MaskFiles, "save", slow)
    stroke = threading.Thread(target=paint, args=(studio.form, 0))
    stroke.start()
    assert is_saving.wait(30)
    threading.Timer(0.2, may_save.set).start()
    send_click(studio.generate_button)
    stroke.join()
    (request,) = sent(local)
    content_of(local, request.static_mask)


def test_a_mask_that_cannot_be_saved_is_a_problem(studio: VideoStudio, local: TaskManager) -> None:
    """Generate is disabled and says where; no request goes without the mask."""
    folder = local.library.folder / "masks"
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in its place", encoding="utf-8")
    paint(studio.form, 0)
    assert studio.generate_button.disabled
    until(lambda: "could not be saved" in displayed_html(editor_of(studio.form)))
    send_click(studio.generate_button)
    studio.get_ready()
    ctrl_enter(studio, "Prompt", "A heron")
    assert sent(local) == []
    folder.unlink()
    paint(studio.form, 0, bytes([10, 11]))
    assert not studio.generate_button.disabled


@pytest.mark.filterwarnings("ignore:Local files are uploaded")
def test_a_slow_upload_blocks_nothing(studio: VideoStudio, local: TaskManager) -> None:
    """The click is done at once; the card says that the mask is uploaded, and the form takes the next one."""
    may_end, uploads = threading.Event(), list[str]()

    def upload(file: Path) -> str:
        assert may_end.wait(30), "the test did not let the upload end"
        uploads.append(file.name)
        assert local.sandbox is not None
        return local.sandbox.publish(file)

    local.upload = upload
    paint(studio.form, 0)
    send_click(studio.generate_button)
    (card,) = studio.cards
    assert studio.generate_button.description == "Generate"
    assert card.task.task_id == "", "it was submitted before its pictures were uploaded"
    studio.form.prompt = "A heron"
    may_end.set()
    card.task.wait(60)
    assert len(uploads) == 2, "the picture and the mask"
    assert studio.form.prompt == "A heron"


@pytest.mark.filterwarnings("ignore:Local files are uploaded")
def test_after_a_failed_upload_nothing_is_submitted(studio: VideoStudio, local: TaskManager) -> None:
    """The reason is on the card of the task; the form keeps the mask for the next click."""

    def upload(_: Path) -> str:
        raise ConnectionError("the bucket is full")

    local.upload = upload
    paint(studio.form, 0)
    send_click(studio.generate_button)
    (card,) = studio.cards
    until(lambda: card.task.is_done)
    assert "the bucket is full" in str(card.task.error)
    assert card.task.task_id == ""
    local.upload = None
    assert studio.form.static_mask
    until(lambda: "qingbo-busy" not in classes_of(studio.generate_button))
    click(studio, "Generate")
    studio.cards[0].task.wait(60)
    assert studio.cards[0].task is not card.task


def test_the_form_below_a_video_sends_masks_too(studio: VideoStudio, local: TaskManager) -> None:
    """A mask that is painted in the form of the next video is in its request."""
    follow_up = FollowUp(local)
    follow_up.offer(studio.form.request)
    form = follow_up.form
    assert form is not None
    form.slots["image_urls"].editor.look_button.click()
    form.panels.buttons["masks"].value = True
    paint(form, 0)
    click(follow_up, "Generate")
    (request,) = sent(local)
    content_of(local, request.static_mask)
    follow_up.close()


def test_a_mask_whose_neighbour_is_removed_keeps_its_picture(studio: VideoStudio) -> None:
    """The second mask becomes the first one when that is removed."""
    form, masks = studio.form, editor_of(studio.form)
    for number, painted in ((1, b"\x0a\x0a"), (2, b"\x14\x14")):
        paint(form, number, painted)
    second = form.dynamic_masks[1].mask_url
    click(masks.rows[0], "Remove")
    assert [mask.mask_url for mask in form.dynamic_masks] == [second]
