"""Attacks on pictures of this machine: the wrong picture, a second task, a false certainty."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import qingbo_widgets as qw
from tests.faults.server import FaultServer, answer, close
from tests.faults.service import Service
from tests.films import RATE, written
from tests.tasks.inputs.host import Host, file_host
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore:Local files are uploaded")

SIGNATURE = "X-Amz-Signature=0dd5adeadbeefcafe"


def picture(colour: str = "teal") -> Image.Image:
    """Return a picture of one colour."""
    return Image.new("RGB", (640, 480), colour)


class Place:
    """A service that bills each key anew, with a place for files, and managers of both on one folder.

    Attributes:
        server: the server of the service.
        service: the service.
        upload: the function that uploads files.
    """

    def __init__(self, server: FaultServer, service: Service, host: Host, folder: Path) -> None:
        self.server, self.service, self.upload = server, service, host.upload
        self._folder = folder
        self.managers: list[qw.TaskManager] = []

    def manager(
        self, contract: str = "2026-04", upload: Any = None, folder: Path | None = None
    ) -> qw.TaskManager:
        """Return a manager as of another kernel."""
        client = qw.Client("sk-pictures-0123456789", f"{self.server.url}/v1", contract=contract)
        made = qw.TaskManager(client, qw.Library(folder or self._folder), poll_interval=0.05)
        made.upload = upload or self.upload
        self.managers.append(made)
        return made

    @property
    def submitted(self) -> list[dict[str, Any]]:
        """The bodies of the submissions."""
        return [request.json for request in self.server.requests if request.path.endswith("/tasks")]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Yield a service that does not know its keys, and a host of files."""
    service = Service()
    service.is_idempotent = False
    with FaultServer(otherwise=service) as server, file_host(tmp_path / "host") as host:
        service.url = server.url
        made = Place(server, service, host, tmp_path / "videos")
        yield made
        for manager in made.managers:
            manager.close()


def colour_sent(link: str, host: Path) -> tuple[int, ...]:
    """Return the colour of the picture behind a link."""
    with Image.open(host / link.rpartition("/")[2]) as image:
        return image.convert("RGB").getpixel((0, 0))  # type: ignore[return-value]


# ------------------------------------------------------------------ another picture than the user saw


def test_an_edited_copy_of_a_saved_picture_is_another_picture(place: Place, tmp_path: Path) -> None:
    """The copy keeps the name, with the hash of the first content: the user means what is in the file."""
    manager = place.manager()
    first = manager.submit(prompt="x", image=picture("red")).wait(20)
    assert first.request is not None
    copy = tmp_path / Path(first.request.image_urls[0]).name
    picture("blue").save(copy)
    second = manager.submit(prompt="x", image=str(copy))
    second.wait(20)
    assert colour_sent(place.submitted[-1]["image_urls"][0], tmp_path / "host") == (0, 0, 255)


def test_a_picture_edited_in_the_library_does_not_replace_the_first(place: Place, tmp_path: Path) -> None:
    """A user draws on the saved file: the old picture is sent as it was, and the new one as it is."""
    manager = place.manager()
    request = manager.inputs.saved(qw.VideoRequest(prompt="x", image=picture("red"))).request
    file = manager.library.folder / request.image_urls[0]
    picture("lime").save(file)
    for image, colour in ((str(file), (0, 255, 0)), (picture("red"), (255, 0, 0))):
        manager.submit(prompt="x", image=image).wait(20)
        assert colour_sent(place.submitted[-1]["image_urls"][0], tmp_path / "host") == colour


def test_a_file_of_the_working_directory_does_not_replace_that_of_a_request(
    place: Place, workdir: Path
) -> None:
    """The folder of the notebook may be another library, in which the picture was edited."""
    manager = place.manager()
    request = manager.inputs.saved(qw.VideoRequest(prompt="x", image=picture("red"))).request
    (workdir / "inputs").mkdir()
    picture("lime").save(workdir / request.image_urls[0])
    assert manager.inputs.files_in(request) == (manager.library.folder / request.image_urls[0],)


def test_a_picture_that_changes_before_its_upload_is_not_sent(place: Place) -> None:
    """Another program writes to the file between the click and the upload."""
    manager, may_go, may_end = place.manager("2026-11"), threading.Event(), threading.Event()
    entered = []

    def upload(path: Path) -> str:
        entered.append(path)
        may_go.set()
        may_end.wait(30)
        return place.upload(path)

    manager.upload = upload
    task = manager.submit(prompt="x", image_urls=[picture("red"), picture("blue")], model="kling-v3-omni")
    assert may_go.wait(20)
    assert task.request is not None
    picture("lime").save(next(file for file in manager.inputs.files_in(task.request) if file != entered[0]))
    may_end.set()
    until(lambda: task.is_done)
    assert task.status == qw.TaskStatus.failed
    assert "was changed" in str(task.error)
    assert place.submitted == []


def test_a_picture_that_is_gone_is_not_sent_as_a_path(place: Place) -> None:
    """The service would get a path of this machine, and might make a video without the picture."""
    place.service.faults["submit"] = [answer({"error": {"message": "no", "code": "invalid_request"}}, 400)]
    manager = place.manager()
    task = manager.submit(prompt="x", image=picture())
    until(lambda: task.is_done)
    shutil.rmtree(manager.library.folder / "inputs")
    task.submit_again()
    until(lambda: task.is_done)
    assert len(place.submitted) == 1, f"the service got {place.submitted[-1]}"
    assert "Choose the picture again" in str(task.error)


NAMES = (
    "noext",
    "clip.verylong",
    "a\nb.mp4",
    "\u202e4pm.gnp.mp4",
    "\x1b[2J.mp4",
    "n" * 240 + ".mp4",
    "a?b#%2e.mp4",
)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_video_of_any_name_is_uploaded_under_a_plain_one(place: Place, tmp_path: Path, name: str) -> None:
    """The name is part of a link, a message in a terminal and the key of an object."""
    pytest.importorskip("av")
    film = written(tmp_path / "koi.mp4", 5 * RATE, size=(320, 240))
    subprocess.run(["cp", film, tmp_path / name], check=True)  # another process: not by the rules of Windows
    manager = place.manager()
    saved = manager.inputs.saved(qw.VideoRequest(prompt="x", video_urls=[str(tmp_path / name)]))
    assert saved.problems == ()
    (file,) = manager.inputs.files_in(saved.request)
    assert file.name.replace("-", "").replace(".mp4", "").isalnum()


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_to_a_video_elsewhere_is_followed(place: Place, tmp_path: Path) -> None:
    """As for a picture: it is the user's own link."""
    pytest.importorskip("av")
    (tmp_path / "films").mkdir()
    film = written(tmp_path / "films" / "koi.mp4", 5 * RATE, size=(320, 240))
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "koi.mp4").symlink_to(film)
    request = qw.VideoRequest(prompt="x", video_urls=[str(tmp_path / "links" / "koi.mp4")])
    assert place.manager().inputs.saved(request).problems == ()


# ------------------------------------------------------------------ a second task, doubt and certainty


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["confirmed", "unconfirmed"])
def test_what_another_kernel_submits_during_an_upload_is_not_submitted_again(
    place: Place, is_confirmed: bool
) -> None:
    """The kernel slept during its upload, so the user submitted the task from another one."""
    begun, may_end = threading.Event(), threading.Event()

    def upload(path: Path) -> str:
        begun.set()
        may_end.wait(60)
        return place.upload(path)

    asleep, other = place.manager(upload=upload), place.manager()
    task = asleep.submit(prompt="koi", image=picture())
    assert begun.wait(20)
    asleep.library.release(asleep.holder)  # as if it had expired
    again = other.adopt(task.key)
    assert again is not None
    until(lambda: again.is_done)
    assert again.status == qw.TaskStatus.failed
    if not is_confirmed:
        place.service.faults["submit"] = [place.service.create_then(close)]
    again.submit_again()
    until(lambda: again.is_done)
    other.close()
    may_end.set()
    until(lambda: task.is_done)
    assert place.service.prompts == ["koi"], "the task was paid for twice"
    assert task.status == again.status


def test_a_repeated_submission_has_the_links_of_the_first(place: Place) -> None:
    """Between the two, another task with the picture fails, and its link is made anew: another body."""
    numbers = iter(range(100))

    def upload(path: Path) -> str:
        return f"{place.upload(path)}?{SIGNATURE}{next(numbers)}"

    place.service.faults["submit"] = [
        place.service.create_then(close),
        answer({"error": {"message": "no", "code": "invalid_request"}}, 400),
    ]
    manager = place.manager("2026-11", upload)
    task = manager.submit(prompt="x", image=picture())
    until(lambda: task.is_done)
    assert task.status == qw.TaskStatus.unconfirmed
    other = manager.submit(prompt="y", image=picture())
    until(lambda: other.is_done)
    manager.close()
    again = place.manager("2026-11", upload).adopt(task.key)
    assert again is not None
    until(lambda: again.is_done)
    again.submit_again()
    until(lambda: again.is_done)
    first, _, repeated = place.submitted
    assert repeated == first, "the service refuses the key with another body"


def test_a_failed_upload_leaves_a_first_submission_in_doubt(place: Place) -> None:
    """Its text must not say that nothing was charged: the first submission may have been."""
    place.service.faults["submit"] = [place.service.create_then(close)]
    manager = place.manager()
    task = manager.submit(prompt="x", image=picture())
    until(lambda: task.is_done)

    def refuse(path: Path) -> str:
        raise OSError("the disk of the host is full")

    manager.upload = refuse
    task.submit_again()
    until(lambda: task.is_done)
    assert task.status == qw.TaskStatus.unconfirmed
    assert "the disk of the host is full" in str(task.error)
    assert "Nothing was submitted" not in str(task.error)


ENDS: dict[str, Callable[[], BaseException]] = {
    "sys.exit": lambda: SystemExit(1),
    "a cancelled asyncio task": asyncio.CancelledError,
    "a generator": GeneratorExit,
    "an iterator": StopIteration,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_function_that_ends_its_thread_fails_its_task_alone(place: Place, end: str) -> None:
    """The manager and its other tasks continue."""

    def upload(path: Path) -> str:
        raise ENDS[end]()

    manager = place.manager(upload=upload)
    task = manager.submit(prompt="x", image=picture())
    until(lambda: task.is_done)
    assert task.status == qw.TaskStatus.failed
    assert "upload() failed" in str(task.error)
    assert manager.submit(prompt="y").wait(20).status == qw.TaskStatus.completed


def test_a_function_that_publishes_the_file_itself_ends(place: Place) -> None:
    """It waits for itself in vain, but does not keep the others waiting."""
    manager = place.manager()
    manager.upload = lambda path: manager.publish(path)
    task = manager.submit(prompt="x", image=picture())
    until(lambda: task.is_done)
    assert task.status == qw.TaskStatus.failed


def test_uploads_that_never_end_hold_nothing_else_back(place: Place) -> None:
    """A task whose picture was uploaded before ends, and other kernels can follow it."""
    manager, may_end = place.manager(), threading.Event()
    manager.submit(prompt="x", image=picture()).wait(20)

    def upload(path: Path) -> str:
        may_end.wait(60)
        return ""

    place.service.story = (("queued", 0),)
    fine = manager.submit(prompt="x", image=picture())
    until(lambda: fine.task_id)
    manager.upload = upload
    stuck = [manager.submit(prompt="x", image=picture(colour)) for colour in ("red", "lime", "blue", "pink")]
    until(lambda: "Uploading" in stuck[2].message)
    place.service.story = (("completed", 100),)
    until(lambda: fine.is_done)
    until(lambda: manager.library.current_hold(fine.key) is None)
    for task in stuck:
        task.cancel()
        assert task.status == qw.TaskStatus.cancelled
    may_end.set()


def test_a_forked_process_publishes_nothing(place: Place) -> None:
    """The locks of an upload in the parent would hold it forever."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    begun, may_end = threading.Event(), threading.Event()

    def upload(path: Path) -> str:
        begun.set()
        may_end.wait(60)
        return place.upload(path)

    manager = place.manager(upload=upload)
    task = manager.submit(prompt="x", image=picture())
    assert begun.wait(20)

    def child() -> None:
        for call in (lambda: manager.publish(picture()), lambda: manager.submit(prompt="x", image=picture())):
            with suppress(qw.QingboError):
                call()
                os._exit(3)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(20)
    may_end.set()
    assert process.exitcode == 0
    task.wait(20)


# ------------------------------------------------------------------ links


def test_a_restarted_sandbox_reads_the_pictures_of_the_first(tmp_path: Path) -> None:
    """Its links end with it: a cell that is run again after a restart of the kernel must not fail."""
    for _ in range(2):
        with qw.Sandbox(speed=50, draft=True) as sandbox:
            client = qw.Client(sandbox.api_key, sandbox.base_url)
            library = qw.Library(tmp_path / "videos")
            with qw.TaskManager(client, library, sandbox=sandbox, poll_interval=0.1) as manager:
                assert manager.submit(prompt="x", image=picture()).wait(60).status == qw.TaskStatus.completed


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
@pytest.mark.parametrize("is_submission", [True, False], ids=["refused", "failed"])
def test_a_signature_that_the_service_repeats_is_shown_nowhere(
    place: Place, caplog: pytest.LogCaptureFixture, contract: str, is_submission: bool
) -> None:
    """Anyone with the link sees the picture: it must not be in an error, a log or the journal."""

    def upload(path: Path) -> str:
        return f"{place.upload(path)}?{SIGNATURE}&x=1"

    text = f"无法读取 http://h/a.png?{SIGNATURE}&x=1，请检查"
    failure = {"error": {"message": text, "code": "invalid_request"}}
    if is_submission:
        place.service.faults["submit"] = [answer(failure, 400)]
    else:
        place.service.faults["status"] = [place.service.status_with(status="failed", **failure)]
    manager = place.manager(contract, upload)
    task = manager.submit(prompt="x", image=picture())
    until(lambda: task.is_done)
    assert task.status == qw.TaskStatus.failed
    assert "http://h/a.png，请检查" in str(task.error)
    (row,) = manager.library.entries()
    shown = f"{task.error!r} {task.message} {caplog.text} {json.dumps(row.error)} {row.request}"
    assert "0dd5adead" not in shown


@pytest.mark.parametrize(
    "content", ["", "[]", '{"links": 3}', '{"place": "upload()", "links": {"a": 5}}', "[" * 9000]
)
def test_damaged_notes_cost_another_upload_at_most(place: Place, content: str) -> None:
    """The library may come from anywhere."""
    manager = place.manager()
    task = manager.submit(prompt="x", image=picture())
    task.wait(20)
    manager.inputs.files.remember_sent(task.key, "upload()", {Path("a"): "http://h/a"})
    for note in (manager.library.folder / "inputs").glob("*.json"):
        note.write_text(content)
    assert manager.inputs.files.sent_links(task.key) == {}
    assert manager.submit(prompt="x", image=picture()).wait(20).status == qw.TaskStatus.completed
