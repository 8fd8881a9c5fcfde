"""Tests of the sandbox's routes over a real socket."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from qingbo_widgets.sandbox import Faults, Sandbox
from tests.sandbox.caller import REQUEST, Caller, hook
from tests.waiting import until


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """Yield a sandbox shared by the tests that do not change it."""
    with Sandbox(speed=1000, draft=True) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            yield caller


@pytest.fixture
def call() -> Iterator[Caller]:
    """Yield a separate sandbox for each test, which draws nothing by default."""
    with Sandbox(speed=1000, draft=True, faults=Faults(fail="upstream_unavailable")) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            yield caller


@pytest.fixture(scope="module")
def completed(shared: Caller) -> dict[str, Any]:
    """Return the status of a completed task."""
    return shared.ended(shared.submit())


def error(answer: requests.Response) -> dict[str, Any]:
    """Return the error of an answer, after a check of its documented form."""
    body = answer.json()
    assert set(body) == {"error"}
    assert {"message", "code", "type"} <= set(body["error"]) <= {"message", "code", "type", "param"}
    assert all(isinstance(value, str) and value for value in body["error"].values())
    return dict(body["error"])


@pytest.mark.parametrize("key", [None, "", "Bearer ", "Bearer wrong", "Basic x", "bearer\xe9"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks"),
        ("GET", "/tasks/x"),
        ("POST", "/tasks/x/cancel"),
        ("GET", "/models"),
        ("GET", "/models/kling-v1"),
    ],
)
def test_a_missing_or_wrong_key_is_rejected(shared: Caller, method: str, path: str, key: str | None) -> None:
    """Every endpoint answers 401 with the documented body to a missing or wrong key."""
    headers = {} if key is None else {"Authorization": key.encode("latin-1")}
    answer = requests.request(
        method, f"{shared.sandbox.base_url}{path}", headers=headers, json=REQUEST, timeout=10
    )
    assert answer.status_code == 401
    assert error(answer)["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "kling-v9", "prompt": "x"}, "model"),
        ({**REQUEST, "duration": 4}, "duration"),
        ({**REQUEST, "extra": {"mode": "best"}}, "extra.mode"),
    ],
)
def test_a_broken_rule_is_named(shared: Caller, body: Any, param: str) -> None:
    """A violation is answered with 400, and ``param`` names its position."""
    answer = shared("POST", "/tasks", json=body)
    assert answer.status_code == 400
    assert error(answer)["param"] == param


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"model": NaN}', b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"],
    ids=["empty", "cut", "not utf-8", "nan", "deep", "long number"],
)  # fmt: skip
def test_a_body_that_is_not_json_is_400(shared: Caller, data: bytes) -> None:
    """A broken body of any kind is answered with a plain 400."""
    answer = shared("POST", "/tasks", data=data)
    assert answer.status_code == 400
    error(answer)


@pytest.mark.parametrize(
    "body",
    [
        {"model": "\ud800"},
        {"model": "kling-v3", "prompt": "\udfff"},
        {"model": "kling-v3", "\ud800": 1},
        {"model": "kling-v3", "element_list": [{"\ud800": 1}]},
    ],
)
@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
def test_half_a_surrogate_pair_is_400(contract: str, body: dict[str, Any]) -> None:
    """A text that no encoding can represent is refused like a broken body, in a name and in a value."""
    with Sandbox(draft=True, contract=contract) as sandbox:
        answer = Caller(sandbox)("POST", "/tasks", json=body)
    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_json")


def test_a_body_has_a_limit(shared: Caller) -> None:
    """A body of one megabyte is read and checked; one byte more is 413, announced or not."""
    padding = b" " * (1_000_000 - 2)
    assert shared("POST", "/tasks", data=b"{" + padding + b"}").status_code == 400
    assert shared("POST", "/tasks", data=b"{" + padding + b" }").status_code == 413
    assert shared("POST", "/tasks", data=iter([b"{" + padding, b" }"])).status_code == 413


def test_unknown_paths_are_404(shared: Caller) -> None:
    """A missing task has the documented code; other paths answer in the same form."""
    for method, path in (("GET", "/tasks/task-wave0"), ("POST", "/tasks/task-wave0/cancel")):
        answer = shared(method, path)
        assert answer.status_code == 404
        assert error(answer)["code"] == "task_not_found"
    assert shared("GET", "/nowhere").status_code == 404
    assert error(shared("GET", "/models/kling-v9"))["code"] == "model_not_found"
    assert shared("POST", "/tasks/sync", json=REQUEST).status_code == 405


def test_models_are_listed(shared: Caller) -> None:
    """The four models are listed, and each can be requested by its name."""
    names = [model["id"] for model in shared("GET", "/models").json()["data"]]
    assert sorted(names) == ["kling-v1", "kling-v1-6", "kling-v2-master", "kling-v3"]
    assert shared("GET", "/models/kling-v3").json()["id"] == "kling-v3"


def test_another_site_cannot_reach_it(shared: Caller) -> None:
    """A host name that resolves to this machine is rejected, and no other site may read an answer."""
    for host in ("evil.example", "127.0.0.1.evil.example"):
        assert shared("GET", "/models", headers={"Host": host}).status_code == 400
    answer = shared("GET", "/models", headers={"Host": "localhost:1", "Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.slow
def test_the_video_is_an_mp4_in_parts(shared: Caller, completed: dict[str, Any]) -> None:
    """A video link needs no key, cannot be guessed, and serves any range of the file, as players request."""
    url = completed["result"]["videos"][0]["url"]
    assert re.search(r"/videos/[\w-]{32,}\.mp4$", url)
    whole = requests.get(url, timeout=10)
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Accept-Ranges"] == "bytes"
    size = len(whole.content)
    assert whole.content[4:8] == b"ftyp"

    part = requests.get(url, headers={"Range": "bytes=100-199"}, timeout=10)
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 100-199/{size}"
    assert part.content == whole.content[100:200]
    rest = requests.get(url, headers={"Range": "bytes=-50"}, timeout=10)
    assert rest.content == whole.content[-50:]
    beyond = requests.get(url, headers={"Range": f"bytes={size}-"}, timeout=10)
    assert beyond.status_code == 416
    assert requests.head(url, timeout=10).headers["Content-Length"] == str(size)
    assert requests.get(url.replace("/videos/", "/videos/x"), timeout=10).status_code == 404


@pytest.mark.slow
def test_a_link_expires() -> None:
    """An expired link answers 410; the task is still completed, with the same link."""
    with Sandbox(speed=1000, draft=True, link_lifetime=0) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            status = caller.ended(caller.submit())
            (video,) = status["result"]["videos"]
            assert video["expires_at"] == status["completed_at"]
            expired = requests.get(video["url"], timeout=10)
            assert expired.status_code == 410
            assert error(expired)["code"] == "link_expired"
            assert caller.ended(status["task_id"]) == status


def test_cancel_over_http(call: Caller) -> None:
    """Cancelling a task that has left the queue returns 400 with the code ``task_not_cancellable``."""
    task_id = call.submit()
    call.ended(task_id)
    answer = call("POST", f"/tasks/{task_id}/cancel")
    assert answer.status_code == 400
    assert error(answer)["code"] == "task_not_cancellable"


@pytest.mark.slow
@pytest.mark.parametrize("case", ["missing", "no picture", "too large"])
def test_an_unusable_picture_fails_the_task(shared: Caller, tmp_path: Path, case: str) -> None:
    """A task with an unusable picture is accepted and then fails, with the URL and the reason."""
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    url = shared.sandbox.publish(path)
    wrong = {"missing": "404", "no picture": "not a JPEG, PNG or WebP", "too large": "over 10 MB"}[case]
    if case == "missing":
        url += "x"
    elif case == "no picture":
        path.write_text("<html>", encoding="utf-8")
    else:
        path.write_bytes(path.read_bytes() + bytes(10_000_001))
    status = shared.ended(shared.submit(image_urls=[url]))
    assert status["status"] == "failed"
    assert status["error"]["code"] == "upstream_bad_request"
    assert url in status["error"]["message"]
    assert wrong in status["error"]["message"]


def test_account_and_server_faults(call: Caller) -> None:
    """An empty account, a rate limit and an internal error are answered in their documented form."""
    call.sandbox.faults = Faults(no_balance=True)
    empty = call("POST", "/tasks", json=REQUEST)
    assert (empty.status_code, error(empty)["code"]) == (402, "insufficient_balance")

    call.sandbox.faults = Faults(rate_limit_every=2, retry_after=7)
    answers = [call("GET", "/models") for _ in range(4)]
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]
    assert {answer.headers.get("Retry-After") for answer in answers} == {None, "7"}

    call.sandbox.faults = Faults(server_error_every=1)
    assert call("GET", "/models").status_code == 500


def test_a_gateway_error_hides_the_created_task(call: Caller) -> None:
    """A task is created and its callback sent although the submission gets a 502 response with HTML."""
    with hook() as (url, received):
        call.sandbox.faults = Faults(fail="task_failed", html_every=1)
        lost = call("POST", "/tasks", json={**REQUEST, "callback_url": url})
        assert lost.status_code == 502
        assert lost.headers["Content-Type"].startswith("text/html")
        until(lambda: received)


@pytest.mark.slow
def test_latency_delays_the_answer(call: Caller) -> None:
    """A client with a timeout below the latency times out."""
    call.sandbox.faults = Faults(latency=30)
    with pytest.raises(requests.ReadTimeout):
        call.session.get(f"{call.sandbox.base_url}/models", timeout=0.2)


def test_a_callback_comes_when_the_task_ends(call: Caller) -> None:
    """A callback is sent once, with the status of the ended task, and its redirect is not followed."""
    with hook() as (url, received):
        task_id = call.submit(callback_url=url)
        (callback,) = until(lambda: call.sandbox.callbacks)
        assert (callback.task_id, callback.url, callback.answer) == (task_id, url, 302)
        assert received == [("/hook?a=1", call("GET", f"/tasks/{task_id}").json())]
        assert received[0][1]["status"] == "failed"


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "https://example.invalid/", "http://127.0.0.1:9/"])
def test_a_callback_to_another_machine_is_not_sent(call: Caller, url: str) -> None:
    """A callback to another machine is recorded but not sent; one without a response is recorded, too."""
    call.submit(callback_url=url)
    (callback,) = until(lambda: call.sandbox.callbacks)
    assert callback.answer is None


def test_published_pictures_are_served(shared: Caller, tmp_path: Path) -> None:
    """A published file is served at its URL with its content type."""
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 2), "red").save(path)
    answer = requests.get(shared.sandbox.publish(path), timeout=10)
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (3, 2)


def test_a_submission_sent_again_is_billed_once(call: Caller) -> None:
    """A submission repeated with the same ``Idempotency-Key`` returns the same task."""
    twice = [call("POST", "/tasks", json=REQUEST, headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert twice[0]["task_id"] == twice[1]["task_id"]
