"""``follower``: the ways in which a submission, a status call or a download can fail."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.sidecar import read_sidecar, sidecar_path
from qingbo_widgets.service.download import partial as parts
from qingbo_widgets.tasks.following import fetching, links, outage, polling
from qingbo_widgets.tasks.schedule import retry_delay
from tests.faults.film import film
from tests.faults.server import Exchange, FaultServer, Step, answer, close, file, html, partial, reset
from tests.waiting import until

UNAUTHORIZED = answer({"error": {"message": "revoked", "code": "auth"}}, 401)
NOT_FOUND = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)
VIDEO = film(bytes(range(256)) * 40)
KOI = "一条锦鲤"
Scripted = Callable[..., tuple[FaultServer, qw.TaskManager]]


@pytest.fixture
def scripted(make_manager: Callable[..., qw.TaskManager]) -> Iterator[Scripted]:
    """Return a server that follows a script, and a manager that uses it."""
    servers: list[FaultServer] = []

    def make(*script: Step, **settings: object) -> tuple[FaultServer, qw.TaskManager]:
        server = FaultServer(*script)
        server.__enter__()
        servers.append(server)
        client = qw.Client("some-key", f"{server.url}/v1", timeout=(2.0, 2.0))
        return server, make_manager(client, poll_interval=0.05, **settings)

    yield make
    for server in servers:
        server.__exit__()


def taken(status: str = "queued", **fields: object) -> Step:
    """Return a status answer for task-1."""
    return answer({"task_id": "task-1", "model": "kling-v3", "status": status, "progress": 0, **fields})


def finished(url: str | list[str], **fields: object) -> Step:
    """Return the answer that task-1 is completed."""
    video = {"url": url, "expires_at": fields.pop("expires_at", None)}
    return taken("completed", progress=100, result={"images": [], "videos": [video]}, **fields)


def from_now(**span: float) -> int:
    """Return a time in the service's format, in milliseconds."""
    return int((datetime.now(UTC) + timedelta(**span)).timestamp() * 1000)


def submissions(server: FaultServer) -> list[str]:
    """Return the idempotency keys of the submissions that arrived."""
    return [r.headers["idempotency-key"] for r in server.requests if r.method == "POST"]


def files(manager: qw.TaskManager) -> list[str]:
    """Return the files in the folder, except those of the journal (it has a second one during a write)."""
    names = (path.name for path in manager.library.folder.iterdir())
    return [name for name in names if not name.startswith("library.sqlite")]


@pytest.mark.parametrize(
    "fault",
    [
        close,
        reset,
        html("<h1>Bad gateway</h1>"),
        html("<p>welcome</p>", 200),
        answer(b"{", 200),
        answer({}, 500),
    ],
    ids=["closed", "reset", "502 html", "200 html", "broken json", "500"],
)
def test_a_submission_without_an_answer_is_unconfirmed_and_never_repeated(scripted, fault):
    """The task is unconfirmed, and only the user can submit it again, with the same key."""
    server, manager = scripted(fault)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.SubmissionUnconfirmed, match="may be charged") as raised:
        task.wait(20)
    assert task.status == qw.TaskStatus.unconfirmed
    assert raised.value.idempotency_key == task.key
    assert submissions(server) == [task.key]
    assert manager.library.get(task.key).status == "unconfirmed"

    server.then(taken(), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.submit_again()
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert submissions(server) == [task.key, task.key]
    assert len(manager.library.entries()) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, qw.BadRequest),
        (401, qw.AuthenticationFailed),
        (402, qw.InsufficientBalance),
        (403, qw.ServiceError),
    ],
)
def test_a_refused_submission_is_failed_with_the_service_s_words(scripted, status, error):
    """A refusal is not retried, and the user can submit the request again later."""
    refusal = {"error": {"message": "no such luck", "code": "some_code"}}
    server, manager = scripted(answer(refusal, status))
    task = manager.submit(prompt=KOI)
    with pytest.raises(error, match="no such luck") as raised:
        task.wait(20)
    assert raised.value.code == "some_code"
    assert task.status == qw.TaskStatus.failed
    assert len(server.requests) == 1
    server.then(taken(), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.submit_again()
    assert task.wait(20).status == qw.TaskStatus.completed
    assert manager.library.get(task.key).status == "completed"


@pytest.mark.slow
def test_a_rate_limited_submission_waits_and_goes_on(scripted):
    """A 429 means that no task was created: the request is sent again after the Retry-After time."""
    server, manager = scripted(
        answer({"error": {"message": "slow down", "code": "rate_limited"}}, 429, Retry_After="1"),
    )
    server.then(taken(), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    began = time.monotonic()
    task = manager.submit(prompt=KOI).wait(20)
    assert time.monotonic() - began >= 1.0
    assert submissions(server) == [task.key, task.key]


def test_the_costs_are_shown_stored_and_restored(make_manager, tmp_path):
    """The reserved quota and the settled cost are traits, columns of the row, and facts of the sidecar."""
    with FaultServer(taken(pre_consumed_cost=200_000)) as server:
        link = f"{server.url}/v.mp4"
        server.then(finished(link, cost=189_000, billing_status="settled"), answer(VIDEO))
        client = qw.Client("some-key", server.url, contract="2026-11", timeout=(2.0, 2.0))
        task = make_manager(client, poll_interval=0.05).submit(prompt=KOI).wait(20)
        assert (task.frozen, task.cost, task.billing_status) == (200_000, 189_000, "settled")
        assert (read_sidecar(task.video_path) or {})["cost"] == 189_000
        again = make_manager(qw.Client("some-key", server.url, contract="2026-11")).adopt(task.key)
        assert again is not task
        assert (again.frozen, again.cost, again.billing_status) == (200_000, 189_000, "settled")
        table = again.manager.library.to_dataframe()
        assert table[["frozen", "cost", "billing_status"]].values.tolist() == [[200_000, 189_000, "settled"]]
        moved = tmp_path / "moved"
        moved.mkdir()
        for file in (task.video_path, sidecar_path(task.video_path)):
            (moved / file.name).write_bytes(file.read_bytes())
        (row,) = qw.Library.import_(moved).entries()
        assert row.cost == 189_000


def spending_limit(**fields: object) -> Step:
    """Return the answer of an account whose spending limit is used up."""
    return answer({"error": {"message": "used up", "code": "quota_window_exceeded", **fields}}, 429)


@pytest.mark.parametrize("fields", [{"reset_at": 4_000_000_000}, {}])
def test_a_submission_over_the_spending_limit_is_given_up(scripted, fields):
    """A limit that lasts for hours, or for an unknown time, is not retried; the task can be, later."""
    server, manager = scripted(spending_limit(**fields))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.RateLimited, match=r"spending limit.*Nothing was charged"):
        task.wait(20)
    assert task.status == qw.TaskStatus.failed
    assert len(server.requests) == 1
    server.then(taken(), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.submit_again()
    assert task.wait(20).status == qw.TaskStatus.completed


@pytest.mark.slow
def test_a_spending_limit_that_ends_soon_is_waited_for(scripted):
    """A limit that ends in a moment is waited for: one request before, one after."""
    server, manager = scripted(spending_limit(reset_at=time.time() + 2))
    server.then(taken(), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI).wait(20)
    assert submissions(server) == [task.key, task.key]


def test_a_task_that_cannot_be_cancelled_is_followed_on(scripted):
    """The refusal of a cancellation says why, and the task goes on to its video."""
    server, manager = scripted(taken())
    refusal = {"error": {"message": "running", "code": "task_not_cancellable"}}
    link = f"{server.url}/v.mp4"

    def by_path(exchange):
        path = exchange.request.path
        if path.endswith("/cancel"):
            is_cancelled.set()
            return answer(refusal, 400)(exchange)
        step = finished(link) if is_cancelled.is_set() else taken("processing")
        return (answer(VIDEO) if path.endswith(".mp4") else step)(exchange)

    is_cancelled = threading.Event()
    server.otherwise = by_path
    task = manager.submit(prompt=KOI)
    until(lambda: task.task_id)
    with pytest.raises(qw.BadRequest, match=r"already making this video\. A task can be cancelled only"):
        task.cancel()
    assert task.wait(20).status == qw.TaskStatus.completed


def free_port() -> int:
    """Return a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.slow
def test_a_service_that_is_down_costs_nothing_and_the_task_can_be_submitted_later(make_manager):
    """Refused connections are retried for a while; then the task fails with ``sent`` as false."""
    port = free_port()
    manager = make_manager(qw.Client("some-key", f"http://127.0.0.1:{port}/v1"), submit_patience=1.5)
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    with pytest.raises(qw.ConnectionFailed) as raised:
        task.wait(20)
    assert raised.value.sent is False
    assert task.status == qw.TaskStatus.failed
    assert any("trying again in" in message for message in messages)
    with qw.Sandbox(port, speed=50, draft=True) as sandbox:
        manager.client = qw.Client(sandbox.api_key, sandbox.base_url)
        task.submit_again()
        assert task.wait(60).video_path.exists()


def test_a_proxy_that_cannot_be_used(make_manager, monkeypatch):
    """A wrong setting leaves nothing in doubt: the task failed, and says which setting it is."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:port")
    manager = make_manager(qw.Client("some-key", "https://service.example/v1"), submit_patience=0.0)
    with pytest.raises(
        qw.ConnectionFailed, match=r"HTTPS_PROXY is not the address .*Nothing was sent"
    ) as raised:
        manager.submit(prompt=KOI).wait(20)
    assert not raised.value.sent
    assert [row.status for row in manager.library.entries()] == [qw.TaskStatus.failed]


@pytest.mark.slow
def test_all_of_the_patience_is_used(make_manager):
    """The last wait is cut to the time that is left; no attempt is skipped for being too late."""
    manager = make_manager(qw.Client("some-key", f"http://127.0.0.1:{free_port()}/v1"), submit_patience=2.9)
    waits: list[str] = []
    task = manager.submit(prompt=KOI)
    task.observe(lambda change: waits.append(change.new.partition("trying again in")[2]), "message")
    with pytest.raises(qw.ConnectionFailed):
        task.wait(20)
    assert [wait for wait in waits if wait][-1] == " 2 s.", "of 2.9 seconds only the first was used"


def test_a_submission_can_be_cancelled_while_the_service_is_down(make_manager):
    """Between two attempts the service has no task, so Cancel needs no request."""
    manager = make_manager(qw.Client("some-key", f"http://127.0.0.1:{free_port()}/v1"), submit_patience=60.0)
    task = manager.submit(prompt=KOI)
    while not task.message:
        time.sleep(0.01)
    task.cancel()
    with pytest.raises(qw.TaskCancelled, match="before anything was sent"):
        task.wait(10)
    assert manager.library.get(task.key).status == "cancelled"


@pytest.mark.slow
def test_a_service_that_dies_while_the_task_runs_is_asked_until_it_is_back(scripted):
    """A task survives HTML, resets and 500; its message gives the start of the outage."""
    server, manager = scripted(taken(), close, close, html("<p>maintenance</p>", 503))
    server.then(answer(b"not json"), taken("processing", progress=50), finished(f"{server.url}/v.mp4"))
    server.then(answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    assert task.wait(60).video_path.read_bytes() == VIDEO
    outages = [message for message in messages if message.startswith("The service has returned errors since")]
    assert outages
    assert "Trying again in" in outages[0]
    assert "The task continues at the service" in outages[0]
    assert task.message == ""


@pytest.mark.slow
def test_a_user_need_not_wait_for_the_next_try(scripted, monkeypatch):
    """``try_now`` ends the wait for a service that is back; many clicks are one request."""
    monkeypatch.setattr(polling, "HURRY_AFTER", 0.3)
    server, manager = scripted(taken(), *[html("<p>maintenance</p>", 503)] * 3)
    server.then(taken("processing", progress=50), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    until(lambda: task.next_try and (task.next_try.at - datetime.now(UTC)).total_seconds() > 3)
    asked, began = len(server.requests), time.monotonic()
    assert task.next_try.is_away
    assert task.next_try.reason in task.message
    for _ in range(20):
        task.try_now()
    until(lambda: len(server.requests) > asked)
    assert time.monotonic() - began < 2.5, "Try now waits as long as the countdown"
    assert task.wait(60).video_path is not None
    assert task.next_try is None
    assert len(server.requests) < asked + 6, "20 clicks hammer a service that is just coming back"
    task.try_now()  # nothing waits any more


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [UNAUTHORIZED, NOT_FOUND], ids=["401", "404"])
def test_one_refusal_of_a_task_that_the_service_took_is_not_believed(scripted, refusal):
    """A single 401 or 404 for an accepted task is shown and retried."""
    server, manager = scripted(taken(), refusal)
    server.then(taken("processing"), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert any("accepted this task, but now responds: 40" in message for message in messages)
    assert task.message == ""


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["in the library", "of another program"])
def test_a_refused_key_is_doubted_only_where_the_library_knows_the_task(scripted, known):
    """A refused key is raised at once for an id that is not in the library."""
    server, manager = scripted(UNAUTHORIZED)
    if known:
        manager.library.add(
            Entry(key="k" * 32, service=manager.service, task_id="task-1", status="processing")
        )
        server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
        assert manager.resume("task-1").wait(20).video_path.read_bytes() == VIDEO
    else:
        with pytest.raises(qw.AuthenticationFailed):
            manager.resume("task-1").wait(20)
        assert len(server.requests) == 1
        assert manager.library.entries() == []


def test_a_task_that_was_left_is_followed_again(scripted, monkeypatch):
    """``follow_again`` continues after a refused key, submits nothing, and can be called twice."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.0)
    server, manager = scripted(taken(), UNAUTHORIZED)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.AuthenticationFailed):
        task.wait(20)
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.follow_again()
    task.follow_again()
    assert task.error is None
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert submissions(server) == [task.key]
    with pytest.raises(qw.QingboError, match="nothing to follow"):
        task.follow_again()


def test_what_the_service_has_not_confirmed_is_neither_followed_nor_cancelled(scripted):
    """``follow_again`` and ``cancel`` raise for a task without an id; silence would look like success."""
    server, manager = scripted(close)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(20)
    with pytest.raises(qw.QingboError, match="nothing to follow"):
        task.follow_again()
    with pytest.raises(qw.QingboError, match=r"not confirmed.*check\(\)"):
        task.cancel()
    assert len(server.requests) == 1


def test_a_cancellation_that_overtakes_the_following_is_not_forgotten(scripted):
    """A task that is cancelled at the moment its id arrives ends as cancelled."""
    _, manager = scripted(taken(), taken("cancelled"))
    reading, cancelled = threading.Event(), threading.Event()

    def durations(*_: object, **__: object) -> tuple[float, ...]:
        reading.set()
        cancelled.wait(20)
        return ()

    manager.library.durations = durations
    task = manager.submit(prompt=KOI)
    task.observe(lambda change: change.new == "cancelled" and cancelled.set(), "status")
    assert reading.wait(20)
    task.cancel(wait=False)
    with pytest.raises(qw.TaskCancelled):
        task.wait(20)


@pytest.mark.slow
def test_a_service_that_asks_to_wait_is_not_out_of_reach(scripted):
    """A 429 while polling is shown as a rate limit, not as an outage."""
    server, manager = scripted(taken(), answer({"error": {"message": "slow down"}}, 429, Retry_After="0"))
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    task.wait(20)
    waits = [message for message in messages if message]
    assert [message.partition(":")[0] for message in waits] == ["The service asks to wait"]
    assert "Asking again in 1 s" in waits[0]


def test_a_spending_limit_does_not_stop_the_following_for_days(scripted):
    """A running task is asked for again within the hour, whatever the service says about the account."""
    server, manager = scripted(taken(), spending_limit(reset_at=4_000_000_000))
    task = manager.submit(prompt=KOI)
    until(lambda: "The service asks to wait" in task.message)
    assert "Asking again in 3600 s" in task.message
    assert len(server.requests) == 2


def test_an_unknown_status_is_shown_and_followed(scripted):
    """An unknown status neither ends the task nor raises."""
    server, manager = scripted(taken(), taken("moderating", progress=7), taken("moderating", novelty=[1]))
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    statuses: list[str] = []
    task.observe(lambda change: statuses.append(str(change.new)), "status")
    task.wait(20)
    assert "moderating" in statuses


def test_progress_never_goes_back(scripted):
    """A progress of 60 followed by 40 does not move the bar back."""
    steps = (taken("processing", progress=percent) for percent in (10, 60, 40, 70))
    server, manager = scripted(taken(), *steps)
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    seen: list[int] = []
    task.observe(lambda change: seen.append(change.new), "progress")
    task.wait(20)
    assert seen == [10, 60, 70, 100]


def test_a_failed_task_tells_the_service_s_reason(scripted):
    """The service's message and code reach the user and the journal."""
    _, manager = scripted(taken(), taken("failed", error={"message": "上游拒绝", "code": "task_failed"}))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.TaskFailed, match="上游拒绝") as raised:
        task.wait(20)
    assert (raised.value.task_id, raised.value.code) == ("task-1", "task_failed")
    assert "上游拒绝" in manager.library.get(task.key).error["message"]
    with pytest.raises(qw.QingboError, match="generate"):
        task.submit_again()


def test_a_key_that_stops_working_leaves_the_task_for_a_better_one(scripted, monkeypatch):
    """After 401 for minutes following stops with the reason; with a good key ``recover`` continues."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.0)
    server, manager = scripted(taken(), UNAUTHORIZED)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.AuthenticationFailed):
        task.wait(20)
    assert not task.status.is_ended
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    assert manager.recover() == [task]
    assert task.wait(20).video_path.exists()
    assert task.error is None


def test_a_new_key_takes_up_what_the_old_one_cut_off(scripted, monkeypatch):
    """``change_client`` follows the task again, with the new key, and submits nothing."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.0)
    server, manager = scripted(taken(), UNAUTHORIZED)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.AuthenticationFailed):
        task.wait(20)
    assert manager.client.key_refusal == "revoked"
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    manager.change_client(manager.client.with_key("sk-another-0123456789"))
    assert task.wait(20).video_path.exists()
    assert manager.client.key_refusal == ""
    asked = [request for request in server.requests if request.path.endswith("/tasks/task-1")]
    keys = [request.headers["authorization"] for request in asked]
    assert keys[1:] == ["Bearer sk-another-0123456789"] != keys[:1]
    assert len(submissions(server)) == 1


def test_a_new_key_wakes_a_task_that_waits_for_another_try(scripted):
    """A task that the old key has not cut off yet is asked about at once, not minutes later."""
    server, manager = scripted(taken(), answer({"error": {"message": "revoked"}}, 401, Retry_After="200"))
    task = manager.submit(prompt=KOI)
    until(lambda: "accepted this task, but now responds: 401" in task.message)
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    manager.change_client(manager.client.with_key("sk-another-0123456789"))
    assert task.wait(20).video_path.exists()


def test_an_expired_link_is_renewed_by_a_status_call(scripted):
    """An expired link is replaced without an error while the service has the video."""
    server, manager = scripted(taken())
    server.then(finished(f"{server.url}/old.mp4"), answer(b"", 403), finished(f"{server.url}/new.mp4"))
    server.then(answer(VIDEO))
    task = manager.submit(prompt=KOI).wait(20)
    assert task.video_path.read_bytes() == VIDEO
    assert [request.path for request in server.requests][-1] == "/new.mp4"
    assert task.video_urls == (f"{server.url}/new.mp4",)


def test_link_expired_only_when_the_service_has_let_go(scripted):
    """A fresh link that is refused too raises ``LinkExpired``; the task stays completed."""
    server, manager = scripted(taken())
    server.then(
        finished(f"{server.url}/a.mp4"), answer(b"", 410), finished(f"{server.url}/b.mp4"), answer(b"", 410)
    )
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.LinkExpired):
        task.wait(20)
    assert task.status == qw.TaskStatus.completed


@pytest.mark.parametrize("expires_at", [from_now(hours=24), None], ids=["for a day", "unknown"])
def test_a_refused_link_is_tried_again_while_it_should_live(scripted, monkeypatch, expires_at):
    """A 404 or 403 for a valid link is retried, because the video host may lag behind the service."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.01)
    server, manager = scripted(taken())
    for status in (404, 404, 403, 404):
        completed = finished(f"{server.url}/v.mp4", expires_at=expires_at)
        server.then(completed, answer(b"", status))
    server.then(finished(f"{server.url}/v.mp4", expires_at=expires_at), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert any("although it should be valid until" in message for message in messages)


@pytest.mark.parametrize(("contract", "is_kept"), [("2026-04", False), ("2026-11", True)])
def test_a_link_lives_as_long_as_its_contract_promises(make_manager, monkeypatch, contract, is_kept):
    """A refused link of a video from three days ago is tried again only where links live for 7 days."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.01)
    with FaultServer(taken()) as server:
        done = finished(f"{server.url}/v.mp4", completed_at=from_now(days=-3))
        server.then(done, answer(b"", 404), done, answer(b"", 404), done, answer(VIDEO))
        client = qw.Client("some-key", server.url, contract=contract, timeout=(2.0, 2.0))
        task = make_manager(client, poll_interval=0.05).submit(prompt=KOI)
        if is_kept:
            assert task.wait(20).video_path.read_bytes() == VIDEO
        else:
            with pytest.raises(qw.LinkExpired):
                task.wait(20)


def routed(server: FaultServer, status: Step, *downloads: Step) -> FaultServer:
    """Script a service with one constant status answer, and a host that follows its steps, then refuses."""
    steps = list(downloads)

    def step(exchange: Exchange) -> bool:
        if "/tasks" in exchange.request.path:
            return status(exchange)
        return (steps.pop(0) if steps else answer(b"", 403))(exchange)

    server.otherwise = step
    return server


def status_requests(server: FaultServer) -> int:
    """Return the number of status requests."""
    return len([r for r in server.requests if r.method == "GET" and "/tasks/" in r.path])


@pytest.mark.parametrize(("clock", "left"), [(0, -60), (5 * 3600, 3600)], ids=["clocks agree", "5 h ahead"])
def test_a_link_whose_time_is_over_is_given_up(scripted, clock, left):
    """An expired link, by the service's clock, is renewed once; then ``LinkExpired`` is raised."""
    times = {"created_at": from_now(seconds=clock), "expires_at": from_now(seconds=left)}
    server, manager = scripted(taken(created_at=times["created_at"]))
    routed(server, finished(f"{server.url}/v.mp4", **times))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.LinkExpired):
        task.wait(20)
    assert task.status == qw.TaskStatus.completed
    assert status_requests(server) == 2


def test_a_link_that_seems_dead_is_renewed_and_tried(scripted):
    """A link that has expired by our clock or is in the wrong unit is renewed and tried."""
    server, manager = scripted(taken())
    routed(server, finished(f"{server.url}/v.mp4", expires_at=from_now(seconds=-5) // 1000), answer(VIDEO))
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO
    assert status_requests(server) == 2


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v.mp4", "/{}.mp4"], ids=["one path", "ever another path"])
def test_links_that_die_while_they_are_used(scripted, path):
    """A link that is refused after a broken connection is replaced, and the download resumes."""
    server, manager = scripted(taken())
    whole, links = film(os.urandom(300_000)), count()

    def status(exchange: Exchange) -> bool:
        link = server.url + path.format(next(links))
        return finished(link, expires_at=from_now(seconds=-1))(exchange)

    pieces = [file(whole, cut_at=end, ETag='"1"') for end in (80_000, 160_000, 240_000)]
    refused = [step for piece in pieces for step in (piece, answer(b"", 403))]
    routed(server, status, *refused, file(whole, ETag='"1"'))
    task = manager.submit(prompt=KOI).wait(20)
    assert task.video_path.read_bytes() == whole
    started = [r.headers.get("range", "") for r in server.requests if r.path.endswith(".mp4")]
    assert started[-1] == f"bytes={240_000 - parts.OVERLAP}-"


@pytest.mark.parametrize(
    "result",
    [None, {"videos": None}, {"videos": []}, {"videos": [None]}, {"videos": [{"url": ""}]}],
    ids=str,
)
def test_completed_before_its_result(scripted, monkeypatch, result):
    """Links are requested until the service names the video, without a click of the user."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.01)
    server, manager = scripted(taken())
    server.then(*[taken("completed", progress=100, result=result)] * 5, NOT_FOUND)
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert any("gives no link to the video yet" in message for message in messages)
    assert task.message == ""


def test_completed_and_then_failed(scripted):
    """A task that turns from completed to failed raises its error at once, not after ten minutes."""
    server, manager = scripted(taken())
    server.then(taken("completed"), taken("failed", error={"message": "上游拒绝"}))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.DownloadFailed, match=r"now as failed \(上游拒绝\)"):
        task.wait(20)
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.retry_download()
    assert task.wait(20).video_path.read_bytes() == VIDEO


def test_a_result_that_never_comes_is_an_error(scripted, monkeypatch):
    """Once a link would be dead, requests become rarer (here 1,000 times faster) until the error.

    *Save again* starts over.
    """
    asked: list[int] = []

    def soon(failures: int, retry_after: float | None = None) -> float:
        asked.append(failures)
        return retry_delay(failures, retry_after) / 1000

    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", soon)
    monkeypatch.setattr(links, "RESULT_PATIENCE", 0.2)
    server, manager = scripted(taken())
    routed(server, taken("completed", progress=100, completed_at=from_now(hours=-25)))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.DownloadFailed, match="gives no link to the video"):
        task.wait(20)
    assert len(asked) > 2, "it asked only once"  # how often depends on the load of the machine
    assert asked == [*range(1, len(asked)), 1]  # the last one is for the failure itself
    routed(server, finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.retry_download()
    assert task.wait(20).video_path.read_bytes() == VIDEO


def test_a_video_under_an_unknown_status_is_saved(scripted):
    """A video under the status "succeeded" is saved, as completed in the journal."""
    server, manager = scripted(taken(), taken("rendering", progress=40))
    link = {"videos": [{"url": f"{server.url}/v.mp4"}]}
    server.then(taken("succeeded", progress=100, result=link), answer(VIDEO))
    task = manager.submit(prompt=KOI).wait(20)
    assert task.video_path.read_bytes() == VIDEO
    assert manager.library.get(task.key).status == "completed"


@pytest.mark.parametrize(
    ("end", "error", "words"),
    [
        ({"status": "expired"}, qw.TaskFailed, "has expired at the service"),
        ({"status": "expired", "error": {"message": "dry"}}, qw.TaskFailed, "expired .* dry"),
        ({"status": "FAILURE", "fail_reason": "dry"}, qw.TaskFailed, "failed: dry"),
        ({"status": "error", "error": {"message": "dry", "code": "d"}}, qw.TaskFailed, r"failed \(d\): dry"),
        ({"status": "timeout", "completed_at": 1775285160040}, qw.TaskFailed, '"timeout"'),
        ({"status": " Rejected "}, qw.TaskFailed, '"Rejected"'),
        ({"status": "CANCELED"}, qw.TaskCancelled, "was cancelled"),
        ({"status": "cancelled", "cost": 5}, qw.TaskCancelled, "still reports a cost of 5 units of quota"),
    ],
    ids=str,
)
def test_an_end_in_other_words(scripted, end, error, words):
    """A task that ended without a video says so, in this kernel and in the next."""
    server, manager = scripted(taken(), taken("processing"), taken(**end))
    task = manager.submit(prompt=KOI)
    with pytest.raises(error, match=words) as caught:
        task.wait(20)
    manager.close()
    _, manager = scripted()
    (again,) = manager.library.entries()
    assert again.error["message"] == str(caught.value)
    assert "documentation promises" not in str(caught.value)
    assert len(server.requests) == 3


def test_an_error_beside_a_running_status_is_shown_and_followed(scripted):
    """The user reads the error of a task that has not ended, until an answer has none."""
    server, manager = scripted(taken(), taken("stalled", error={"message": "the pond is dry"}))
    server.then(taken("processing", progress=10), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    assert task.wait(20).video_path.read_bytes() == VIDEO
    note = "The service reports an error, but not that the task has ended: the pond is dry"
    assert messages[messages.index(note) + 1] == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", [{"code": 1004, "message": "token has expired"}, {"error": {"message": "token has expired"}}]
)
def test_an_error_in_a_200_is_an_outage(scripted, monkeypatch, body):
    """The service's words are shown, and the task is followed until it is saved."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.0)
    server, manager = scripted(taken(), answer(body))
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI)
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert "token has expired" in messages[0]
    assert (task.message, task.error) == ("", None)


def test_a_dead_link_of_a_video_that_another_kernel_has_saved(scripted):
    """A kernel that slept until its link expired finds the saved video and shows no error."""
    server, manager = scripted(taken())

    def refuse(exchange: Exchange) -> bool:
        task.planned_path.write_bytes(VIDEO)
        return answer(b"", 401)(exchange)

    server.then(finished(f"{server.url}/v.mp4"), refuse)
    task = manager.submit(prompt=KOI)
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert task.error is None
    assert manager.library.get(task.key).error is None


def test_a_task_that_the_service_no_longer_knows_is_not_asked_for_twice(scripted):
    """An expired link and a 404 for the task raise ``LinkExpired``."""
    server, manager = scripted(taken())
    server.then(finished(f"{server.url}/v.mp4"), answer(b"", 403), NOT_FOUND)
    with pytest.raises(qw.LinkExpired, match="no longer knows task-1"):
        manager.submit(prompt=KOI).wait(20)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "fault", [answer(b"", 410), answer(b"", 404), html("<p>sign in", 200)], ids=["410", "404", "a page"]
)
def test_of_several_links_the_next_one_is_tried(scripted, fault):
    """A video with several links is saved from the first that works."""
    server, manager = scripted(taken())
    server.then(finished([f"{server.url}/a.mp4", f"{server.url}/b.mp4"]), fault, answer(VIDEO))
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO
    assert [request.path for request in server.requests][-2:] == ["/a.mp4", "/b.mp4"]


def test_a_whole_video_is_not_fetched_again_by_another_link(scripted, monkeypatch):
    """If only the rename failed, no other link is tried, because it could overwrite the complete file."""

    def refuse(*_: object) -> None:
        raise PermissionError("the name is held")

    monkeypatch.setattr(parts, "replace", refuse)
    server, manager = scripted(taken())
    server.then(finished([f"{server.url}/a.mp4", f"{server.url}/b.mp4"]), answer(VIDEO), answer(b"", 404))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.DownloadFailed, match="is complete") as caught:
        task.wait(20)
    assert caught.value.part.read_bytes() == VIDEO
    assert [request.path for request in server.requests][-1] == "/a.mp4"


def test_the_transient_error_of_several_links_counts(scripted, monkeypatch):
    """If one link is gone and the other busy, the busy one is retried."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.01)
    server, manager = scripted(taken())
    answered = finished([f"{server.url}/a.mp4", f"{server.url}/b.mp4"])
    server.then(answered, answer(b"", 410), answer({}, 503, Retry_After="60"))
    server.then(answered, answer(b"", 410), answer(VIDEO))
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO


PAGE = html("<p>sign in</p>", 200)


def test_a_page_instead_of_the_video_is_waited_out(scripted, monkeypatch):
    """A web page is never saved as the video; the link is requested again until it leads to the video."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 0.01)
    server, manager = scripted(taken())
    link = finished(f"{server.url}/v.mp4")
    server.then(link, PAGE, link, PAGE, link, answer(VIDEO))
    task = manager.submit(prompt=KOI)
    seen = []
    task.observe(lambda change: seen.append(change.new), "message")
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert any("web page instead of a video" in text and "Trying again in" in text for text in seen)
    assert task.error is None


def test_a_page_instead_of_the_video_is_not_waited_out_for_ever(scripted, monkeypatch):
    """After ten minutes of pages the task ends with the error, and leaves no file; *Save again* goes on."""
    for module in (fetching, links):
        monkeypatch.setattr(module, "retry_delay", lambda *_: 601.0)
    server, manager = scripted(taken())
    link = finished(f"{server.url}/v.mp4")
    server.then(link, PAGE)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.DownloadFailed, match="web page"):
        task.wait(20)
    assert files(manager) == []
    server.then(link, answer(VIDEO))
    task.retry_download()
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert task.error is None


@pytest.mark.slow
def test_a_download_cut_off_in_the_middle_is_completed(scripted):
    """A partial file does not count as complete."""
    server, manager = scripted(taken())
    server.then(finished(f"{server.url}/v.mp4"), partial(VIDEO, 500), answer(VIDEO))
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO


def test_a_task_without_a_row_is_not_sent(scripted):
    """Without a journal the submission is refused, because a paid task could be lost."""
    server, manager = scripted(taken())
    manager.library.folder.parent.mkdir(parents=True, exist_ok=True)
    manager.library.folder.write_text("a file where the folder should be", encoding="utf-8")
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.QingboError, match="Nothing was sent"):
        task.wait(20)
    assert server.requests == []


def test_a_row_that_was_being_submitted_when_its_kernel_died_is_unconfirmed(scripted):
    """After a crash during the submission the task is unconfirmed, and not sent automatically."""
    server, manager = scripted()
    manager.library.add(
        Entry(key="f" * 32, service=manager.service, model="kling-v3", request={"prompt": KOI})
    )
    (task,) = manager.recover()
    with pytest.raises(qw.SubmissionUnconfirmed, match="kernel ended"):
        task.wait(20)
    assert task.status == qw.TaskStatus.unconfirmed
    assert server.requests == []
    server.then(taken(), finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task.submit_again()
    task.wait(20)
    assert submissions(server) == ["f" * 32]


def test_a_hostile_answer_writes_nowhere_else(scripted, tmp_path, monkeypatch):
    """A hostile id or link writes no file outside the folder and reads no local file."""
    monkeypatch.setattr(links, "RESULT_PATIENCE", 0.0)
    evil = "../../../../tmp/evil"
    server, manager = scripted(answer({"task_id": evil, "status": "queued", "progress": 0}))
    result = {"videos": [{"url": "file:///etc/passwd"}]}
    completed = taken("completed", task_id=evil, result=result, completed_at=from_now(hours=-25))
    server.then(completed, completed)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.DownloadFailed, match=r"its link to the video is not usable: 'file:///etc/passwd'"):
        task.wait(20)
    assert files(manager) == []
    assert "%2F" in server.requests[1].path


def test_a_saved_video_without_its_row_is_not_downloaded_again(scripted):
    """A complete file without its row (the kernel died in between) is not downloaded again."""
    server, manager = scripted()
    entry = Entry(
        key="e" * 32, service=manager.service, task_id="task-1", status="completed", request={"prompt": KOI}
    )
    manager.library.add(entry)
    saved = manager.library.video_path(KOI, entry.key)
    saved.write_bytes(VIDEO)
    (task,) = manager.recover()
    assert task.wait(20).video_path == saved
    assert manager.library.get(entry.key).file == saved.name
    assert server.requests == []


def test_half_a_file_of_a_dead_kernel_is_not_taken_for_a_video(scripted):
    """The partial file of a killed kernel is overwritten and removed."""
    server, manager = scripted()
    entry = Entry(
        key="e" * 32, service=manager.service, task_id="task-1", status="completed", request={"prompt": KOI}
    )
    manager.library.add(entry)
    saved = manager.library.video_path(KOI, entry.key)
    saved.with_name(f"{saved.name}.part").write_bytes(VIDEO[:700])
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    (task,) = manager.recover()
    assert task.wait(20).video_path.read_bytes() == VIDEO
    assert not list(manager.library.folder.glob("*.part"))


@pytest.mark.slow
def test_a_kernel_that_was_asleep_does_not_submit_what_another_has_taken_over(scripted, make_manager):
    """A kernel that slept while another took its task over does not submit it."""
    port = free_port()
    asleep = make_manager(qw.Client("some-key", f"http://127.0.0.1:{port}/v1"), submit_patience=60.0)
    task = asleep.submit(prompt=KOI)
    while not task.message:
        time.sleep(0.01)
    asleep.library.release(asleep.holder)  # as if it had expired
    assert asleep.library.hold(task.key, "another kernel", 1.5)
    asleep.library.update(task.key, status="unconfirmed")
    with FaultServer(port=port) as server:
        with pytest.raises(qw.SubmissionUnconfirmed):
            task.wait(20)
        assert server.requests == []


def test_check_refuses_the_id_of_another_task(scripted):
    """The id of another task is rejected by its model or by the library."""
    server, manager = scripted(close, taken("completed", model="kling-v1"))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(20)
    with pytest.raises(qw.QingboError, match="a task of kling-v1"):
        task.check("task-1")
    manager.library.add(
        Entry(key="o" * 32, service=manager.service, task_id="task-1", request={"prompt": "a fox"})
    )
    server.then(taken())
    with pytest.raises(qw.QingboError, match="a fox"):
        task.check("task-1")
    assert task.task_id == ""
    assert manager.library.get(task.key).status == "unconfirmed"


@pytest.mark.parametrize("body", [{"status": "processing"}, {"data": {"status": "completed"}}], ids=str)
def test_an_answer_without_an_id_confirms_no_submission(scripted, body):
    """An answer to a question by the key that names no task is no proof that there is one."""
    server, manager = scripted(close)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(20)
    server.then(answer(body))
    task.check()
    assert (task.task_id, task.status) == ("", qw.TaskStatus.unconfirmed)
    assert "cannot find tasks by idempotency key" in task.message


def test_check_is_for_unconfirmed_submissions_only(scripted):
    """``check`` raises for a task that has an id."""
    server, manager = scripted(taken())
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI).wait(20)
    with pytest.raises(qw.QingboError, match="for unconfirmed tasks only"):
        task.check("task-1")


def test_an_unconfirmed_task_says_the_same_in_the_next_kernel(scripted, make_manager):
    """The original error is in the journal, so it does not become "the kernel ended"."""
    _, manager = scripted(html("<h1>Bad gateway</h1>"))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(20)
    manager.close()
    (again,) = make_manager(qw.Client("some-key", manager.client.base_url)).recover()
    with pytest.raises(qw.SubmissionUnconfirmed, match="Bad gateway") as raised:
        again.wait(20)
    assert raised.value.idempotency_key == task.key


def test_not_found_is_no_proof_that_a_task_failed(scripted, monkeypatch):
    """A paid task stays in the journal after a 404, which may be due to another key, and can be resumed."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.0)
    server, manager = scripted(taken(), NOT_FOUND)
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.TaskNotFound):
        task.wait(20)
    assert manager.library.get(task.key).status == "queued"
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    assert manager.resume("task-1") is task
    assert task.wait(20).video_path.read_bytes() == VIDEO


@pytest.mark.slow
def test_a_gateway_s_404_is_not_the_service_s(scripted):
    """An HTML 404 from a proxy does not end a running task."""
    server, manager = scripted(taken(), html("<h1>404 Not Found</h1>nginx", 404))
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    assert manager.submit(prompt=KOI).wait(20).video_path.read_bytes() == VIDEO


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "soon"])
def test_a_wait_that_cannot_be_read_proves_nothing(scripted, date):
    """A 502 with an invalid Retry-After leaves the submission unconfirmed, not failed."""
    server, manager = scripted(answer(b"x", 502, Retry_After=date))
    task = manager.submit(prompt=KOI)
    with pytest.raises(qw.SubmissionUnconfirmed, match="may be charged"):
        task.wait(20)
    assert submissions(server) == [task.key]


@pytest.mark.parametrize("oddity", [{"cost": 1e300}, {"cost": -1}, {"model": "\ud800"}], ids=str)
def test_an_odd_answer_does_not_keep_the_id_from_the_journal(scripted, oddity):
    """A value that the database cannot store does not prevent the id from being written."""
    server, manager = scripted(taken(**oddity))
    server.then(taken("processing", **oddity))
    server.then(finished(f"{server.url}/v.mp4"), answer(VIDEO))
    task = manager.submit(prompt=KOI).wait(20)
    row = manager.library.get(task.key)
    assert (row.task_id, row.status) == ("task-1", "completed")
