"""``saving``: completed tasks whose video is late, in the answer itself, or replaced by an error."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks.following import links
from tests.faults.film import film
from tests.faults.server import Exchange, FaultServer, answer
from tests.waiting import until

pytestmark = pytest.mark.slow

VIDEO = film(bytes(range(256)) * 40)
LATE = "gives no link to the video yet"
MakeManager = Callable[..., qw.TaskManager]


class Service:
    """A step of a ``FaultServer`` that has one task.

    Attributes:
        task: the members of its status answer.
        asked: the number of status requests.
        body: the answer to a submission.
    """

    def __init__(self, **task: Any) -> None:
        self.task = task
        self.asked = 0
        self.body: dict[str, Any] = {"task_id": "task-1", "status": "queued"}

    def __call__(self, exchange: Exchange) -> bool:
        request = exchange.request
        if request.method == "POST":
            return answer(self.body)(exchange)
        if "/tasks/" in request.path:
            self.asked += 1
            return answer({"task_id": "task-1", "status": "completed", **self.task})(exchange)
        return answer(VIDEO)(exchange)


def submitted(server: FaultServer, make_manager: MakeManager, contract: str = "2026-04") -> qw.Task:
    """Return a new task of a manager that uses the server."""
    client = qw.Client("some-key", f"{server.url}/v1", contract=contract, timeout=(2.0, 2.0))
    return make_manager(client, poll_interval=0.05).submit(prompt="koi")


def saved(task: qw.Task) -> bytes:
    """Return the bytes of a task's video, once it is saved."""
    path = task.wait(20).video_path
    assert path is not None
    return path.read_bytes()


def ago(**span: float) -> int:
    """Return a time before now, in milliseconds."""
    return int((datetime.now(UTC) - timedelta(**span)).timestamp() * 1000)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between two requests for a late video short."""
    monkeypatch.setattr(links, "retry_delay", lambda *_: 0.02)
    monkeypatch.setattr(links, "PAUSE_SHARE", 0.0)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    ("contract", "hours", "is_asked"),
    [("2026-04", 23, True), ("2026-04", 25, False), ("2026-11", 167, True), ("2026-11", 169, False)],
)
def test_a_late_video_is_waited_for_as_long_as_a_link_would_live(
    make_manager: MakeManager,
    monkeypatch: pytest.MonkeyPatch,
    contract: str,
    hours: int,
    is_asked: bool,
) -> None:
    """A task without links is asked for 24 hours in 2026-04, 7 days in 2026-11, also by a new kernel."""
    monkeypatch.setattr(links, "RESULT_PATIENCE", 0.0)
    service = Service(completed_at=ago(hours=hours))
    with FaultServer(otherwise=service) as server:
        task = submitted(server, make_manager, contract)
        until(lambda: service.asked > 4 or task.is_done)
        if is_asked:
            assert (task.is_done, LATE in task.message) == (False, True)
        else:
            with pytest.raises(qw.DownloadFailed, match="contact the service with this id"):
                task.wait(20)
        task.manager.close()  # type: ignore[attr-defined]
        asked = service.asked
        (task,) = make_manager(task.manager.client, poll_interval=0.05).recover()
        until(lambda: service.asked > asked + 4 or task.is_done)
        assert task.is_done is not is_asked, "the next kernel does the same"
        service.task |= {"video_url": f"{server.url}/v.mp4"}
        if task.is_done:
            task.retry_download()
        assert saved(task) == VIDEO


def test_the_pauses_grow() -> None:
    """A late video is asked for every few seconds at first, and every ten minutes in the end."""
    pauses: list[float] = []
    while sum(pauses) < 24 * 3600:
        pauses.append(links._pause(len(pauses) + 1, sum(pauses)))
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 600
    assert len(pauses) < 300


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"result": {"videos": [{"url": "/v1/videos/x/content"}]}}, "is not usable: '/v1/videos/x/content'"),
        ({"output": {"video_url": "data:text/html,koi"}}, "is not usable: 'data:text/html,koi'"),
        (
            {"error": {"message": "the pond is dry", "code": "dry"}},
            "instead of the video: the pond is dry (d",
        ),
        ({"fail_reason": "the pond is dry"}, "an error instead of the video: the pond is dry"),
        ({"result": None}, LATE),
    ],
    ids=str,
)
def test_what_is_in_place_of_the_video_is_shown(
    make_manager: MakeManager, task: dict[str, Any], words: str
) -> None:
    """The user reads what the service gives instead of a link, and the video is saved once it is there."""
    service = Service(**task)
    with FaultServer(otherwise=service) as server:
        following = submitted(server, make_manager)
        until(lambda: words in following.message or following.is_done)
        assert not following.is_done
        service.task = {"result": {"videos": [{"url": f"{server.url}/v.mp4"}]}}
        assert saved(following) == VIDEO
        assert (following.message, following.error) == ("", None)


@pytest.mark.usefixtures("quickly")
def test_an_error_in_place_of_the_video_is_raised_after_some_minutes(
    make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a completed task does not keep ``wait`` for a day; *Save again* asks once more."""
    monkeypatch.setattr(links, "RESULT_PATIENCE", 0.1)
    service = Service(error={"message": "the pond is dry", "code": "dry"})
    with FaultServer(otherwise=service) as server:
        task = submitted(server, make_manager)
        with pytest.raises(qw.DownloadFailed, match=r"the pond is dry \(dry\)\. Save again later"):
            task.wait(20)
        service.task = {"video_url": f"{server.url}/v.mp4"}
        task.retry_download()
        assert saved(task) == VIDEO


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
def test_a_video_in_the_answer_is_saved(
    make_manager: MakeManager, caplog: pytest.LogCaptureFixture, contract: str
) -> None:
    """A video in base64 is saved like any other, and is in no trait, message, log or journal."""
    caplog.set_level(logging.DEBUG)
    coded = base64.b64encode(VIDEO).decode()
    service = Service(result={"videos": [{"url": f"data:video/mp4;base64,{coded}"}]})
    with FaultServer(otherwise=service) as server:
        task = submitted(server, make_manager, contract)
        assert saved(task) == VIDEO
        folder = task.manager.library.folder
        task.manager.close()  # type: ignore[attr-defined]
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.suffix != ".mp4")
    piece = coded[300:340]
    assert piece not in f"{task.trait_values()} {task.error} {caplog.text} {vars(task.follower._record)}"
    assert piece.encode() not in written
    assert VIDEO[300:340] not in written
    assert task.video_urls == ()


def test_a_large_video_in_the_answer_is_saved(
    make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video of several megabytes fits into an answer."""
    large = film(bytes(range(256)) * 20_000)
    service = Service(data=[{"b64_json": base64.b64encode(large).decode()}])
    with FaultServer(otherwise=service) as server:
        assert saved(submitted(server, make_manager)) == large


@pytest.mark.usefixtures("quickly")
def test_a_damaged_video_in_the_answer_is_asked_for_again(make_manager: MakeManager) -> None:
    """A video that ends too early is not saved; the whole one of a later answer is."""
    cut, whole = (base64.b64encode(content).decode() for content in (VIDEO[:-50], VIDEO))
    service = Service(data=[{"b64_json": cut}])
    with FaultServer(otherwise=service) as server:
        task = submitted(server, make_manager)
        until(lambda: task.is_done or "incomplete" in task.message)
        service.task = {"data": [{"b64_json": whole}]}
        if task.is_done:
            task.retry_download()
        assert saved(task) == VIDEO


def test_several_links(make_manager: MakeManager) -> None:
    """The links of one entry lead to one video, which is saved once."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        links = [f"{server.url}/{name}.mp4" for name in "ab"]
        service.task = {"result": {"videos": [{"url": links}]}}
        task = submitted(server, make_manager)
        assert saved(task) == VIDEO
        assert (task.video_urls, task.message) == (tuple(links), "")


@pytest.mark.usefixtures("quickly")
def test_the_users_own_video_in_the_answer_is_not_saved(make_manager: MakeManager) -> None:
    """An answer that repeats the request has no result yet: the service is asked on for the paid video."""
    own = "https://me.example/own.mp4"
    request = qw.VideoRequest("kling-video-o1", "edit it", action="edit", video_urls=(own,))
    service = Service(data={"videos": [{"url": own}]})
    with FaultServer(otherwise=service) as server:
        client = qw.Client("some-key", f"{server.url}/v1", contract="2026-11", timeout=(2.0, 2.0))
        task = make_manager(client, poll_interval=0.05).submit(request)
        until(lambda: service.asked > 3 or task.video_urls)
        assert task.video_urls == (), "the user's own video passes for the result"
        service.task = {"data": {"videos": [{"url": own}, {"url": f"{server.url}/result.mp4"}]}}
        assert saved(task) == VIDEO
