"""Local pictures and videos in a request, up to a finished video of a service that is no sandbox."""

from __future__ import annotations

import base64
import io
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults
from tests.tasks.inputs.host import Host, file_host
from tests.waiting import until

Make = Callable[..., qw.TaskManager]

#: The warning before the first upload of a session.
NOTICE = "Anyone with the link can see them"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Yield a server of uploaded files."""
    with file_host(tmp_path / "host") as host:
        yield host


@pytest.fixture
def connected(make_manager: Make, host: Host) -> qw.TaskManager:
    """Return a manager of a service that is no sandbox to it, and reads files from the host."""
    manager = make_manager()
    manager.upload = host.upload
    return manager


@pytest.fixture
def photo(workdir: Path) -> Path:
    """Return a photograph beside the notebook."""
    path = workdir / "照片 1.jpg"
    Image.effect_noise((640, 480), 40).convert("RGB").save(path)
    return path


def picture(width: int = 640, height: int = 480, colour: str = "teal") -> Image.Image:
    """Return a picture."""
    return Image.new("RGB", (width, height), colour)


def png(image: Image.Image) -> bytes:
    """Return the file of a picture."""
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def body_of(server: qw.Sandbox, task: qw.Task) -> dict[str, Any]:
    """Return the body that the service received for a task."""
    return server.requests[task.task_id]


def test_a_photograph_becomes_a_video(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host, photo: Path
) -> None:
    """A path is all that a user gives; the service gets a link, and the request keeps the file."""
    with pytest.warns(UserWarning, match=r"uploaded to Host\.upload\(\)\. Anyone with the link can see them"):
        task = connected.submit(prompt="a koi", image="照片 1.jpg").wait()
    (link,) = body_of(server, task)["image_urls"]
    assert link.startswith(host.url)
    assert task.request is not None
    (kept,) = task.request.image_urls
    file = connected.library.folder / kept
    with Image.open(file) as saved, Image.open(host.folder / host.uploads[0]) as sent:
        assert (saved.size, sent.size) == ((640, 480), (640, 480))
    assert kept == f"inputs/{file.name}", "a page would show the folders of this machine"
    entry = connected.library.get(task.key)
    assert entry is not None
    assert link not in json.dumps(entry.request), "the journal must not give the picture away"
    assert task.video_path is not None
    assert task.video_path.exists()


SOURCES: dict[str, Callable[[], Any]] = {
    "bytes": lambda: png(picture()),
    "an open file": lambda: io.BytesIO(png(picture())),
    "a PIL image": picture,
    "an array": lambda: np.zeros((480, 640, 3), np.uint8),
    "a data URL": lambda: f"data:image/png;base64,{base64.b64encode(png(picture())).decode()}",
}


@pytest.mark.parametrize("source", SOURCES)
def test_any_picture_is_a_picture(connected: qw.TaskManager, server: qw.Sandbox, source: str) -> None:
    """Each kind of value arrives at the service as a file that it can read."""
    with pytest.warns(UserWarning, match=NOTICE):
        task = connected.submit(prompt="a koi", image=SOURCES[source]()).wait()
    assert body_of(server, task)["image_urls"][0].endswith(".png")
    assert task.status == qw.TaskStatus.completed


def test_a_file_url_and_a_path_with_a_tilde_are_paths(
    connected: qw.TaskManager, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are what file managers and shells write for a path."""
    monkeypatch.setenv("HOME", str(photo.parent))
    monkeypatch.setenv("USERPROFILE", str(photo.parent))
    saved = {
        connected.inputs.saved(qw.VideoRequest(prompt="x", image=text)).request.image_urls
        for text in (photo.as_uri(), f"~/{photo.name}", str(photo), f" {photo} ", photo)
    }
    assert len(saved) == 1, f"one picture is one file, however it is named: {saved}"


def test_every_media_field_takes_pictures(make_manager: Make, tmp_path: Path) -> None:
    """Frames with roles, elements, masks: each picture in a request gets its link."""
    with qw.Sandbox(speed=50, draft=True, contract="2026-11") as server:
        client = qw.Client(server.api_key, server.base_url, contract="2026-11")
        with qw.TaskManager(client, qw.Library(tmp_path / "v"), sandbox=server, poll_interval=0.1) as manager:
            task = manager.submit(
                model="kling-v3-omni",
                prompt="@robot walks",
                duration=5,
                image_with_roles=[{"url": picture(), "role": "first_frame"}],
                element_list=[
                    {
                        "name": "robot",
                        "description": "a red robot",
                        "element_input_urls": [picture(colour="red"), picture(colour="blue")],
                    }
                ],
            ).wait()
            body = server.requests[task.task_id]
    links = [body["image_with_roles"][0]["url"], *body["element_list"][0]["element_input_urls"]]
    assert len({*links}) == 3
    assert all(link.startswith("http://127.0.0.1") for link in links)


def test_masks_are_sent_as_they_are(connected: qw.TaskManager, server: qw.Sandbox, host: Host) -> None:
    """The pixels of a mask decide what moves, so none is changed."""
    mask = Image.new("L", (640, 480), 0)
    mask.paste(255, (10, 10, 200, 200))
    with pytest.warns(UserWarning, match=NOTICE):
        task = connected.submit(
            model="kling-v1-6",
            prompt="a koi",
            image=picture(),
            static_mask=mask,
            dynamic_masks=[qw.DynamicMask(mask, [(0, 0), (10, 10)])],
        ).wait()
    extra = body_of(server, task)["extra"]
    assert extra["static_mask"] == extra["dynamic_masks"][0]["mask_url"]
    with Image.open(host.folder / host.uploads[-1]) as sent:
        assert np.array_equal(np.asarray(sent.convert("L")), np.asarray(mask))


def test_a_mask_has_the_shape_of_its_image(connected: qw.TaskManager, workdir: Path) -> None:
    """A phone turns its picture by a note in the file: a mask of the unturned picture does not fit."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(800, 600).save("phone.jpg", exif=exif)
    form: dict[str, Any] = {"model": "kling-v1-6", "prompt": "a koi", "image": "phone.jpg"}
    unturned = qw.VideoRequest(**form, static_mask=Image.new("L", (800, 600)))
    (problem,) = connected.inputs.checked(unturned, "2026-04").problems
    assert "the mask has 800 × 600 pixels, and the image, upright, 600 × 800" in str(problem)
    smaller = qw.VideoRequest(**form, static_mask=Image.new("L", (450, 600)))
    assert connected.inputs.checked(smaller, "2026-04").problems == ()


def test_a_frame_of_a_task_is_a_picture(connected: qw.TaskManager, server: qw.Sandbox) -> None:
    """The next video begins where a task ends, or with a frame of it."""
    task = connected.submit(prompt="a koi").wait()
    with pytest.warns(UserWarning, match=NOTICE):
        following = connected.submit(prompt="it dives", image=task).wait()
    with pytest.warns(UserWarning, match="Enlarged"):  # a draft of the sandbox is small
        other = connected.submit(prompt="it dives", image=task.frame(0.0)).wait()
    assert body_of(server, following)["image_urls"] != body_of(server, other)["image_urls"]


def test_equal_bytes_are_uploaded_once(connected: qw.TaskManager, host: Host, photo: Path) -> None:
    """A sweep of one picture uploads it once, and so do tasks after it."""
    with pytest.warns(UserWarning, match=NOTICE):
        qw.sweep(prompt=["a", "b", "c"], image=photo, manager=connected).wait()
    connected.submit(prompt="d", image=photo.read_bytes()).wait()
    assert len(host.uploads) == 1


def test_a_sweep_varies_pictures(connected: qw.TaskManager, server: qw.Sandbox, photo: Path) -> None:
    """Pictures are values of an axis like others, and are named by their files."""
    with pytest.warns(UserWarning, match=NOTICE):
        sweep = qw.sweep(prompt="a koi", image=[photo, picture()], manager=connected).wait()
    links = {tuple(body_of(server, task)["image_urls"]) for task in sweep.tasks}
    assert len(links) == 2
    assert "照片-1" in repr([cell.values for cell in sweep.cells])


# ---------------------------------------------------------------------- refused before anything is sent


def test_without_an_uploader_the_error_has_the_line_to_add(manager: qw.TaskManager, photo: Path) -> None:
    """The service cannot read files of this machine."""
    with pytest.raises(
        qw.InvalidRequest, match=r'image_urls: .*照片 1\.jpg is on this.*connect\(upload="s3:'
    ):
        manager.submit(prompt="x", image=photo)
    with pytest.raises(qw.InvalidRequest, match=r"<Image> is on this machine"):
        manager.submit(prompt="x", image=picture())
    assert manager.tasks == ()


def test_what_is_no_picture_is_refused(connected: qw.TaskManager, workdir: Path) -> None:
    """The message names field, file and reason, and nothing is uploaded or sent."""
    Path("notes.txt").write_text("no picture", encoding="utf-8")
    Path("photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    wrong = {
        "notes.txt": "notes.txt",
        "photo.jpg": "photo.jpg",
        "gone.png": "no such file",
        ".": "is a folder",
    }
    for text, words in wrong.items():
        with pytest.raises(qw.InvalidRequest, match=words) as raised:
            connected.submit(prompt="x", image=text)
        assert "image_urls" in str(raised.value)
    with pytest.raises(qw.InvalidRequest, match=r"2\.5:1"):
        connected.submit(prompt="x", image=picture(2000, 300))
    assert connected.tasks == ()


def test_other_problems_of_the_request_are_told_together(connected: qw.TaskManager, photo: Path) -> None:
    """One attempt shows all there is to fix."""
    with pytest.raises(qw.InvalidRequest) as raised:
        connected.submit(prompt="", duration=99, image=picture(50, 50))
    assert {problem.field for problem in raised.value.problems} == {"prompt", "duration", "image_urls"}


# ---------------------------------------------------------------------- failures


def test_a_failed_upload_submits_nothing_and_can_be_repeated(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host
) -> None:
    """The task says what happened, stays in the library, and is submitted again with one call."""
    before, works = len(server.requests), [False]

    def upload(path: Path) -> str:
        if not works[0]:
            raise PermissionError("the bucket is closed")
        return host.upload(path)

    connected.upload = upload
    with pytest.warns(UserWarning, match=NOTICE):
        task = connected.submit(prompt="x", image=picture())
    with pytest.raises(qw.UploadFailed, match=r"the bucket is closed.*Nothing was submitted or charged"):
        task.wait()
    assert task.status == qw.TaskStatus.failed
    entry = connected.library.get(task.key)
    assert entry is not None
    assert (entry.status, len(server.requests)) == ("failed", before)
    works[0] = True
    task.submit_again()
    assert task.wait().status == qw.TaskStatus.completed


def test_cancelled_during_the_upload_nothing_is_sent(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host
) -> None:
    """Cancel works at once, however long the upload takes."""
    before, begun, may_end = len(server.requests), threading.Event(), threading.Event()

    def upload(path: Path) -> str:
        begun.set()
        may_end.wait(60)
        return host.upload(path)

    connected.upload = upload
    with pytest.warns(UserWarning, match=NOTICE):
        task = connected.submit(prompt="x", image=picture())
    assert begun.wait(60)
    until(lambda: task.message == "Uploading picture.png…")  # a function says nothing of its progress
    task.cancel()
    assert task.status == qw.TaskStatus.cancelled
    may_end.set()
    assert len(server.requests) == before


KERNEL = """
    import os, sys
    from pathlib import Path
    from PIL import Image
    import qingbo_widgets as qw

    def upload(path):
        os.kill(os.getpid(), 9)

    client = qw.Client({key!r}, {url!r})
    manager = qw.TaskManager(client, qw.Library({folder!r}))
    manager.upload = upload
    manager.submit(prompt="x", image=Image.new("RGB", (400, 400))).wait()
"""


@pytest.mark.skipif(os.name == "nt", reason="kills itself the POSIX way")
def test_a_kernel_that_dies_during_the_upload_leaves_no_doubt(
    make_manager: Make, server: qw.Sandbox, tmp_path: Path
) -> None:
    """The next kernel knows that nothing was submitted, and offers to submit it."""
    before, folder = len(server.requests), str(tmp_path / "qingbo_videos")
    source = textwrap.dedent(KERNEL).format(key=server.api_key, url=server.base_url, folder=folder)
    subprocess.run([sys.executable, "-W", "ignore", "-c", source], check=False, timeout=120)
    manager = make_manager()
    (entry,) = manager.library.entries()
    task = manager.adopt(entry.key)
    assert task is not None
    assert task.status == qw.TaskStatus.failed
    assert "nothing was submitted or charged" in str(task.error)
    assert len(server.requests) == before


def test_a_failed_task_uploads_its_picture_anew(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host
) -> None:
    """The file may be gone from the host, which is why the service failed."""
    server.faults = Faults(fail="upstream_unavailable", fail_prompt="no luck")
    try:
        with pytest.warns(UserWarning, match=NOTICE):
            task = connected.submit(prompt="no luck", image=picture())
        until(lambda: task.is_done)
    finally:
        server.faults = Faults()
    assert task.status == qw.TaskStatus.failed
    connected.submit(prompt="x", image=picture()).wait()
    assert len(host.uploads) == 2


def test_only_files_of_the_library_are_uploaded(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host, photo: Path
) -> None:
    """A row of another user's library with the path of a private picture does not give it away."""
    Path("private.jpg").write_bytes(photo.read_bytes())
    request = qw.VideoRequest(prompt="x", image_urls=[str(Path("private.jpg").absolute())])
    task = connected.submit(prompt="x")
    until(lambda: task.is_done)
    database = connected.library.folder / "library.sqlite"
    with closing(sqlite3.connect(database)) as journal, journal:
        journal.execute(
            "UPDATE tasks SET request = ?, status = 'failed', task_id = '', file = NULL",
            [json.dumps(request.as_dict())],
        )
    connected.close()
    manager = qw.TaskManager(qw.Client(server.api_key, server.base_url), qw.Library(connected.library.folder))
    with manager:
        manager.upload = host.upload
        (entry,) = manager.library.entries()
        again = manager.adopt(entry.key)
        assert again is not None
        again.submit_again()
        until(lambda: again.is_done)
        assert host.uploads == []
        assert again.status == qw.TaskStatus.failed


def test_the_link_of_a_repeated_submission_is_the_same(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host
) -> None:
    """The service recognises a repetition by its key, and the body must be the same too."""
    with pytest.warns(UserWarning, match=NOTICE):
        first = connected.submit(prompt="x", image=picture()).wait()
    second = connected.submit(prompt="x", image=picture()).wait()
    assert body_of(server, first)["image_urls"] == body_of(server, second)["image_urls"]


def test_publish_returns_a_link(connected: qw.TaskManager, host: Host, photo: Path) -> None:
    """``manager.publish`` is the same way for a caller who needs the link alone."""
    with pytest.warns(UserWarning, match=NOTICE):
        link = connected.publish(photo)
    assert link.startswith(host.url)
    assert connected.publish(str(photo)) == link
    with pytest.raises(qw.InvalidRequest, match="no such file") as raised:
        connected.publish("gone.png")
    assert len(raised.value.problems) == 1, "a link needs no prompt"
    with pytest.raises(ValueError, match="use='foto' is not one of image, mask, video"):
        connected.publish(photo, use="foto")


def test_each_sandbox_serves_the_picture_itself(workdir: Path) -> None:
    """A link to a sandbox that has ended is not sent again; one that runs gives a file one link."""
    links: list[str] = []
    for _ in range(2):
        with qw.Sandbox(speed=50, draft=True) as sandbox:
            client = qw.Client(sandbox.api_key, sandbox.base_url)
            with qw.TaskManager(client, qw.Library("videos"), sandbox=sandbox, poll_interval=0.1) as manager:
                tasks = [manager.submit(prompt="a koi", image=picture()).wait() for _ in range(2)]
                links += [sandbox.requests[task.task_id]["image_urls"][0] for task in tasks]
    assert links[0] == links[1]
    assert links[1] != links[2]


def test_another_function_uploads_anew(connected: qw.TaskManager, host: Host) -> None:
    """A link of one place is not one of another."""
    uploaded: list[Path] = []

    def elsewhere(path: Path) -> str:
        uploaded.append(path)
        return host.upload(path)

    with pytest.warns(UserWarning, match=NOTICE):
        connected.submit(prompt="x", image=picture()).wait()
    connected.upload = elsewhere
    with pytest.warns(UserWarning, match=r"uploaded to .*elsewhere\(\)"):
        connected.submit(prompt="x", image=picture()).wait()
    assert len(uploaded) == 1


def test_a_link_with_chinese_is_quoted(
    connected: qw.TaskManager, server: qw.Sandbox, host: Host, workdir: Path
) -> None:
    """A function may return the URL as a browser shows it."""
    connected.upload = lambda path: f"{host.url}/{host.upload(path) and path.name}"
    picture().save("照片.png")
    with pytest.warns(UserWarning, match=NOTICE):
        task = connected.submit(prompt="x", image="照片.png")
    assert task.wait().status == qw.TaskStatus.completed
    assert body_of(server, task)["image_urls"][0].isascii()


def test_other_problems_name_the_file(connected: qw.TaskManager, photo: Path) -> None:
    """A rule about several fields quotes the path that the user gave."""
    with pytest.raises(qw.InvalidRequest, match=r"照片 1\.jpg"):
        connected.submit(prompt="x", last_frame=photo)
