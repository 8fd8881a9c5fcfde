"""The client: what it sends, what it returns, and what it never does twice."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import (
    BadRequest,
    ConnectionFailed,
    InsufficientBalance,
    InvalidRequest,
    MissingApiKey,
    ServerFault,
    ServiceError,
    SubmissionUnconfirmed,
    TaskNotFound,
)
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.connection import connect
from tests.faults.film import film
from tests.faults.server import FaultServer, Step, answer, close, html, partial, redirect
from tests.service.leaks import chain_of, shown_by

KEY = "sk-sentinel-0123456789"
REQUEST = VideoRequest(prompt="一条锦鲤")
QUEUED = {"task_id": "task-1", "status": "queued", "progress": 0}


def test_submit(client: Client, server: FaultServer) -> None:
    """The payload that was shown is the payload that is sent."""
    server.then(answer(QUEUED, 202))
    snapshot = client.submit(REQUEST, idempotency_key="key-1")
    assert (snapshot.task_id, snapshot.status) == ("task-1", TaskStatus.queued)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/tasks")
    assert request.json == client.payload(REQUEST)
    assert request.headers["idempotency-key"] == "key-1"


def test_a_request_with_problems_is_not_sent(client: Client, server: FaultServer) -> None:
    """All its problems are on the error."""
    for refuse in (client.submit, client.payload):
        with pytest.raises(InvalidRequest) as caught:
            refuse(VideoRequest(duration=99))
        assert {problem.field for problem in caught.value.problems} == {"prompt", "duration"}
    assert server.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        close,
        partial(b'{"task_id": "task-1"}', 9),
        answer({}),
        answer([]),
        answer({"error": {"message": "odd"}}),
        answer(b""),
        html("<h1>Welcome</h1>", 200),
        answer({"error": {"message": "slow"}}, 408),
        answer({"error": {"message": "twin"}}, 409),
        answer({"error": {"message": "internal"}}, 500),
        html("<h1>504</h1>", 504),
        html("<h1>no such page</h1>", 404),
        html("<h1>firewall</h1>", 403),
        answer(b"", 405),
        redirect("https://elsewhere.example/"),
    ],
    ids=[
        *("close", "half", "no id", "list", "error in 200", "empty", "page", "408", "409", "500", "504"),
        *("a gateway's 404", "a gateway's 403", "405", "redirect"),
    ],
)
def test_a_submission_in_doubt(client: Client, server: FaultServer, fault: Step) -> None:
    """It is not sent again; the error carries the key with which a person may, and says what it may cost."""
    server.then(fault, answer(QUEUED))
    with pytest.raises(SubmissionUnconfirmed, match=r"may be charged.*dashboard") as caught:
        client.submit(REQUEST, idempotency_key="key-1")
    assert caught.value.idempotency_key == "key-1"
    assert len(server.requests) == 1
    assert KEY not in shown_by(caught.value)
    assert len(list(chain_of(caught.value))) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (404, BadRequest), (402, InsufficientBalance), (403, ServiceError)],
)
def test_a_submission_refused(client: Client, server: FaultServer, status: int, kind: type) -> None:
    """The service's word is a word: its own error, sent once, and nothing of a task that is not there yet."""
    server.then(answer({"error": {"message": "no", "code": "odd", "param": "model"}}, status), answer(QUEUED))
    with pytest.raises(ServiceError, match="Nothing was charged") as caught:
        client.submit(REQUEST)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code, caught.value.param) == (status, "odd", "model")
    assert "misspelt" not in str(caught.value)
    assert len(list(chain_of(caught.value))) == 1
    assert len(server.requests) == 1


def test_a_submission_that_never_left(server: FaultServer) -> None:
    """Certain, so it is told apart from the doubtful."""
    with Client(KEY, server.url) as client:
        server.__exit__()
        with pytest.raises(ConnectionFailed, match="Nothing was sent") as caught:
            client.submit(REQUEST)
    assert caught.value.sent is False


def test_status(client: Client, server: FaultServer) -> None:
    """By the id, quoted into the path, so that it cannot point to anything else."""
    odd = "../models?x=锦/#"
    server.then(
        answer({"task_id": "t", "status": "processing", "progress": "45%"}), answer(QUEUED | {"task_id": odd})
    )
    assert client.status("t").progress == 45
    client.status(odd)
    assert [request.path for request in server.requests] == [
        "/v1/tasks/t",
        "/v1/tasks/..%2Fmodels%3Fx%3D%E9%94%A6%2F%23",
    ]


@pytest.mark.parametrize("task_id", ["", " ", ".", "..", "a\nb", None, 7])
def test_what_is_no_id(client: Client, server: FaultServer, task_id: Any) -> None:
    """It is refused before anything is asked."""
    for ask in (client.status, client.cancel):
        with pytest.raises(InvalidRequest, match="task_id"):
            ask(task_id)
    assert server.requests == []


def test_a_status_that_fails(client: Client, server: FaultServer) -> None:
    """The words tell that nothing is lost."""
    server.then(
        answer({"error": {"message": "none", "code": "task_not_found"}}, 404),
        answer(b"", 500),
        answer({"status": "queued"}),
        close,
        close,
    )
    with pytest.raises(TaskNotFound, match="task_not_found"):
        client.status("t")
    for kind in (ServerFault, ServerFault, ConnectionFailed):
        with pytest.raises(kind, match="continues at the service"):
            client.status("t")


def test_an_answer_about_another_task(client: Client, server: FaultServer) -> None:
    """Somebody else's video is not taken for ours: a fault of the server, to be asked again."""
    other = {"task_id": "task-2", "status": "completed", "result": {"videos": ["https://a.example/2.mp4"]}}
    server.then(answer(other), answer(other))
    with pytest.raises(ServerFault, match=r"about another task, task-2\. The task continues"):
        client.status("task-1")
    with pytest.raises(ServerFault, match=r"task-2\. It is not known whether the task was cancelled"):
        client.cancel("task-1")


def test_cancel(client: Client, server: FaultServer) -> None:
    """A snapshot of the little that the service answers; never asked for twice by itself."""
    server.then(
        answer({"task_id": "t", "status": "cancelled", "refunded": True, "refunded_quota": 50000}), close
    )
    snapshot = client.cancel("t")
    assert snapshot.status is TaskStatus.cancelled
    assert snapshot.raw["refunded_quota"] == 50000
    with pytest.raises(ConnectionFailed, match="not known whether the task was cancelled"):
        client.cancel("t")
    server.then(answer({"error": {"message": "it runs"}}, 400))
    with pytest.raises(BadRequest, match=r"it runs\. A task can be cancelled only while it is queued"):
        client.cancel("t")
    asked = [(request.method, request.path) for request in server.requests]
    assert asked == [("POST", "/v1/tasks/t/cancel")] * 3


def test_download(client: Client, server: FaultServer, tmp_path: Path) -> None:
    """To the path it is given, as text or as a path."""
    video = film(bytes(99))
    server.then(answer(video))
    path = client.download(server.url + "/v.mp4", str(tmp_path / "v.mp4"))
    assert path.read_bytes() == video


@pytest.mark.parametrize("url", [None, 7, "", "clip.mp4?sig=hidden", "file:///etc/passwd"])
def test_what_is_no_link(client: Client, tmp_path: Path, url: Any) -> None:
    """It is refused before anything is written, and a signature is not shown."""
    with pytest.raises(InvalidRequest, match=r"url: .* is not the link to a video") as caught:
        client.download(url, tmp_path / "v.mp4")
    assert "hidden" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_show_the_key(server: FaultServer) -> None:
    """Nor does it travel."""
    client = Client(KEY, server.url + "/v1/")
    assert repr(client) == f"Client(base_url='{server.url}/v1')"
    assert KEY not in str(vars(client))
    with pytest.raises(TypeError, match="API key"):
        pickle.dumps(client)


def test_without_a_key() -> None:
    """It says so at once, not at the first request."""
    with pytest.raises(MissingApiKey):
        Client()


def test_an_address_that_must_not_have_the_key() -> None:
    """It is refused, and nothing shows the key that was given."""
    with pytest.raises(InvalidRequest, match="in the clear") as caught:
        Client(KEY, "http://qingbo.dev/v1")
    assert KEY not in shown_by(caught.value)


@pytest.mark.parametrize(
    ("key", "base_url"),
    [
        (KEY.encode(), None),
        ([KEY], None),
        ({"key": KEY}, "https://qingbo.dev/v1"),
        (KEY, KEY),
        (None, KEY),
        (KEY, KEY.encode()),
        (KEY, f"https://qingbo.dev/v1?key={KEY}"),
    ],
    ids=str,
)
def test_a_key_in_the_wrong_clothes_or_place(
    monkeypatch: pytest.MonkeyPatch, key: Any, base_url: Any
) -> None:
    """Bytes, a list, the other argument: it is refused, and nothing shows it."""
    monkeypatch.setenv("QINGBO_API_KEY", "another-key")
    for ask in (Client, connect):
        with pytest.raises((TypeError, InvalidRequest)) as caught:
            ask(api_key=key, base_url=base_url)
        assert KEY not in shown_by(caught.value)
        assert isinstance(caught.value, InvalidRequest) == (key is None or key == KEY)


def test_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract's own address, the key of the environment."""
    monkeypatch.setenv("QINGBO_API_KEY", KEY)
    with Client() as client:
        assert client.base_url == "https://qingbo.dev/v1"
