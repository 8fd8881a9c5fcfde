"""``saving``: a paid video reaches the disk, whatever the disk does, and is not fetched again for it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.sidecar import read_sidecar
from qingbo_widgets.service.download import leftovers, partial
from qingbo_widgets.service.download.partial import Partial
from qingbo_widgets.system import files
from qingbo_widgets.tasks.following import disk as disk_module
from qingbo_widgets.tasks.following import fetching, links
from tests.faults.film import CONTAINERS, film
from tests.faults.server import FaultServer, Step, answer, unannounced
from tests.faults.service import VIDEO, Service, stage_of
from tests.waiting import until

pytestmark = pytest.mark.slow

KOI = "一条锦鲤"
Line = tuple[Service, FaultServer, qw.TaskManager]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, no_proxy: None) -> None:
    """Shorten the pauses between two tries; ``test_follower`` tests their length."""
    for module in (fetching, links, disk_module):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.01)
    monkeypatch.setattr(partial, "PATIENCE", 0.02)


@pytest.fixture
def line(make_manager: Callable[..., qw.TaskManager]) -> Iterator[Line]:
    """Yield a service, its server, and a manager that uses it."""
    service = Service()
    service.story = (("completed", 100),)
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = qw.Client("some-key", f"{server.url}/v1", timeout=(20.0, 20.0))
        yield service, server, make_manager(client, poll_interval=0.05)


def fetched(server: FaultServer) -> int:
    """Return how often the video was requested."""
    return sum(stage_of(request) == "download" for request in server.requests)


def asked(server: FaultServer) -> int:
    """Return how often the service was asked for the task's status."""
    return sum(stage_of(request) == "status" for request in server.requests)


def left_in(manager: qw.TaskManager) -> set[str]:
    """Return the suffixes of the files in the library's folder, except those of the journal."""
    names = (path for path in manager.library.folder.iterdir() if path.is_file())
    return {path.suffix for path in names if not path.name.startswith("library.sqlite")}


def messages_of(task: qw.Task) -> list[str]:
    """Return a list that grows with the messages of a task."""
    texts: list[str] = []
    task.observe(lambda change: texts.append(change.new), "message")
    return texts


class WindowsError(OSError):
    """An error of Windows, with its own number."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.EINVAL, "refused by Windows")
        self.winerror = number


def error_of(name: str | int) -> OSError:
    """Return the error with this name, or with this number on Windows."""
    if isinstance(name, int):
        return WindowsError(name)
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


class Refusal:
    """A function of ``os`` that raises errors for some calls.

    Attributes:
        left: the number of calls that are still refused.
        count: the number of refused calls.
    """

    def __init__(self, real: Callable[..., Any], error: OSError, left: int, about: str = "") -> None:
        self._real, self._error, self._about = real, error, about
        self.left, self.count = left, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.left and str(args[-1]).endswith(self._about):
            self.left -= 1
            self.count += 1
            raise self._error
        return self._real(*args, **kwargs)


def refuse(
    monkeypatch: pytest.MonkeyPatch, name: str, error: OSError, times: int, about: str = ""
) -> Refusal:
    """Make the next calls of a function of ``os`` fail, if the last argument ends so."""
    refusal = Refusal(getattr(os, name), error, times, about)
    monkeypatch.setattr(os, name, refusal)
    return refusal


PASSING = [
    "EACCES",
    "EPERM",
    "EBUSY",
    "ETXTBSY",
    "EROFS",
    "ESTALE",
    "ETIMEDOUT",
    "EIO",
    "ENOSPC",
    "EDQUOT",
    "EAGAIN",
    "ENOENT",
    "EHOSTDOWN",
]


@pytest.mark.parametrize("name", [*PASSING, 5, 32, 33, 53, 64, 121, 1224])
def test_a_name_that_is_refused_for_a_moment(
    line: Line, monkeypatch: pytest.MonkeyPatch, name: str | int
) -> None:
    """A complete video waits for its name, says so, and is neither fetched nor asked for again."""
    _, server, manager = line
    refusal = refuse(monkeypatch, "replace", error_of(name), 3, ".mp4")
    task = manager.submit(prompt=KOI)
    texts = messages_of(task)
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert refusal.count == 3
    assert (fetched(server), asked(server)) == (1, 1)
    if name not in (5, 32, 33):  # these are retried within the rename
        assert any("is complete, as" in text and "Trying again in" in text for text in texts)
    assert left_in(manager) == {".mp4", ".json"}


def test_a_name_that_is_refused_for_longer_than_the_link_lives(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The complete bytes outlive their link: the service is not needed to give them their name."""
    _, server, manager = line
    refusal = refuse(monkeypatch, "replace", error_of("EACCES"), 10**9, ".mp4")
    task = manager.submit(prompt=KOI)
    until(lambda: refusal.count > 2)
    server.otherwise = answer({}, 410)
    before = refusal.count
    until(lambda: refusal.count > before + 2)
    assert not task.is_done
    refusal.left = 0
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert fetched(server) == 1


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_the_next_kernel_gives_the_complete_video_its_name(
    line: Line, make_manager: Callable[..., qw.TaskManager], monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """A complete part is taken up by the next kernel without a request, even if the task is forgotten."""
    _, server, manager = line
    if not locks:
        monkeypatch.setattr(leftovers, "lock", lambda _: None)
    with monkeypatch.context() as patch:
        refusal = refuse(patch, "replace", error_of("EBUSY"), 10**9, ".mp4")
        manager.submit(prompt=KOI)
        until(lambda: refusal.count > 1)
        manager.close()
    server.otherwise = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)
    before = len(server.requests)
    (task,) = make_manager(qw.Client("some-key", f"{server.url}/v1")).recover()
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert len(server.requests) == before


@pytest.mark.parametrize("name", ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EPERM", "EACCES"])
def test_a_drive_that_cannot_flush(line: Line, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A file system without flushing saves the video like any other."""
    _, server, manager = line
    refusal = refuse(monkeypatch, "fsync", error_of(name), 99)
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO
    assert refusal.count
    assert fetched(server) == 1


@pytest.mark.parametrize("name", ["EIO", "ENOSPC", "EDQUOT", "ESTALE"])
def test_bytes_that_are_lost_while_they_are_flushed(
    line: Line, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """If flushing fails, the bytes may be lost though they can be read still: they are fetched again."""
    _, server, manager = line
    refuse(monkeypatch, "fsync", error_of(name), 1)
    task = manager.submit(prompt=KOI)
    texts = messages_of(task)
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert fetched(server) == 2
    assert any("could not be written" in text for text in texts)
    assert left_in(manager) == {".mp4", ".json"}


@pytest.mark.parametrize("name", ["EXDEV", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"])
def test_a_drive_that_cannot_rename(line: Line, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A file system that cannot rename gets a copy, and nothing is left beside it."""
    _, server, manager = line
    refuse(monkeypatch, "replace", error_of(name), 10**9, ".mp4")
    task = manager.submit(prompt=KOI)
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert fetched(server) == 1
    assert ".part" not in left_in(manager)


def test_half_a_copy_is_no_video(line: Line) -> None:
    """A kernel that dies while it copies leaves half a copy, which the next one completes."""
    _, server, manager = line
    entry = Entry(
        key="e" * 32, service=manager.service, task_id="task-1", status="completed", request={"prompt": KOI}
    )
    manager.library.add(entry)
    path = manager.library.video_path(KOI, entry.key)
    part = Partial(path, entry.key)
    part.open()
    part.begin(len(VIDEO), None)
    part.write(VIDEO)
    part.file.flush()
    part.is_whole = True  # as after a rename that failed
    part.close()
    path.write_bytes(VIDEO[:700])
    (task,) = manager.recover()
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert server.requests == []
    assert ".part" not in left_in(manager)


def test_a_name_that_can_never_be_given(line: Line) -> None:
    """If a folder has the video's name, the error says where the complete bytes are."""
    _, server, manager = line
    service_story = line[0]
    service_story.faults["download"].append(lambda exchange: _in_the_way(manager, exchange))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.DownloadFailed, match="is complete, as") as caught:
        task.wait(20)
    assert caught.value.part is not None
    assert str(caught.value.part) in str(task.error)
    assert caught.value.part.read_bytes() == VIDEO
    task.planned_path.joinpath("notes.txt").unlink()
    task.planned_path.rmdir()
    task.retry_download()
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert fetched(server) == 1


def _in_the_way(manager: qw.TaskManager, exchange: Any) -> bool:
    (task,) = manager.tasks
    task.planned_path.mkdir()
    (task.planned_path / "notes.txt").write_text("mine", encoding="utf-8")
    return answer(VIDEO)(exchange)


class Disk:
    """A disk that takes no bytes while ``error`` is set.

    Attributes:
        error: the error of every write; ``None`` for a disk that works.
        probes: the number of refused tries to reserve room.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: OSError | None = None
        self.probes = 0
        disk = self

        class File(FileIO):
            def write(self, data: Any) -> int:
                if disk.error is not None:
                    raise disk.error
                return super().write(data)

        monkeypatch.setattr(leftovers, "FileIO", File)
        monkeypatch.setattr(files, "_fill", self._fill)

    def _fill(self, descriptor: int, size: int) -> None:
        if self.error is not None:
            self.probes += 1
            raise self.error


@pytest.mark.parametrize("mark", ["", '"1"'], ids=["unmarked", "marked"])
@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "ESTALE", "ETIMEDOUT", 112])
def test_a_disk_that_takes_nothing_for_a_while(
    line: Line, monkeypatch: pytest.MonkeyPatch, name: str | int, mark: str
) -> None:
    """The video is not fetched again until the disk takes it; the task says what it waits for."""
    service, server, manager = line
    disk = Disk(monkeypatch)
    disk.error = error_of(name)
    marks: dict[str, Any] = {"ETag": mark} if mark else {}
    service.faults["download"] += [answer(VIDEO, **marks)] * 2
    task = manager.submit(prompt=KOI)
    texts = messages_of(task)
    until(lambda: disk.probes > 3)
    assert fetched(server) == 1
    assert not task.is_done
    assert "could not be written" in texts[-1]
    assert "Trying again in" in texts[-1]
    disk.error = None
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert fetched(server) == 2
    assert left_in(manager) == {".mp4", ".json"}


@pytest.mark.skipif(os.name == "nt", reason="a system of POSIX limits the size of files")
def test_a_real_limit_of_a_file(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that grows beyond the limit of the process is refused by the system itself."""
    import resource

    service, server, manager = line
    probes: list[bool] = []
    monkeypatch.setattr(
        disk_module, "can_hold", lambda *args: bool(probes.append(held := files.can_hold(*args)) or held)
    )
    large = film(bytes(3_000_000))
    service.faults["download"] += [answer(large)] * 2
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        task = manager.submit(prompt=KOI)
        texts = messages_of(task)
        until(lambda: len(probes) > 3)
        assert any("cannot hold a file of this size" in text for text in texts)
        assert not any(probes)
        assert fetched(server) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert task.wait(20).video_path.read_bytes() == large
    assert left_in(manager) == {".mp4", ".json"}


def test_a_full_disk_is_not_tried_with_the_next_link(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several links, the second is not downloaded because the disk refused the first."""
    service, server, manager = line
    disk = Disk(monkeypatch)
    disk.error = error_of("ENOSPC")
    links = [f"{server.url}/videos/{name}.mp4" for name in ("a", "b")]
    result = {"images": [], "videos": [{"url": link} for link in links]}
    service.faults["status"].append(service.status_with(result=result))
    task = manager.submit(prompt=KOI)
    until(lambda: disk.probes > 2)
    assert fetched(server) == 1
    disk.error = None
    assert task.wait(20).video_path.read_bytes() == VIDEO


def test_a_disk_that_is_never_free_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the link is over, the task ends with the reason, which says that the disk is full."""
    _, server, manager = line
    disk = Disk(monkeypatch)
    disk.error = error_of("ENOSPC")
    monkeypatch.setattr(disk_module, "retry_delay", lambda *_: 0.01 if disk.probes < 3 else 10.0**9)
    with pytest.raises(qw.DownloadFailed, match="the disk is full"):
        manager.submit(prompt=KOI).wait(20)
    assert fetched(server) == 1


@pytest.mark.parametrize("name", ["EACCES", "EROFS", "ESTALE", "ENOSPC"])
def test_a_folder_that_cannot_be_created_for_a_while(
    line: Line, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The folder of a drive that is away is created once the drive is back."""
    _, server, manager = line
    real, refused = Path.mkdir, [5]

    def mkdir(path: Path, *args: Any, **kwargs: Any) -> None:
        if path == manager.library.folder and refused[0] and fetching:
            refused[0] -= 1
            raise error_of(name)
        real(path, *args, **kwargs)

    fetching: list[bool] = []
    line[0].faults["status"].append(lambda exchange: bool(fetching.append(True)) or line[0].serve(exchange))
    monkeypatch.setattr(Path, "mkdir", mkdir)
    task = manager.submit(prompt=KOI)
    texts = messages_of(task)
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert refused == [0]
    assert fetched(server) == 1
    assert any("folder for the videos cannot be created" in text for text in texts)


@pytest.mark.parametrize("suffix", [suffix for suffix in CONTAINERS if suffix != ".mp4"])
def test_another_container_is_saved_under_its_own_suffix(
    line: Line, make_manager: Callable[..., qw.TaskManager], suffix: str
) -> None:
    """A video that is no mp4 has the suffix of what it is; the task says so, and the next kernel finds it."""
    service, server, manager = line
    service.faults["download"].append(answer(CONTAINERS[suffix], Content_Type="video/mp4"))
    task = manager.submit(prompt=KOI).wait(20)
    assert task.video_path == task.planned_path.with_suffix(suffix)
    assert task.video_path.read_bytes() == CONTAINERS[suffix]
    assert f"sent the video as {suffix}" in task.message
    sidecar = read_sidecar(task.video_path)
    assert sidecar is not None
    assert sidecar["video"]["file"] == task.video_path.name
    assert left_in(manager) == {suffix, ".json"}
    manager.library.update(task.key, reopen=True, file=None)  # as if the kernel had died before this row
    manager.close()
    (again,) = make_manager(qw.Client("some-key", f"{server.url}/v1")).recover()
    assert again.wait(20).video_path == task.video_path
    assert fetched(server) == 1


def test_a_suffix_that_is_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video in another container keeps the planned name if it cannot be renamed once more."""
    service, _, manager = line
    refuse(monkeypatch, "replace", error_of("EACCES"), 10**9, ".webm")
    service.faults["download"].append(answer(CONTAINERS[".webm"]))
    task = manager.submit(prompt=KOI).wait(20)
    assert task.video_path == task.planned_path
    assert task.video_path.read_bytes() == CONTAINERS[".webm"]


def test_bytes_behind_the_video_are_remarked(line: Line) -> None:
    """A video with foreign bytes behind it is saved, and the task says that they were kept."""
    service, _, manager = line
    service.faults["download"] += [unannounced(VIDEO + b"\r\n<!-- edge -->")] * 2
    task = manager.submit(prompt=KOI).wait(20)
    assert task.video_path.read_bytes() == VIDEO + b"\r\n<!-- edge -->"
    assert "All received bytes were kept" in task.message


NOTHING = {"400": answer(b"", 400), "401": answer(b"", 401), "204": answer(b"", 204), "empty": answer(b"")}


@pytest.mark.parametrize("step", NOTHING.values(), ids=NOTHING)
def test_an_answer_without_the_video_is_waited_out(line: Line, step: Step) -> None:
    """An answer that holds no video is requested again, with fresh links."""
    service, server, manager = line
    service.faults["download"].append(step)
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO
    assert fetched(server) == 2
