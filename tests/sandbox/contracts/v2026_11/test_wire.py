"""Tests of contract 2026-11 over a real socket: the answers to each endpoint."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import av
import pytest
import requests
from PIL import Image

from qingbo_widgets.sandbox import Faults, Sandbox
from tests.sandbox.caller import Caller, hook
from tests.sandbox.contracts.v2026_11.bodies import FULLEST, MINIMAL, body
from tests.sandbox.drawing.clips import clip, plain
from tests.waiting import until

pytestmark = pytest.mark.slow

REQUEST = MINIMAL["kling-v3"]
PRICE = 189_000
"""Quota of ``REQUEST``: the example of the documentation's Kling page."""
NOTHING_DRAWN = Faults(fail="upstream_unavailable")


@contextmanager
def running(**options: Any) -> Iterator[Caller]:
    """Run a sandbox of contract 2026-11 that is fast and, by default, draws nothing."""
    settings = {"speed": 1000, "draft": True, "faults": NOTHING_DRAWN, "contract": "2026-11", **options}
    with Sandbox(**settings) as sandbox:
        caller = Caller(sandbox, REQUEST)
        with caller.session:
            yield caller


@pytest.fixture(scope="module")
def drawing() -> Iterator[Caller]:
    """Yield a sandbox that draws, shared by the tests that do not change it."""
    with running(faults=None) as call:
        yield call


@pytest.fixture
def call() -> Iterator[Caller]:
    """Yield a separate sandbox for each test, which draws nothing by default."""
    with running() as call:
        yield call


@pytest.fixture
def slow() -> Iterator[Caller]:
    """Yield a sandbox whose tasks stay in the queue."""
    with running(speed=0.001) as call:
        yield call


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of 4.5 seconds."""
    path = tmp_path_factory.mktemp("films") / "dance.mp4"
    path.write_bytes(clip(plain((200, 30, 30)), 4.5))
    return path


def error(answer: requests.Response) -> dict[str, Any]:
    """Return the error of an answer."""
    content = answer.json()
    assert set(content) == {"error"}
    return dict(content["error"])


def test_a_submit_is_answered_with_the_frozen_cost(slow: Caller) -> None:
    """A submit answers the documented fields: seconds, the integer 0 as progress, the frozen price."""
    answer = slow("POST", "/tasks", json=REQUEST)
    content = answer.json()
    assert answer.status_code == 200
    assert content.pop("task_id").startswith("task-wave")
    assert 1_700_000_000 < content.pop("created_at") < 10_000_000_000
    assert content == {
        "model": "kling-v3",
        "action": "generate",
        "status": "queued",
        "progress": 0,
        "pre_consumed_cost": PRICE,
    }


def test_a_queued_task_has_no_progress_yet(slow: Caller) -> None:
    """The status of a queued task has an empty progress, its own URLs, and neither cost nor end."""
    task_id = slow.submit()
    content = slow("GET", f"/tasks/{task_id}").json()
    task = f"{slow.sandbox.base_url}/tasks/{task_id}"
    assert content.pop("created_at") > 1_700_000_000
    assert content == {
        "task_id": task_id,
        "model": "kling-v3",
        "action": "generate",
        "status": "queued",
        "progress": "",
        "urls": {"get": task, "cancel": f"{task}/cancel"},
    }


def test_progress_is_a_percentage_as_text() -> None:
    """A task that is processed has its progress as text with a percent sign, and no start time."""
    with running(speed=50) as call:
        task_id = call.submit()

        def processed() -> Any:
            content = call("GET", f"/tasks/{task_id}").json()
            return content if content["status"] == "processing" else None

        content = until(processed)
    assert content["progress"].endswith("%")
    assert 0 <= int(content["progress"][:-1]) < 100
    assert "start_time" not in content


@pytest.mark.slow
def test_a_completed_task(drawing: Caller) -> None:
    """A completed task has its cost, an array of links that are valid for seven days, and a real video."""
    content = drawing.ended(drawing.submit())
    assert (content["status"], content["progress"]) == ("completed", "100%")
    assert (content["cost"], content["billing_status"]) == (PRICE, "settled")
    assert content["completed_at"] >= content["created_at"]
    (video,) = content["result"]["videos"]
    assert set(content["result"]) == {"videos"}
    assert video["expires_at"] == content["completed_at"] + 604_800
    (url,) = video["url"]
    assert requests.get(url, timeout=10).content[4:8] == b"ftyp"


def test_a_failed_task_costs_nothing(call: Caller) -> None:
    """A failed task has progress 100%, no cost, and its error."""
    content = call.ended(call.submit())
    assert (content["status"], content["progress"], content["cost"]) == ("failed", "100%", 0)
    assert set(content["error"]) == {"message", "code"}
    assert content["error"]["code"] == "upstream_unavailable"
    assert not {"result", "billing_status"} & set(content)


def test_only_a_queued_task_can_be_cancelled(call: Caller, slow: Caller) -> None:
    """A cancelled task gets its quota back and costs nothing; a task that has ended is answered with 400."""
    task_id = slow.submit()
    answer = slow("POST", f"/tasks/{task_id}/cancel")
    assert answer.json() == {
        "task_id": task_id,
        "status": "cancelled",
        "refunded": True,
        "refunded_quota": PRICE,
    }
    content = slow.ended(task_id)
    assert (content["status"], content["cost"]) == ("cancelled", 0)

    ended = call.submit()
    call.ended(ended)
    answer = call("POST", f"/tasks/{ended}/cancel")
    assert answer.status_code == 400
    assert error(answer)["code"] == "task_not_cancellable"


def test_the_balance_pays_for_tasks() -> None:
    """Tasks draw on the credit until it does not cover one, which is 402; a cancelled one is paid back."""
    with running(speed=0.001, credit=1.0) as call:
        first, _ = call.submit(), call.submit()
        balance = call("GET", "/dashboard/billing/balance").json()
        assert balance.pop("as_of") > 1_700_000_000
        assert balance == {
            "object": "credit_summary",
            "currency": "USD",
            "total_granted_usd": 1.0,
            "total_used_usd": 0.756,
            "total_available_usd": 0.244,
        }
        usage = call("GET", "/dashboard/billing/usage?start_date=2099-01-01&end_date=2099-01-02")
        assert usage.json() == {"object": "list", "total_usage": 75.6}, "in cents, whatever the dates"
        assert call("GET", "/dashboard/billing/subscription").json() == {
            "object": "billing_subscription",
            "has_payment_method": True,
            "hard_limit_usd": 1.0,
            "soft_limit_usd": 1.0,
            "system_hard_limit_usd": 1.0,
            "access_until": 0,
        }
        assert call("GET", "/dashboard/billing/history").status_code == 404
        refused = call("POST", "/tasks", json=REQUEST)
        assert refused.status_code == 402
        assert error(refused)["code"] == "insufficient_balance"
        call("POST", f"/tasks/{first}/cancel")
        assert call("POST", "/tasks", json=REQUEST).status_code == 200


def test_a_key_creates_and_charges_one_task(slow: Caller) -> None:
    """The same ``Idempotency-Key`` answers the same task and freezes its price once."""
    answers = [
        slow("POST", "/tasks", json=REQUEST, headers={"Idempotency-Key": key}).json()
        for key in ("a", "a", "b")
    ]
    assert [answer["task_id"] for answer in answers[:2]] == [answers[0]["task_id"]] * 2
    assert answers[2]["task_id"] != answers[0]["task_id"]
    assert answers[1]["pre_consumed_cost"] == PRICE
    used = slow("GET", "/dashboard/billing/balance").json()["total_used_usd"]
    assert used == pytest.approx(2 * PRICE / 500_000)


def test_a_submit_waits_for_the_end(call: Caller) -> None:
    """With ``Prefer: wait=N`` a submit answers the ended task, without the frozen price."""
    content = call("POST", "/tasks", json=REQUEST, headers={"Prefer": "respond-async, wait=30"}).json()
    assert content["status"] == "failed"
    assert content == call("GET", f"/tasks/{content['task_id']}").json()


@pytest.mark.slow
def test_a_submit_that_waits_in_vain(slow: Caller) -> None:
    """A wait that is too short answers the state and the frozen price; others are served meanwhile."""
    answers: list[Any] = []
    headers = {"Authorization": f"Bearer {slow.sandbox.api_key}", "Prefer": "wait=1"}
    url = f"{slow.sandbox.base_url}/tasks"
    waiting = threading.Thread(
        target=lambda: answers.append(requests.post(url, json=REQUEST, headers=headers, timeout=30))
    )
    waiting.start()
    until(lambda: slow.sandbox.requests)
    assert slow("GET", "/models").status_code == 200
    assert not answers
    waiting.join()
    (answer,) = answers
    content = answer.json()
    assert (answer.status_code, content["status"], content["progress"]) == (200, "queued", "")
    assert content["pre_consumed_cost"] == PRICE


@pytest.mark.parametrize(
    "value", ["wait=", "wait=x", "wait=-1", "wait=1.5", "wait", "", "return=minimal", "wait=²"]
)
def test_a_preference_that_cannot_be_read_is_ignored(slow: Caller, value: str) -> None:
    """A wait that is no whole number is ignored, as is any other preference."""
    content = slow("POST", "/tasks", json=REQUEST, headers={"Prefer": value.encode()}).json()
    assert (content["status"], content["progress"]) == ("queued", 0)


@pytest.mark.parametrize("events", [None, ["failed"], ["completed", "cancelled"]])
def test_callbacks_of_chosen_events(call: Caller, events: list[str] | None) -> None:
    """A callback carries the status; ``callback_events`` chooses the ends that are called back."""
    with hook() as (url, received):
        chosen = {} if events is None else {"callback_events": events}
        task_id = call.submit(callback_url=url, **chosen)
        last = call.submit(
            callback_url=url
        )  # its callback comes after that of the first task, if there is one
        until(lambda: last in [callback.task_id for callback in call.sandbox.callbacks])
        call.ended(task_id)
        expected = [task_id, last] if events != ["completed", "cancelled"] else [last]
        until(lambda: len(call.sandbox.callbacks) >= len(expected))
        assert sorted(content["task_id"] for _, content in received) == sorted(expected)
        for _, content in received:
            assert content == call("GET", f"/tasks/{content['task_id']}").json()


def test_models_have_prices(call: Caller) -> None:
    """The list has the seven models with prices; each can be requested, and an unknown one is 404."""
    models = {model["id"]: model for model in call("GET", "/models").json()["data"]}
    assert set(models) == set(MINIMAL)
    for model in models.values():
        assert set(model) == {"id", "object", "tags", "description", "price_config"}
        assert model["object"] == "model"
        assert model["description"]
        assert "video" in model["tags"]
        assert {"720p", "1080p"} <= set(model["price_config"]["video_prices"])
    assert call("GET", "/models/kling-v3").json() == models["kling-v3"]
    assert models["kling-v3"]["price_config"]["video_prices"]["4k"] == 0.48213
    assert call("GET", "/models/kling-v1").status_code == 404
    assert error(call("GET", "/models/kling-v1"))["code"] == "model_not_found"


def test_a_refused_submit_names_the_field(call: Caller) -> None:
    """A refused submit has code, param and type; other endpoints have only message and code."""
    answer = call("POST", "/tasks", json={**REQUEST, "duration": 2})
    assert answer.status_code == 400
    assert set(error(answer)) == {"message", "code", "param", "type"}
    assert error(answer)["param"] == "duration"
    unknown = call("GET", "/tasks/task-wave0")
    assert unknown.status_code == 404
    assert set(error(unknown)) == {"message", "code"}
    assert error(unknown)["code"] == "task_not_found"
    assert call.sandbox.requests == {}


@pytest.mark.parametrize("path", ["/models", "/dashboard/billing/balance", "/tasks/x"])
def test_a_wrong_key_has_no_code(call: Caller, path: str) -> None:
    """A missing key is answered with 401 in the form of the balance page: without a code."""
    answer = requests.get(f"{call.sandbox.base_url}{path}", timeout=10)
    assert answer.status_code == 401
    assert set(error(answer)) == {"message", "type"}


def asked(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> int:
    """Return the status of a request by a client that logs nothing."""
    where = urlsplit(url)
    connection = HTTPConnection(where.netloc, timeout=10)
    with closing(connection):
        connection.request(method, f"{where.path}?{where.query}", headers=headers or {})
        return connection.getresponse().status


def test_places_of_the_key(
    call: Caller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The model list alone takes the key in two more headers and in its URL; no log and no output has it."""
    key, base = call.sandbox.api_key, call.sandbox.base_url
    caplog.set_level(0)
    for headers in ({"x-api-key": key}, {"x-goog-api-key": key}):
        assert asked(f"{base}/models", headers) == 200
        assert asked(f"{base}/models", dict.fromkeys(headers, f"{key}x")) == 401
        for path in ("models/kling-v3", "tasks/task-wave0", "dashboard/billing/balance"):
            assert asked(f"{base}/{path}", headers) == 401, f"{path} takes {list(headers)}"
        assert asked(f"{base}/tasks", headers, "POST") == 401
    assert asked(f"{base}/models?key={key}") == 200
    assert asked(f"{base}/models?key={quote('鑰匙')}") == 401
    assert asked(f"{base}/models?key=") == 401
    assert asked(f"{base}/tasks/task-wave0?key={key}") == 401
    assert asked(f"{base}/nowhere?key={key}") == 404
    printed = capfd.readouterr()
    assert key not in caplog.text + printed.out + printed.err


def test_april_takes_the_key_in_one_place() -> None:
    """Contract 2026-04 documents no other place of the key than the header ``Authorization``."""
    with running(contract="2026-04") as call:
        key, base = call.sandbox.api_key, call.sandbox.base_url
        assert asked(f"{base}/models", {"Authorization": f"Bearer {key}"}) == 200
        assert asked(f"{base}/models", {"x-api-key": key}) == 401
        assert asked(f"{base}/models?key={key}") == 401


def test_limits_and_faults(call: Caller) -> None:
    """A rate limit has no code; a spending window has its figures; a missing price is 500."""
    call.sandbox.faults = Faults(rate_limit_every=1, retry_after=0)
    limited = call("POST", "/tasks", json=REQUEST)
    assert limited.status_code == 429
    assert set(error(limited)) == {"message", "type"}
    assert "Retry-After" not in limited.headers

    call.sandbox.faults = Faults(price_missing=True)
    priceless = call("POST", "/tasks", json=REQUEST)
    assert (priceless.status_code, error(priceless)["code"]) == (500, "price_not_configured")

    call.sandbox.faults = Faults(no_balance=True)
    assert call("POST", "/tasks", json=REQUEST).status_code == 402

    call.sandbox.faults = Faults(quota_window=3600)
    window = call("POST", "/tasks", json=REQUEST)
    assert window.status_code == 429
    details = error(window)
    assert details["code"] == "quota_window_exceeded"
    assert details["used"] == details["cap"] > 0
    assert details["window"] > 0
    assert isinstance(details["reset_at"], int)

    call.sandbox.faults = Faults(fail="task_failed")
    assert call("POST", "/tasks", json=REQUEST).status_code == 200


def test_a_spending_window_ends(call: Caller) -> None:
    """After the end of the window, submits are accepted without any change of the faults."""
    call.sandbox.faults = Faults(fail="task_failed", quota_window=0.3)
    assert call("POST", "/tasks", json=REQUEST).status_code == 429
    until(lambda: call("POST", "/tasks", json=REQUEST).status_code == 200)


def test_bodies_of_the_other_contract() -> None:
    """Each contract refuses what only the other one knows."""
    april: dict[str, Any] = {"model": "kling-v3", "prompt": "a pond", "extra": {"mode": "pro"}}
    with running() as call:
        answer = call("POST", "/tasks", json=april)
        assert (answer.status_code, error(answer)["code"]) == (400, "capability_violation")
        assert error(answer)["param"] == "extra"
        for model in ("kling-v1", "kling-v1-6", "kling-v2-master"):
            answer = call("POST", "/tasks", json={"model": model, "prompt": "a pond"})
            assert (answer.status_code, error(answer)["code"]) == (404, "model_not_found")
    with running(contract="2026-04") as call:
        answer = call("POST", "/tasks", json=FULLEST["kling-v3"])
        assert (answer.status_code, error(answer)["code"]) == (400, "invalid_parameter")
        assert call("POST", "/tasks", json=april).status_code == 200
        assert call("GET", "/dashboard/billing/balance").status_code == 404


def motion(url: str, **fields: Any) -> dict[str, Any]:
    """Return a body whose length follows a video."""
    return body("kling-v3-motion-control", video_urls=[url], **fields)


def test_an_input_video_is_measured(call: Caller, film: Path) -> None:
    """The whole seconds of the input video are the length of the result and its price."""
    url = call.sandbox.publish(film)
    answer = call("POST", "/tasks", json=motion(url))
    assert answer.json()["pre_consumed_cost"] == 4 * 56_700  # 0.1134 USD a second
    edit = body("kling-v3-omni", action="edit", duration=0, video_urls=[url])
    assert call("POST", "/tasks", json=edit).json()["pre_consumed_cost"] == 4 * 56_700


@pytest.mark.parametrize(
    ("seconds", "orientation", "is_accepted"),
    [(2.5, "video", False), (3.0, "image", True), (11.5, "image", False), (11.5, "video", True)],
)
def test_limits_of_the_input_video(
    call: Caller, tmp_path: Path, seconds: float, orientation: str, is_accepted: bool
) -> None:
    """A video that is too short or too long for the model is refused; the limit follows the orientation."""
    path = tmp_path / "a.mp4"
    path.write_bytes(clip(plain((0, 90, 0), (64, 36)), seconds))
    request = motion(call.sandbox.publish(path), character_orientation=orientation)
    answer = call("POST", "/tasks", json=request)
    assert answer.status_code == (200 if is_accepted else 400)
    assert is_accepted or error(answer)["param"] == "video_urls"


def test_an_input_video_that_is_none(call: Caller, tmp_path: Path, film: Path) -> None:
    """A URL that answers with an error or with something else than a video is 400 and not billed."""
    path = tmp_path / "a.mp4"
    path.write_bytes(film.read_bytes())
    url = call.sandbox.publish(path)
    path.write_text("<html>", encoding="utf-8")
    for wrong in (url, f"{url}x"):
        answer = call("POST", "/tasks", json=motion(wrong))
        assert (answer.status_code, error(answer)["code"]) == (400, "input_video_duration_unknown")
        assert wrong in error(answer)["message"]
    assert call("GET", "/dashboard/billing/balance").json()["total_used_usd"] == 0


@pytest.mark.slow
def test_an_input_video_out_of_reach(drawing: Caller) -> None:
    """A video on a host that cannot be reached is taken to last five seconds; then the task names it."""
    url = "https://nowhere.invalid/a.mp4"
    answer = drawing("POST", "/tasks", json=motion(url))
    assert answer.json()["pre_consumed_cost"] == 5 * 56_700
    content = drawing.ended(answer.json()["task_id"])
    assert (content["status"], content["cost"]) == ("failed", 0)
    assert url in content["error"]["message"]


def test_a_slow_video_holds_up_no_other_request(call: Caller) -> None:
    """While the sandbox waits for the host of an input video, it answers other requests."""
    reached, answers = threading.Event(), []
    with slow_host(reached) as url:
        submit = threading.Thread(
            target=lambda: answers.append(
                requests.post(
                    f"{call.sandbox.base_url}/tasks",
                    json=motion(url),
                    headers={"Authorization": f"Bearer {call.sandbox.api_key}"},
                    timeout=30,
                )
            )
        )
        submit.start()
        assert reached.wait(10)
        assert call("GET", "/models").status_code == 200
        assert not answers
    submit.join()
    assert answers[0].status_code in (200, 400)  # the host has broken the connection off


@contextmanager
def slow_host(reached: threading.Event) -> Iterator[str]:
    """Listen on a port, accept one connection, and answer nothing until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            held.append(server.accept()[0])
            reached.set()

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4"
        thread.join()
        held[0].close()


@pytest.mark.slow
@pytest.mark.parametrize("name", MINIMAL)
def test_each_model_is_drawn(drawing: Caller, tmp_path: Path, film: Path, name: str) -> None:
    """The shortest and the fullest request of each model end with a video of the length that was ordered."""
    picture = tmp_path / "a.png"
    Image.new("RGB", (320, 180), "orange").save(picture)
    served = {"png": drawing.sandbox.publish(picture), "mp4": drawing.sandbox.publish(film)}
    for request in (MINIMAL[name], FULLEST[name]):
        local = _local({key: value for key, value in request.items() if key != "callback_url"}, served)
        content = drawing.ended(drawing.submit(**local))
        assert content["status"] == "completed", content
        video = requests.get(content["result"]["videos"][0]["url"][0], timeout=10).content
        with av.open(io.BytesIO(video), "r") as drawn:
            assert drawn.duration is not None
            assert drawn.duration / av.time_base == pytest.approx(request["duration"] or 4, abs=0.2)


def _local(value: Any, served: dict[str, str]) -> Any:
    """Return a JSON value with each URL of the examples replaced by one that the sandbox serves."""
    if isinstance(value, dict):
        return {key: _local(part, served) for key, part in value.items()}
    if isinstance(value, list):
        return [_local(part, served) for part in value]
    if isinstance(value, str) and value.startswith("https://example.com/a."):
        return served[value.rpartition(".")[2]]
    return value
