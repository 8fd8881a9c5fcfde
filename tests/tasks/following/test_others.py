"""``others``: every video of a task that has several reaches the disk, and none delays the first."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.other_videos import NOTE
from qingbo_widgets.library.sidecar import read_sidecar
from qingbo_widgets.service.download import partial as download_parts
from qingbo_widgets.tasks.following import fetching, links
from tests.faults.film import CONTAINERS, film
from tests.faults.server import Exchange, FaultServer, Step, answer, file, partial
from tests.waiting import until

pytestmark = pytest.mark.slow

FILMS = {name: film(name.encode() * 40_000) for name in ("koi", "carp", "eel")}
MakeManager = Callable[..., qw.TaskManager]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, no_proxy: None) -> None:
    """Shorten the pauses between two tries."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.02)


class Service:
    """A service with one completed task.

    Attributes:
        entries: the entries of its result, in which a name is replaced by a link to that video.
        steps: the next answers to requests for a video, by name.
        always: the answer to all requests for a video, by name.
        contents: the videos.
        fetched: the names of the requested videos, in order.
        is_known: whether the service still knows the task.
    """

    def __init__(self, *entries: Any) -> None:
        self.url = ""
        self.entries = entries
        self.steps: dict[str, list[Step]] = {}
        self.always: dict[str, Step] = {}
        self.contents = dict(FILMS)
        self.fetched: list[str] = []
        self.is_known = True
        self.asked = 0

    def __call__(self, exchange: Exchange) -> bool:
        request = exchange.request
        if request.method == "POST":
            return answer({"task_id": "task-1", "status": "queued"})(exchange)
        if "/tasks/" in request.path:
            self.asked += 1
            if not self.is_known:
                error = {"message": "no such task", "code": "task_not_found"}
                return answer({"error": error}, 404)(exchange)
            videos = [self._entry(entry) for entry in self.entries]
            done = {"task_id": "task-1", "status": "completed", "result": {"videos": videos}}
            return answer(done)(exchange)
        name = request.path.rpartition("/")[2].partition(".")[0]
        self.fetched.append(name)
        if self.steps.get(name):
            return self.steps[name].pop(0)(exchange)
        return self.always.get(name, file(self.contents.get(name, b""), ETag=f'"{name}"'))(exchange)

    def _entry(self, entry: Any) -> Any:
        if isinstance(entry, dict):
            return entry
        names = [entry] if isinstance(entry, str) else entry
        urls = [f"{self.url}/{name}" if "." in name else f"{self.url}/{name}.mp4" for name in names]
        return {"url": urls if len(urls) > 1 else urls[0]}


def start(server: FaultServer, service: Service, make_manager: MakeManager) -> qw.Task:
    """Return a new task of a manager that uses the server."""
    service.url = server.url
    client = qw.Client("some-key", f"{server.url}/v1", timeout=(20.0, 20.0))
    return make_manager(client, poll_interval=0.05).submit(prompt="koi")


def videos_in(task: qw.Task) -> dict[str, bytes]:
    """Return the content of each video in the folder by the end of its name, such as ``-2.mp4``."""
    path = task.video_path
    assert path is not None, task.message
    names = [name for name in path.parent.iterdir() if name.suffix in CONTAINERS]
    return {name.name.removeprefix(path.stem): name.read_bytes() for name in names}


def notes_in(task: qw.Task) -> list[Path]:
    """Return the notes in the folder that videos are still to be saved."""
    return list(task.manager.library.folder.glob(f"**/?*{NOTE}"))


def finished(task: qw.Task) -> qw.Task:
    """Return a task once all its videos are saved or given up."""
    task.wait(20)
    until(lambda: not task.saves_others)
    return task


def test_all_videos_are_saved(make_manager: MakeManager) -> None:
    """The first is the task's video; the others are beside it, with a sidecar, and named in the message."""
    service = Service("koi", "carp", "eel")
    with FaultServer(otherwise=service) as server:
        task = finished(start(server, service, make_manager))
    assert videos_in(task) == {
        ".mp4": FILMS["koi"],
        "-2.mp4": FILMS["carp"],
        "-3.mp4": FILMS["eel"],
    }
    assert task.video_path is not None
    stem = task.video_path.stem
    assert [path.name for path in task.other_video_paths] == [f"{stem}-2.mp4", f"{stem}-3.mp4"]
    assert task.message == (
        f"The service returned 3 different videos. Saved beside this one: {stem}-2.mp4, {stem}-3.mp4."
    )
    sidecar = read_sidecar(task.other_video_paths[0])
    assert sidecar is not None
    assert sidecar["request"]["prompt"] == "koi"
    assert sidecar["key"] != task.key, "a library that is rebuilt would have one row for two videos"
    assert notes_in(task) == []


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([["koi", "carp"]], ["koi"]),
        ([["koi", "carp"], ["eel", "carp"]], ["koi"]),
        (["koi", "last.png"], ["koi"]),
        (["koi", "koi"], ["koi"]),
        ([["koi", "carp"], "eel"], ["koi", "eel"]),
    ],
    ids=str,
)
def test_what_is_no_other_video(make_manager: MakeManager, entries: list[Any], names: list[str]) -> None:
    """Two renditions of one entry, a picture, and the same link twice are no other video."""
    service = Service(*entries)
    with FaultServer(otherwise=service) as server:
        task = finished(start(server, service, make_manager))
    assert sorted(videos_in(task).values()) == sorted(FILMS[name] for name in names)
    assert service.fetched == names
    assert bool(task.message) == (len(names) > 1)


@pytest.mark.parametrize(
    "fault", [answer(b"", 503), answer(b"", 404), partial(FILMS["carp"], 5000)], ids=["busy", "gone", "cut"]
)
def test_the_second_fails_for_a_while(make_manager: MakeManager, fault: Step) -> None:
    """The first is saved and returned at once; what keeps the second is shown until it is saved as well."""
    service = Service("koi", "carp", "eel")
    service.always["carp"] = fault
    with FaultServer(otherwise=service) as server:
        task = start(server, service, make_manager).wait(20)
        assert videos_in(task)[".mp4"] == FILMS["koi"]
        texts: list[str] = []
        task.observe(lambda change: texts.append(change.new), "message")
        until(lambda: any("-2.mp4: " in text and "Trying again in" in text for text in texts))
        until(lambda: task.other_video_paths)
        assert "Still being saved" in task.message
        assert videos_in(task)["-3.mp4"] == FILMS["eel"], "the third waited for the second"
        del service.always["carp"]
        finished(task)
        assert videos_in(task)["-2.mp4"] == FILMS["carp"]
    assert ("Still" in task.message, notes_in(task), task.error) == (False, [], None)


def test_a_restart_between_the_first_and_the_second(make_manager: MakeManager) -> None:
    """The next kernel saves what is missing, from where it broke off, and leaves the first as it is."""
    service = Service("koi", "carp")
    tagged = partial(FILMS["carp"], 100_000, ETag='"carp"')
    service.steps["carp"] = [tagged]
    service.always["carp"] = answer(b"", 503)
    with FaultServer(otherwise=service) as server:
        task = start(server, service, make_manager).wait(20)
        until(lambda: service.fetched.count("carp") > 2)
        task.manager.close()  # type: ignore[attr-defined]
        assert "The next qw.connect() saves" in task.message
        assert task.wait(0).error is None
        assert len(notes_in(task)) == 1
        del service.always["carp"]
        fetched = len(service.fetched)
        requests = len(server.requests)
        manager = make_manager(task.manager.client, poll_interval=0.05)
        manager.recover_soon()  # as connect() does
        (again,) = manager.tasks
        finished(again)
        assert videos_in(again) == {".mp4": FILMS["koi"], "-2.mp4": FILMS["carp"]}
        assert (again.video_path, again.key) == (task.video_path, task.key)
        assert service.fetched[fetched:] == ["carp"], "the first was downloaded again"
        resumed = [request.headers.get("range") for request in server.requests[requests:]]
        assert any(resumed), "the second started from its first byte"
    assert notes_in(again) == []
    manager.close()
    assert make_manager(manager.client).recover() == []


def test_two_kernels(make_manager: MakeManager) -> None:
    """While one kernel saves the others, a second one downloads nothing and says so."""
    service = Service("koi", "carp")
    service.always["carp"] = answer(b"", 503)
    with FaultServer(otherwise=service) as server:
        task = start(server, service, make_manager).wait(20)
        second = make_manager(task.manager.client, poll_interval=0.05)
        (other,) = second.recover()
        finished(other)
        assert other.message == f"Another kernel is saving {task.planned_path.stem}-2.mp4."
        assert (other.video_path, task.saves_others) == (task.video_path, True)
        del service.always["carp"]
        finished(task)
        assert videos_in(task)["-2.mp4"] == FILMS["carp"]


def test_a_library_that_is_rebuilt(make_manager: MakeManager) -> None:
    """A library without its journal has a row for each video, with the request."""
    service = Service("koi", "carp")
    with FaultServer(otherwise=service) as server:
        task = finished(start(server, service, make_manager))
    task.manager.close()  # type: ignore[attr-defined]
    folder = task.manager.library.folder
    for journal in folder.glob("library.sqlite*"):
        journal.unlink()
    entries = qw.Library.import_(folder).entries()
    assert {(entry.file, entry.prompt) for entry in entries} == {
        (f"{task.planned_path.stem}{end}", "koi") for end in (".mp4", "-2.mp4")
    }


def test_a_kernel_that_dies_before_the_second_begins(make_manager: MakeManager) -> None:
    """The note is there before the first video is, so a kernel may die at any moment after it."""
    service = Service("koi", "carp")
    with FaultServer(otherwise=service) as server:
        seen: list[bool] = []

        def look(exchange: Exchange) -> bool:
            seen.append(bool(notes_in(task)))
            return file(FILMS["koi"])(exchange)

        service.steps["koi"] = [look]
        task = start(server, service, make_manager)
        finished(task)
    assert seen == [True]


def test_a_video_that_the_service_has_deleted(make_manager: MakeManager) -> None:
    """A second video that is gone for ever is named with the reason; no later kernel looks for it."""
    service = Service("koi", "carp")

    def gone(exchange: Exchange) -> bool:
        service.is_known = False
        return answer(b"", 410)(exchange)

    service.always["carp"] = gone
    with FaultServer(otherwise=service) as server:
        task = finished(start(server, service, make_manager))
        assert "-2.mp4 could not be saved: The service no longer knows task-1" in task.message
        assert f"{server.url}/carp.mp4" in task.video_urls
    assert (list(videos_in(task)), notes_in(task), task.error) == ([".mp4"], [], None)


def test_a_video_that_cannot_be_saved_now(make_manager: MakeManager) -> None:
    """The message has the reason and the next step, which saves what is missing and nothing else."""
    service = Service("koi", "carp")
    service.contents["carp"] = film(bytes(400_000))
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = qw.Client("some-key", f"{server.url}/v1", timeout=(20.0, 20.0))
        manager = make_manager(client, poll_interval=0.05)
        manager.max_video_bytes = 300_000
        task = finished(manager.submit(prompt="koi"))
        assert "-2.mp4 could not be saved: The video has 0.4 MB" in task.message
        assert "task.retry_download() tries again" in task.message
        manager.max_video_bytes = 500_000
        task.retry_download()
        finished(task)
        assert videos_in(task)["-2.mp4"] == service.contents["carp"]
        assert service.fetched.count("koi") == 1
        task.retry_download()
        assert task.is_done, "nothing is missing any more"


def test_a_name_that_is_taken(make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second video that is complete and cannot get its name is not downloaded again for it."""
    monkeypatch.setattr(download_parts, "PATIENCE", 0.02)
    service = Service("koi", "carp")

    def block(exchange: Exchange) -> bool:
        (task.planned_path.parent / f"{task.planned_path.stem}-2.mp4").mkdir()
        return file(FILMS["koi"])(exchange)

    service.steps["koi"] = [block]
    with FaultServer(otherwise=service) as server:
        task = start(server, service, make_manager)
        finished(task)
        assert "-2.mp4 could not be saved: The video is complete" in task.message
        (task.planned_path.parent / f"{task.planned_path.stem}-2.mp4").rmdir()
        task.retry_download()
        finished(task)
    assert videos_in(task)["-2.mp4"] == FILMS["carp"]
    assert service.fetched == ["koi", "carp"]
    assert (notes_in(task), task.error) == ([], None)


def test_the_videos_are_in_the_answer(make_manager: MakeManager) -> None:
    """Videos in base64, in place of links, are all saved."""
    coded = [{"b64_json": base64.b64encode(FILMS[name]).decode()} for name in ("koi", "carp")]
    service = Service()
    body = {"task_id": "task-1", "status": "completed", "data": coded}
    with FaultServer(answer({"task_id": "task-1", "status": "queued"}), otherwise=answer(body)) as server:
        task = finished(start(server, service, make_manager))
    assert videos_in(task) == {".mp4": FILMS["koi"], "-2.mp4": FILMS["carp"]}


def test_the_first_is_missing(make_manager: MakeManager) -> None:
    """If the first cannot be downloaded, the second is the task's video, and the first follows later."""
    service = Service("koi", "carp")
    service.always["koi"] = answer(b"", 404)
    with FaultServer(otherwise=service) as server:
        task = start(server, service, make_manager).wait(20)
        assert videos_in(task)[".mp4"] == FILMS["carp"]
        del service.always["koi"]
        finished(task)
    assert videos_in(task) == {".mp4": FILMS["carp"], "-1.mp4": FILMS["koi"]}


def test_the_same_video_under_two_links(make_manager: MakeManager) -> None:
    """A video that turns out to be the same as the first is not kept twice."""
    service = Service("koi", "carp")
    service.contents["carp"] = FILMS["koi"]
    with FaultServer(otherwise=service) as server:
        task = finished(start(server, service, make_manager))
    assert task.video_path is not None
    left = {path.suffix for path in task.video_path.parent.glob("koi-*")}
    assert (list(videos_in(task)), task.message, task.other_video_paths) == ([".mp4"], "", ())
    assert left <= {".mp4", ".json", ".png"}


def test_another_container(make_manager: MakeManager) -> None:
    """Each video has the suffix of its own container."""
    service = Service("koi", "carp")
    service.contents |= {"koi": CONTAINERS[".mov"], "carp": CONTAINERS[".webm"]}
    with FaultServer(otherwise=service) as server:
        task = finished(start(server, service, make_manager))
    assert videos_in(task) == {".mov": CONTAINERS[".mov"], "-2.webm": CONTAINERS[".webm"]}
    for text in ("The service sent the video as .mov", "-2.webm"):
        assert text in task.message
