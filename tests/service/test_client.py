"""The client: its requests, its results, and the requests that it never repeats."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    InsufficientBalance,
    InvalidRequest,
    MissingApiKey,
    RateLimited,
    ServerFault,
    ServiceError,
    SubmissionUnconfirmed,
    TaskNotFound,
)
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.connection import connect
from tests.faults.film import film
from tests.faults.server import Exchange, FaultServer, Step, answer, close, html, partial, redirect
from tests.service.leaks import chain_of, shown_by

KEY = "sk-sentinel-0123456789"
REQUEST = VideoRequest(prompt="一条锦鲤")
QUEUED = {"task_id": "task-1", "status": "queued", "progress": 0}


def test_submit(client: Client, server: FaultServer) -> None:
    """``submit`` sends exactly the body that ``payload`` returns."""
    server.then(answer(QUEUED, 202))
    snapshot = client.submit(REQUEST, idempotency_key="key-1")
    assert (snapshot.task_id, snapshot.status) == ("task-1", TaskStatus.queued)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/tasks")
    assert request.json == client.payload(REQUEST)
    assert request.headers["idempotency-key"] == "key-1"


@pytest.fixture
def november(server: FaultServer) -> Iterator[Client]:
    """Yield a client that speaks contract 2026-11, with a short read timeout."""
    with Client(KEY, server.url, contract="2026-11", timeout=(20.0, 0.3)) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "completed", "progress": "100%", "cost": 189_000}, TaskStatus.completed),
        pytest.param(
            {"status": "processing", "progress": "45%", "pre_consumed_cost": 189_000},
            TaskStatus.processing,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_submission_that_waits(
    november: Client, server: FaultServer, body: dict[str, object], status: TaskStatus
) -> None:
    """The service holds the answer back for longer than the timeout; the end and the state are both read."""

    def slow(exchange: Exchange) -> bool:
        exchange.stopped.wait(0.6)
        return answer({"task_id": "task-1", **body}, 202)(exchange)

    server.then(slow)
    snapshot = november.submit(REQUEST, wait=5)
    assert snapshot.status is status
    assert {snapshot.cost, snapshot.frozen} == {189_000, None}
    assert server.requests[0].headers["prefer"] == "wait=5"


def test_a_submission_does_not_wait_by_itself(november: Client, server: FaultServer) -> None:
    """The header is sent only on request."""
    server.then(answer(QUEUED))
    november.submit(REQUEST)
    assert "prefer" not in server.requests[0].headers


@pytest.mark.parametrize("wait", [0, -1, 61, 2.5, float("nan"), float("inf"), True, "30"])
def test_a_wait_that_the_service_does_not_take(november: Client, server: FaultServer, wait: Any) -> None:
    """A wait outside 1 to 60 whole seconds is refused with one that works, before anything is sent."""
    with pytest.raises(InvalidRequest, match=r"wait: .* 1 to 60; try 30\."):
        november.submit(REQUEST, wait=wait)
    assert server.requests == []


def test_the_first_contract_does_not_wait(client: Client, server: FaultServer) -> None:
    """Contract 2026-04 does not document the wait, so it is refused."""
    with pytest.raises(InvalidRequest, match="2026-04 does not document it"):
        client.submit(REQUEST, wait=30)
    assert server.requests == []


def test_a_request_with_problems_is_not_sent(client: Client, server: FaultServer) -> None:
    """A request with problems is not sent, and the error lists all of them."""
    for call in (client.submit, client.payload):
        with pytest.raises(InvalidRequest) as caught:
            call(VideoRequest(duration=99))
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
        answer({"success": False, "message": "odd"}),
        answer(b""),
        html("<h1>Welcome</h1>", 200),
        answer({"error": {"message": "slow"}}, 408),
        answer({"error": {"message": "twin"}}, 409),
        answer({"error": {"message": "gone"}}, 499),
        answer({"error": {"message": "internal"}}, 500),
        html("<h1>504</h1>", 504),
        html("<h1>no such page</h1>", 404),
        html("<h1>firewall</h1>", 403),
        answer(b"", 405),
        redirect("https://elsewhere.example/"),
    ],
    ids=[
        *(
            "close",
            "half",
            "no id",
            "list",
            "error in 200",
            "no success",
            "empty",
            "page",
            "408",
            "409",
            "499",
            "500",
            "504",
        ),
        *("a gateway's 404", "a gateway's 403", "405", "redirect"),
    ],
)
def test_a_submission_in_doubt(client: Client, server: FaultServer, fault: Step) -> None:
    """An unconfirmed submission is not repeated; the error has the idempotency key and a cost warning."""
    server.then(fault, answer(QUEUED))
    with pytest.raises(SubmissionUnconfirmed, match=r"may be charged.*dashboard") as caught:
        client.submit(REQUEST, idempotency_key="key-1")
    assert caught.value.idempotency_key == "key-1"
    assert len(server.requests) == 1
    assert KEY not in shown_by(caught.value)
    assert len(list(chain_of(caught.value))) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500])
def test_a_refusal_with_a_task_is_in_doubt(client: Client, server: FaultServer, status: int) -> None:
    """The id in the answer may be the only trace of a paid task, so the error has it."""
    server.then(answer({"task_id": "lost-1", "status": "queued", "error": {"message": "m"}}, status))
    with pytest.raises(SubmissionUnconfirmed, match=r"names the task lost-1.*may be charged") as caught:
        client.submit(REQUEST, idempotency_key="key-1")
    assert (caught.value.task_id, caught.value.idempotency_key) == ("lost-1", "key-1")
    assert "othing was charged" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (404, BadRequest), (402, InsufficientBalance), (403, ServiceError)],
)
def test_a_submission_refused(client: Client, server: FaultServer, status: int, kind: type) -> None:
    """A refused submission is sent once and raises the matching error, without advice about task ids."""
    server.then(answer({"error": {"message": "no", "code": "odd", "param": "model"}}, status), answer(QUEUED))
    with pytest.raises(ServiceError, match="Nothing was charged") as caught:
        client.submit(REQUEST)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code, caught.value.param) == (status, "odd", "model")
    assert "misspelt" not in str(caught.value)
    assert len(list(chain_of(caught.value))) == 1
    assert len(server.requests) == 1


def test_a_model_without_a_price_is_refused(client: Client, server: FaultServer) -> None:
    """A 500 that says that the model has no price made no task, so the submission is not in doubt."""
    body = {"error": {"message": "no price", "code": "price_not_configured"}}
    server.then(answer(body, 500), answer(QUEUED))
    with pytest.raises(
        BadRequest, match=r"no price\. The service has no price.*Nothing was charged"
    ) as caught:
        client.submit(REQUEST)
    assert (caught.value.status, caught.value.code) == (500, "price_not_configured")
    assert "Correct the request" not in str(caught.value)  # there is nothing to correct
    assert len(server.requests) == 1


def test_an_unknown_model_is_explained(client: Client, server: FaultServer) -> None:
    """A 404 about the model keeps its code and says that the service may have renamed it."""
    server.then(answer({"error": {"message": "no such model", "code": "model_not_found"}}, 404))
    with pytest.raises(BadRequest, match="renamed or switched off, or the name is wrong") as caught:
        client.submit(REQUEST)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


def test_an_error_with_the_status_200(client: Client, server: FaultServer) -> None:
    """An answer that reports no success is an error with the service's message, whatever its status."""
    server.then(answer({"success": False, "message": "the key is disabled"}))
    with pytest.raises(ServerFault, match="200: the key is disabled"):
        client.status("t")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"code": 1102, "message": "Account balance not enough"},
            r"200 \(1102\): Account balance not enough",
        ),
        (
            {"error": {"message": "quota is used up", "code": "no_quota"}},
            r"200 \(no_quota\): quota is used up",
        ),
        ({"error": {"message": "no", "code": "quota_window_exceeded"}}, "spending limit"),
        ({"success": False, "msg": "审核未通过"}, "200: 审核未通过"),
        ({"base_resp": {"status_code": 1026, "status_msg": "risk control"}, "task_id": ""}, "risk control"),
        (
            {"code": 1004, "message": "token has expired", "request_id": "r"},
            r"200 \(1004\): token has expired",
        ),
        ({"detail": [{"loc": ["body", "prompt"], "msg": "too long"}]}, "200: prompt: too long"),
        ({"code": 0, "message": "SUCCEED", "data": {}}, "no usable task_id"),
        ({"error": {"message": "no", "code": "odd"}, "id": "req-1"}, "no. The task may exist"),
    ],
    ids=str,
)
def test_a_refusal_in_a_200_is_told_and_in_doubt(
    client: Client, server: FaultServer, body: dict[str, object], words: str
) -> None:
    """The service's own words reach the user; a code that no documentation explains proves no refusal."""
    server.then(answer(body), answer(QUEUED))
    with pytest.raises(SubmissionUnconfirmed, match=words) as caught:
        client.submit(REQUEST, idempotency_key="key-1")
    assert "may be charged" in str(caught.value)
    assert "othing was charged" not in str(caught.value)
    assert (caught.value.task_id, len(server.requests)) == ("", 1)


@pytest.mark.parametrize(
    "code",
    ["price_not_configured", "model_not_found", "capability_violation", "input_video_duration_unknown"],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_documented_refusal_made_no_task(
    client: Client, server: FaultServer, code: str, status: int
) -> None:
    """The service documents that these codes precede the task, so nothing was charged."""
    server.then(answer({"error": {"message": "no", "code": code}}, status))
    with pytest.raises(BadRequest, match="Nothing was charged") as caught:
        client.submit(REQUEST)
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize("status", [*range(501, 505), *range(520, 531), 598, 599])
@pytest.mark.parametrize("code", ["price_not_configured", "model_not_found"])
def test_the_status_of_a_gateway_proves_nothing(
    client: Client, server: FaultServer, code: str, status: int
) -> None:
    """Behind a gateway that failed, the task may have been made, whatever code its answer repeats."""
    server.then(answer({"error": {"message": "no", "code": code}}, status))
    with pytest.raises(SubmissionUnconfirmed, match="may be charged") as caught:
        client.submit(REQUEST)
    assert "othing was charged" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        ({"code": 0, "message": "SUCCEED", "data": {"task_id": "842250903629086785"}}, "842250903629086785"),
        ({"task_id": 842250903629086786, "status": "queued"}, "842250903629086786"),
        ({"id": "task-9", "object": "video", "status": "queued"}, "task-9"),
    ],
    ids=str,
)
def test_an_id_in_another_form(
    client: Client, server: FaultServer, body: dict[str, object], task_id: str
) -> None:
    """A wrapped id, a number, and one under another name are the task's, which can be followed."""
    server.then(answer(body), answer({"data": {"id": task_id, "status": "processing"}}))
    assert client.submit(REQUEST).task_id == task_id
    assert client.status(task_id).status is TaskStatus.processing


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"error": {"message": "channel is switched off", "code": "c"}}, ServerFault, "channel is switched"),
        (
            {"code": 1004, "message": "token has expired"},
            AuthenticationFailed,
            "token has expired.*The key is",
        ),
        (
            {"code": 1303, "message": "parallel task over resource pack limit"},
            RateLimited,
            "over resource pack",
        ),
        ({"success": False, "code": 401, "msg": "no such key"}, AuthenticationFailed, "no such key"),
        ({"note": 1}, ServerFault, "no usable task_id"),
    ],
    ids=str,
)
def test_an_error_instead_of_a_status(
    client: Client, server: FaultServer, body: dict[str, object], kind: type, words: str
) -> None:
    """An error in a 200 has the service's words; a refused key is called one."""
    server.then(answer(body))
    with pytest.raises(ServiceError, match=words) as caught:
        client.status("task-1")
    assert type(caught.value) is kind
    assert (caught.value.status, KEY in shown_by(caught.value)) == (200, False)


def test_an_answer_about_no_task_is_quoted_as_it_came(client: Client, server: FaultServer) -> None:
    """The error has the words and the ``Retry-After`` of the server, also if its status is 200."""
    server.then(
        answer('{"note": "维护中"}'.encode()),
        answer({"code": 1303, "message": "too many tasks"}, Retry_After="7"),
    )
    with pytest.raises(ServerFault, match="维护中"):
        client.status("task-1")
    with pytest.raises(RateLimited, match="again in 7 s") as limited:
        client.status("task-1")
    assert limited.value.retry_after == 7


def test_the_state_of_a_task_that_an_error_names(client: Client, server: FaultServer) -> None:
    """A status that reports no success is about the task if it names it: that has failed, and is not lost."""
    task = {"task_id": "task-1", "status": "failed", "error": {"message": "no"}}
    server.then(*[answer({"success": False, "message": "task failed", "data": task})] * 2)
    assert client.status("task-1").status is TaskStatus.failed
    with pytest.raises(ServerFault, match="not known whether"):
        client.cancel("task-1")


def test_a_status_without_an_id(client: Client, server: FaultServer) -> None:
    """The id that was asked for is that of an answer that has none."""
    server.then(answer({"status": "processing", "progress": 40}), answer({"status": "cancelled"}))
    assert (client.status("task-1").task_id, client.cancel("task-1").status) == ("task-1", "cancelled")


WRONG_ADDRESSES: list[tuple[Step, str]] = [
    (answer(b"404 page not found", 404, Content_Type="text/plain"), "404"),
    (answer({"detail": "Not Found"}, 404), "404: Not Found"),
    (answer({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/tasks"}, 404), "404: Not Found"),
    (html("<h1>405 Not Allowed</h1>", 405), "405"),
    (answer({"detail": "Method Not Allowed"}, 405), "405: Method Not Allowed"),
    (html("<!doctype html><title>Console</title>", 200), "Console"),
    (answer({"name": "gateway", "version": "1.2"}), "no usable task_id.*gateway"),
    (answer({}), "no usable task_id"),
    (answer({"message": "Welcome"}), "200: Welcome"),
    (redirect("https://www.service.example/v1/tasks"), "redirects to https://www.service.example/v1/tasks"),
]


@pytest.mark.parametrize(("fault", "words"), WRONG_ADDRESSES, ids=[str(n) for n in range(10)])
def test_a_wrong_address(client: Client, server: FaultServer, fault: Step, words: str) -> None:
    """The error points at ``base_url``, and claims nothing about the cost that the answer does not prove."""
    server.then(fault, fault)
    with pytest.raises(SubmissionUnconfirmed, match=words) as caught:
        client.submit(REQUEST)
    assert "check base_url" in str(caught.value).lower()
    assert "may be charged" in str(caught.value)
    with pytest.raises(ServerFault, match=words) as asked:
        client.status("task-1")
    assert "check base_url" in str(asked.value).lower()
    if "redirects" not in words:
        for error, path in ((caught.value, "/v1/tasks"), (asked.value, "/v1/tasks/task-1")):
            assert f"seem to be at {server.url}{path}: " in str(error)
            assert "look like https://qingbo.dev/v1 or https://api.qingbo.ai/v1" in str(error)


@pytest.mark.parametrize(
    "fault",
    [
        html("<h1>504</h1>", 504),
        html("<h1>firewall</h1>", 403),
        answer({"error": {"message": "none", "code": "task_not_found"}}, 404),
        answer({"code": 0, "message": "SUCCEED", "data": {}}),
        answer({"error": {"message": "busy"}}),
        answer(b'{"task_id":'),
        answer(b""),
    ],
    ids=["504", "403", "404 of the service", "success", "error", "cut", "empty"],
)
def test_other_errors_do_not_doubt_the_address(client: Client, server: FaultServer, fault: Step) -> None:
    """An error that says nothing about the address does not send the user after it."""
    server.then(fault)
    with pytest.raises((SubmissionUnconfirmed, ServiceError)) as caught:
        client.submit(REQUEST)
    assert "base_url" not in str(caught.value)


def test_a_path_that_a_gateway_does_not_have(client: Client, server: FaultServer) -> None:
    """A gateway that names the path as invalid made no task; correcting the request would not help."""
    body = {"error": {"message": "Invalid URL (POST /tasks)", "type": "invalid_request_error"}}
    server.then(answer(body, 404))
    with pytest.raises(BadRequest, match=r"check base_url.* Nothing was charged\.") as caught:
        client.submit(REQUEST)
    assert "Correct the request" not in str(caught.value)


def test_the_advised_connection_keeps_the_library(server: FaultServer, tmp_path: Path) -> None:
    """The call that an error advises opens the same library."""
    body = {"error": {"message": "extra is not supported", "code": "capability_violation", "param": "extra"}}
    server.then(answer(body, 400))
    folder = str(tmp_path / "锦鲤")
    manager = connect(KEY, base_url=server.url, library=folder)
    with pytest.raises(BadRequest) as caught:
        manager.client.submit(REQUEST)
    manager.close()
    library = json.dumps(folder, ensure_ascii=False)
    call = f'qw.connect(contract="2026-11", base_url="{server.url}", library={library})'
    assert call in str(caught.value)
    assert manager.client.with_contract("2026-11").connect_arguments == manager.client.connect_arguments


def test_the_servers_contract_is_another(client: Client, server: FaultServer) -> None:
    """A server of 2026-11 refuses April's ``extra``: the error names its contract and the way to go on."""
    body = {"error": {"message": "extra is not supported", "code": "capability_violation", "param": "extra"}}
    server.then(answer(body, 400), answer(QUEUED))
    with pytest.raises(BadRequest) as caught:
        client.submit(REQUEST)
    assert (caught.value.contract, caught.value.code) == ("2026-11", "capability_violation")
    assert client.seen_contract == "2026-11"
    text = str(caught.value)
    assert "use contract 2026-11 of the service, but this connection uses 2026-04" in text
    call = f'qw.connect(contract="2026-11", base_url="{server.url}/v1")'
    assert f"If so, continue with {call}" in text
    assert "Nothing was charged" in text
    assert "add generate_audio=True for the video that you meant" in text
    assert "Correct the request" not in text
    again = client.with_contract("2026-11")
    assert (again.contract.name, again.base_url) == ("2026-11", client.base_url)
    again.submit(REQUEST)
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert "extra" not in server.requests[-1].json
    again.close()


@pytest.mark.parametrize("model", ["kling-v3", "kling-v2-6"])
def test_a_server_of_april_refuses_novembers_requests(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox of April, spoken to in 2026-11, is recognised by what it does not know."""
    with Sandbox(draft=True) as sandbox:
        monkeypatch.setenv("QINGBO_BASE_URL", sandbox.base_url)
        client = Client(sandbox.api_key, contract="2026-11")
        with pytest.raises(
            BadRequest, match=r'use contract 2026-04.*connect\(contract="2026-04"\)'
        ) as caught:
            client.submit(VideoRequest(model=model, prompt="koi"))
        client.close()
        assert sandbox.requests == {}
    assert caught.value.contract == "2026-04"


def test_an_ordinary_refusal_names_no_contract(client: Client, server: FaultServer) -> None:
    """A refused value leaves the contract out of it."""
    body = {"error": {"message": "too long", "code": "invalid_parameter", "param": "prompt"}}
    server.then(answer(body, 400))
    with pytest.raises(BadRequest, match="Correct the request") as caught:
        client.submit(REQUEST)
    assert (caught.value.contract, client.seen_contract) == (None, None)


def test_a_submission_that_never_left(server: FaultServer) -> None:
    """A submission that certainly was not sent raises ``ConnectionFailed``, not ``SubmissionUnconfirmed``."""
    with Client(KEY, server.url) as client:
        server.__exit__()
        with pytest.raises(ConnectionFailed, match="Nothing was sent") as caught:
            client.submit(REQUEST)
    assert caught.value.sent is False


def test_status(client: Client, server: FaultServer) -> None:
    """The task id is quoted in the path, so that it cannot address anything else."""
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
    """An invalid task id is refused before any request."""
    for call in (client.status, client.cancel):
        with pytest.raises(InvalidRequest, match="task_id"):
            call(task_id)
    assert server.requests == []


def test_a_status_that_fails(client: Client, server: FaultServer) -> None:
    """An error of ``status`` states that the task continues."""
    server.then(
        answer({"error": {"message": "none", "code": "task_not_found"}}, 404),
        answer(b"", 500),
        answer({"note": "queued"}),
        close,
        close,
    )
    with pytest.raises(TaskNotFound, match="task_not_found"):
        client.status("t")
    for kind in (ServerFault, ServerFault, ConnectionFailed):
        with pytest.raises(kind, match="continues at the service"):
            client.status("t")


def test_an_answer_about_another_task(client: Client, server: FaultServer) -> None:
    """A response about another task is a server fault, and its video is not used."""
    other = {"task_id": "task-2", "status": "completed", "result": {"videos": ["https://a.example/2.mp4"]}}
    server.then(answer(other), answer(other))
    with pytest.raises(ServerFault, match=r"about another task, task-2\. The task continues"):
        client.status("task-1")
    with pytest.raises(ServerFault, match=r"task-2\. It is not known whether the task was cancelled"):
        client.cancel("task-1")


def test_cancel(client: Client, server: FaultServer) -> None:
    """``cancel`` returns the snapshot of the response, and is never repeated automatically."""
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
    sent = [(request.method, request.path) for request in server.requests]
    assert sent == [("POST", "/v1/tasks/t/cancel")] * 3


def test_download(client: Client, server: FaultServer, tmp_path: Path) -> None:
    """``download`` accepts a path as text and saves the video there."""
    video = film(bytes(99))
    server.then(answer(video))
    path = client.download(server.url + "/v.mp4", str(tmp_path / "v.mp4"))
    assert path.read_bytes() == video


@pytest.mark.parametrize("url", [None, 7, "", "clip.mp4?sig=hidden", "file:///etc/passwd"])
def test_what_is_no_link(client: Client, tmp_path: Path, url: Any) -> None:
    """An invalid link is refused before anything is written, and its signature is not shown."""
    with pytest.raises(InvalidRequest, match=r"url: .* is not the link to a video") as caught:
        client.download(url, tmp_path / "v.mp4")
    assert "hidden" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_show_the_key(server: FaultServer) -> None:
    """The repr and the attributes of a client do not show the key, and pickling is refused."""
    client = Client(KEY, server.url + "/v1/")
    assert repr(client) == f"Client(base_url='{server.url}/v1')"
    assert KEY not in str(vars(client))
    with pytest.raises(TypeError, match="API key"):
        pickle.dumps(client)


def test_without_a_key() -> None:
    """A missing key raises at once, not at the first request."""
    with pytest.raises(MissingApiKey):
        Client()


def test_an_address_that_must_not_have_the_key() -> None:
    """A base URL without https is refused, and the error does not show the key."""
    with pytest.raises(InvalidRequest, match="sent unencrypted") as caught:
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
def test_a_key_of_a_wrong_type_or_in_the_wrong_argument(
    monkeypatch: pytest.MonkeyPatch, key: Any, base_url: Any
) -> None:
    """A key of a wrong type or in the wrong argument is refused, and the error does not show it."""
    monkeypatch.setenv("QINGBO_API_KEY", "another-key")
    for call in (Client, connect):
        with pytest.raises((TypeError, InvalidRequest)) as caught:
            call(api_key=key, base_url=base_url)
        assert KEY not in shown_by(caught.value)
        assert isinstance(caught.value, InvalidRequest) == (key is None or key == KEY)


def test_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default, the client uses the contract's address and the key of the environment."""
    monkeypatch.setenv("QINGBO_API_KEY", KEY)
    with Client() as client:
        assert client.base_url == "https://qingbo.dev/v1"


@pytest.mark.parametrize("name", ["payload", "submit"])
def test_a_key_in_the_place_of_a_request_is_not_shown(client: Client, name: str) -> None:
    """A key given instead of a request is in no message, nor in a variable that a traceback shows."""
    with pytest.raises(TypeError, match="must be a VideoRequest") as caught:
        getattr(client, name)(KEY)
    assert KEY not in shown_by(caught.value)


def test_a_client_that_was_not_made_has_a_repr() -> None:
    """A verbose traceback of an error in ``Client(…)`` prints the client, too."""
    assert repr(Client.__new__(Client)) == "Client(unfinished)"
