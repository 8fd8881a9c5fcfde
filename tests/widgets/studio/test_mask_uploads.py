"""Generate, clicked while painted masks are being uploaded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import DynamicMask
from qingbo_widgets.tasks.background.image_checks import image_reports
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync
from qingbo_widgets.widgets.form import mask_uploads
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.waiting import until
from tests.widgets.form.painting import SIZE, editor_of, paint
from tests.widgets.page import (
    classes_of,
    click,
    ctrl_enter,
    displayed_html,
    is_displayed,
    send_click,
    text_of,
)

PATH = ((10, 20), (30, 40))
UPLOADING = "Uploading the mask…"
NOTHING = "Nothing was submitted."


class SlowUpload:
    """An upload that ends when the test lets it.

    Attributes:
        files: the uploaded files.
        error: what the upload raises.
        hangs: the number of uploads that wait; later ones end at once.
    """

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.error: BaseException | None = None
        self.hangs = 1000
        self._may_end = threading.Event()

    def __call__(self, file: Path) -> str:
        self.files.append(file)
        if len(self.files) <= self.hangs:
            assert self._may_end.wait(60), "the test did not let the upload end"
        if self.error is not None:
            raise self.error
        return url_of(file)

    def end(self) -> None:
        """Let this upload and all later ones end."""
        self._may_end.set()


def drain() -> None:
    """Wait for the uploads that have been started."""
    drained = threading.Event()
    mask_uploads.in_background(drained.set)
    assert drained.wait(60)


def url_of(file: Path) -> str:
    """Return the URL under which a file is uploaded."""
    return f"https://example.com/{file.name}"


@pytest.fixture
def upload() -> Iterator[SlowUpload]:
    """Yield the upload of the connection, and let it end at last."""
    upload = SlowUpload()
    yield upload
    upload.end()
    drain()


@pytest.fixture
def local(server: Sandbox, upload: SlowUpload, workdir: Path) -> Iterator[TaskManager]:
    """Yield a manager that uploads masks, in a folder with a picture that the sandbox serves."""
    Image.new("RGB", SIZE, "#7fb3d5").save(workdir / "pond.png")
    manager = TaskManager(Client(server.api_key, server.base_url), Library("qingbo_videos"))
    manager.sandbox, manager.upload = server, upload
    yield manager
    manager.sandbox = None
    manager.close()


@pytest.fixture
def studio(local: TaskManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[VideoStudio]:
    """Yield a studio with the picture, whose motion brush is open."""
    monkeypatch.setattr(sync.refresher, "interval", 0.02)
    studio = VideoStudio(local, model="kling-v1-6", prompt="A koi", image_urls="pond.png")
    studio.form.panels.buttons["masks"].value = True
    url = studio.form.image_urls[0]
    image_reports.check(url, local.client.base_url, lambda: None)
    until(lambda: image_reports.get(url, local.client.base_url))
    yield studio
    studio.close()


def label(studio: VideoStudio) -> str:
    """Return the label of Generate."""
    return str(studio.generate_button.description)


def sent(manager: TaskManager) -> list[VideoRequest | None]:
    """Return the requests of all tasks."""
    return [task.request for task in manager.tasks]


def test_a_click_during_the_upload_is_submitted_after_it(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload
) -> None:
    """The button says what it waits for; however often it is clicked, there is one task, with both masks."""
    paint(studio.form, 0)
    paint(studio.form, 1)
    editor_of(studio.form).drawing.canvas.set_state({"paths": [[list(point) for point in PATH]]})
    assert not studio.generate_button.disabled, "the click would be lost"
    for _ in range(3):
        send_click(studio.generate_button)
    assert (label(studio), sent(local)) == (UPLOADING, [])
    assert "qingbo-busy" in classes_of(studio.generate_button)
    upload.end()
    (request,) = until(lambda: sent(local))
    (mask,) = {url_of(file) for file in upload.files}
    assert request is not None
    assert (request.static_mask, request.dynamic_masks) == (mask, (DynamicMask(mask, PATH),))
    until(lambda: label(studio) == "Generate")
    assert [card.task.request for card in studio.cards] == [request]
    assert len(sent(local)) == 1, "the clicks during the upload were submitted too"


def test_what_is_changed_after_the_click_is_not_submitted(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload
) -> None:
    """The request is that of the click; the next prompt and another stroke are for the next one."""
    paint(studio.form, 0)
    studio.variations.value = 2
    send_click(studio.generate_button)
    until(lambda: upload.files)
    studio.form.prompt, studio.variations.value = "A heron", 1
    paint(studio.form, 0, bytes([10, 11]))
    upload.end()
    requests = until(lambda: len(local.tasks) == 2 and sent(local))
    assert [(request.prompt, request.static_mask) for request in requests] == 2 * [
        ("A koi", url_of(upload.files[0]))
    ]
    until(lambda: studio.form.static_mask == url_of(upload.files[-1]) != url_of(upload.files[0]))
    assert studio.form.prompt == "A heron"


@pytest.mark.parametrize("kind", [ConnectionError, SystemExit, asyncio.CancelledError])
def test_after_a_failed_upload_nothing_is_submitted(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload, kind: type[BaseException]
) -> None:
    """The reason stands in the panel; a later upload that succeeds waits for a new click."""
    upload.error = kind("the bucket is full")
    paint(studio.form, 0)
    send_click(studio.generate_button)
    upload.end()
    until(lambda: "the bucket is full" in displayed_html(editor_of(studio.form)))
    until(lambda: f"{NOTHING} The painted mask could not be uploaded: the bucket is full" in text_of(studio))
    assert (label(studio), studio.generate_button.disabled) == ("Generate", True)
    assert "Fix first: Motion brush." in text_of(studio)
    upload.error = None
    click(editor_of(studio.form), "Try again")
    until(lambda: studio.form.static_mask and studio.form.problems == ())
    assert sent(local) == [], "a click that failed was submitted later"
    send_click(studio.generate_button)
    assert len(sent(local)) == 1


def test_ctrl_enter_waits_for_the_upload(studio: VideoStudio, local: TaskManager, upload: SlowUpload) -> None:
    """Ctrl+Enter during an upload is submitted after it, with the text that came with the key."""
    paint(studio.form, 0)
    studio.get_ready()
    ctrl_enter(studio, "Prompt", "A heron")
    assert label(studio) == UPLOADING
    upload.end()
    (request,) = until(lambda: sent(local))
    assert request is not None
    assert (request.prompt, request.static_mask) == ("A heron", url_of(upload.files[-1]))


def test_a_click_with_another_mistake_does_not_wait(studio: VideoStudio, local: TaskManager) -> None:
    """Generate is disabled while something else is wrong, and does not name the upload as a mistake."""
    paint(studio.form, 0)
    studio.form.cfg_scale = 9.0
    assert studio.form.obstacle == "Fix first: CFG scale."
    send_click(studio.generate_button)
    assert (label(studio), sent(local)) == ("Generate", [])


def reset(studio: VideoStudio) -> None:
    """Reset the form."""
    studio.form.reset()


def load(studio: VideoStudio) -> None:
    """Fill in the form from another request."""
    studio.form.load(VideoRequest("kling-v1-6", "A heron"))


def disconnect(studio: VideoStudio) -> None:
    """Take the connection from the form."""
    studio.form.manager = None


@pytest.mark.parametrize("leave", [reset, load, disconnect, VideoStudio.close])
def test_leaving_cancels_the_click(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload, leave: Callable[[Any], None]
) -> None:
    """After Reset, a loaded preset, another connection or the end of the studio, nothing is submitted."""
    paint(studio.form, 0)
    send_click(studio.generate_button)
    until(lambda: upload.files)
    leave(studio)
    assert studio.form.late.problem.startswith(NOTHING), "the click is lost silently"
    upload.end()
    drain()
    assert sent(local) == []
    assert label(studio) == "Generate"


def test_a_hanging_upload_does_not_block_later_masks(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mask painted next is uploaded by another thread, and can be submitted."""
    monkeypatch.setattr(mask_uploads, "PATIENCE", 0.05)
    upload.hangs = 1
    paint(studio.form, 0)
    studio.form.uploads.publish()
    until(lambda: upload.files)
    paint(studio.form, 0, bytes([10, 11]))
    send_click(studio.generate_button)
    (request,) = until(lambda: sent(local))
    assert request is not None
    assert request.static_mask == url_of(upload.files[1]) != url_of(upload.files[0])


def test_an_upload_that_does_not_end_has_failed(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The click that waits for it does not wait for ever, and the upload can be repeated."""
    monkeypatch.setattr(mask_uploads, "PATIENCE", 0.05)
    monkeypatch.setattr(mask_uploads, "LONGEST", 0.3)
    upload.hangs = 1
    paint(studio.form, 0)
    send_click(studio.generate_button)
    reason = "The upload of the painted mask has not ended within 0.3 s."
    until(lambda: f"{NOTHING} {reason}" in text_of(studio))
    assert label(studio) == "Generate"
    assert reason in displayed_html(editor_of(studio.form))
    click(editor_of(studio.form), "Try again")
    until(lambda: studio.form.static_mask and studio.form.problems == ())
    assert sent(local) == [], "a click that failed was submitted later"
    send_click(studio.generate_button)
    upload.end()
    drain()
    assert len(sent(local)) == 1


def test_an_upload_that_fails_again_can_be_repeated(studio: VideoStudio, upload: SlowUpload) -> None:
    """After a second failure for the same reason, the button for another try is there again."""
    upload.end()
    upload.error = ConnectionError("the bucket is full")
    paint(studio.form, 0)
    studio.form.uploads.publish()
    editor = editor_of(studio.form)
    for count in (1, 2):
        drain()
        until(lambda: studio.form.uploads.has_failed)
        assert is_displayed(editor, editor.drawing.again), f"no way on after failure {count}"
        click(editor, "Try again")
    drain()


def test_the_failed_upload_of_an_earlier_painting_is_named(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload
) -> None:
    """The mask was painted on after the click, so no mask shows the failure: it stands beside Generate."""
    paint(studio.form, 0)
    send_click(studio.generate_button)
    until(lambda: upload.files)
    paint(studio.form, 0, bytes([10, 11]))
    upload.error = ConnectionError("the bucket is full")
    upload.end()
    until(lambda: f"{NOTHING} The painted mask could not be uploaded: the bucket is full" in text_of(studio))
    assert label(studio) == "Generate"
    upload.error = None
    send_click(studio.generate_button)
    until(lambda: sent(local))
    assert NOTHING not in text_of(studio)


def test_another_key_stops_the_click(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload, server: Sandbox
) -> None:
    """The request would be charged to another account than that of the click."""
    paint(studio.form, 0)
    send_click(studio.generate_button)
    until(lambda: upload.files)
    local.change_client(local.client.with_key(server.api_key))
    upload.end()
    until(lambda: f"{NOTHING} The connection or its key was changed" in text_of(studio))
    assert label(studio) == "Generate"
    assert sent(local) == []
    until(lambda: studio.form.problems == ())
    send_click(studio.generate_button)
    assert len(sent(local)) == 1
    assert NOTHING not in text_of(studio)


def test_the_form_below_a_video_names_a_lost_click(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload
) -> None:
    """Another video is continued during the upload: the click on the form before it is not lost silently."""
    follow_up, request = FollowUp(local), studio.form.request
    follow_up.offer(request)
    form = follow_up.form
    assert form is not None
    form.panels.buttons["masks"].value = True
    paint(form, 0)
    send_click(follow_up.generate_button)
    assert follow_up.generate_button.description == UPLOADING
    follow_up.offer(VideoRequest("kling-v3", "A heron"))
    assert f"{NOTHING} The form was filled in anew" in text_of(follow_up)
    assert follow_up.generate_button.description == "Generate"
    upload.end()
    drain()
    assert sent(local) == []
    follow_up.close()


def test_a_mask_whose_neighbour_is_removed_during_its_upload_arrives(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload
) -> None:
    """The second mask becomes the first one while the first is uploaded; it gets its own URL all the same."""
    form, masks = studio.form, editor_of(studio.form)
    for number, painted in ((1, b"\x0a\x0a"), (2, b"\x14\x14")):
        paint(form, number, painted)
    form.uploads.publish()
    until(lambda: upload.files)
    second = form.uploads.files[2]
    click(masks.rows[0], "Remove")
    upload.end()
    drain()
    until(lambda: form.dynamic_masks[0].mask_url == url_of(second), 10)
    assert not form.pending, "the form waits for an upload that never begins"


def test_a_stroke_on_another_thread_does_not_strand_the_click(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JupyterLab may deliver a stroke on another thread during the click; the clicked mask is still sent."""
    paint(studio.form, 0)
    (clicked,) = studio.form.uploads.files.values()
    publish = studio.form.uploads.publish
    stroke = threading.Thread(target=paint, args=(studio.form, 0, bytes([10, 11])))

    def publish_after_stroke() -> None:
        monkeypatch.undo()
        stroke.start()
        stroke.join(0.2)  # as far as it comes
        publish()

    monkeypatch.setattr(studio.form.uploads, "publish", publish_after_stroke)
    send_click(studio.generate_button)
    stroke.join()
    upload.end()
    until(lambda: sent(local), 10)
    (request,) = sent(local)
    assert request is not None
    assert request.static_mask == url_of(clicked)


def test_four_variations_are_four_tasks_however_they_are_clicked(
    studio: VideoStudio, local: TaskManager, upload: SlowUpload
) -> None:
    """Clicks and Ctrl+Enter, during the upload, at its end and right after it, are one submission of four."""
    paint(studio.form, 0)
    studio.get_ready()
    studio.variations.value = 4
    for _ in range(2):
        send_click(studio.generate_button)
        ctrl_enter(studio, "Prompt", studio.form.prompt)
    clicks = [threading.Thread(target=send_click, args=(studio.generate_button,)) for _ in range(8)]
    for each in clicks:
        each.start()
    upload.end()
    for each in clicks:
        each.join()
    until(lambda: len(local.tasks) >= 4)
    drain()
    send_click(studio.generate_button)
    assert [request and request.static_mask for request in sent(local)] == 4 * [url_of(upload.files[0])]
