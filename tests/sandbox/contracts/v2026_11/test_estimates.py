"""Tests of prices over a real socket: quote, ``estimate_cost``, prices that change, and settlement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from qingbo_widgets.sandbox import Faults, Gaps, Sandbox
from tests.sandbox.caller import Caller
from tests.sandbox.contracts.v2026_11.bodies import FULLEST, MINIMAL, body
from tests.sandbox.drawing.clips import clip, plain

pytestmark = pytest.mark.slow

REQUEST = MINIMAL["kling-v3"]
PRICE = 189_000
"""Quota of ``REQUEST``: the example of the documentation's Kling page."""
DEARER = {"per_second": True, "video_prices": {"720p": 0.1, "1080p": 0.2}}
"""Prices at which ``REQUEST`` costs half a US dollar."""


@contextmanager
def running(**options: Any) -> Iterator[Caller]:
    """Run a sandbox of contract 2026-11 that is fast and draws nothing, unless its options say otherwise."""
    settings = {"speed": 1000, "draft": True, "faults": Faults(fail="task_failed"), "contract": "2026-11"}
    with Sandbox(**{**settings, **options}) as sandbox:
        caller = Caller(sandbox, REQUEST)
        with caller.session:
            yield caller


@pytest.fixture
def call() -> Iterator[Caller]:
    """Yield a separate sandbox for each test."""
    with running() as call:
        yield call


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """Yield a sandbox shared by the tests that do not change it."""
    with running() as call:
        yield call


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of 4.5 seconds."""
    path = tmp_path_factory.mktemp("films") / "dance.mp4"
    path.write_bytes(clip(plain((200, 30, 30), (64, 36)), 4.5))
    return path


def quote(call: Caller, request: Any = REQUEST, key: str = "", **options: Any) -> requests.Response:
    """Ask for a quote, by default without a key."""
    url = f"{call.sandbox.base_url.removesuffix('/v1')}/waveapi/quote"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.post(url, timeout=30, **{"json": request, "headers": headers, **options})


def tool(call: Caller, **fields: Any) -> requests.Response:
    """Call the tools endpoint, with changed fields of a JSON-RPC request."""
    given = {name: value for name, value in REQUEST.items() if name != "model"}
    params = {"name": "estimate_cost", "arguments": {"model": "kling-v3", "input": given}}
    return call(
        "POST", "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params, **fields}
    )


def estimate(call: Caller, **arguments: Any) -> dict[str, Any]:
    """Return the result of ``estimate_cost`` with these arguments."""
    answer = tool(call, params={"name": "estimate_cost", "arguments": arguments})
    content = answer.json()
    assert (answer.status_code, content["jsonrpc"], content["id"]) == (200, "2.0", 1)
    return dict(content["result"])


def of(request: dict[str, Any]) -> dict[str, Any]:
    """Return a submit body as the arguments of the tool."""
    return {"model": request["model"], "input": {name: request[name] for name in request if name != "model"}}


def frozen(call: Caller, request: dict[str, Any] = REQUEST) -> int:
    """Submit, and return the quota that was frozen."""
    return int(call("POST", "/tasks", json=request).json()["pre_consumed_cost"])


def left(call: Caller) -> float:
    """Return what is left of the account in US dollars."""
    return float(call("GET", "/dashboard/billing/balance").json()["total_available_usd"])


def test_a_quote(shared: Caller) -> None:
    """A quote needs no key, and gives US dollars, their unit, the charged seconds and the multipliers."""
    answer = quote(shared)
    assert answer.status_code == 200
    assert answer.json() == {
        "code": 0,
        "message": "success",
        "data": {
            "total_usd": 0.378,
            "unit": "second",
            "billed_quantity": 5,
            "multipliers": {"group_ratio": 1.0},
        },
    }
    assert quote(shared, key="wrong").status_code == 200, "the route is public: no key is checked"


@pytest.mark.parametrize("name", MINIMAL)
@pytest.mark.parametrize("bodies", [MINIMAL, FULLEST], ids=["shortest", "fullest"])
def test_quote_estimate_and_submit_agree(
    call: Caller, film: Path, name: str, bodies: dict[str, dict[str, Any]]
) -> None:
    """Quote and estimate of a request are the amount that its submit freezes; neither creates a task."""
    request = {field: value for field, value in bodies[name].items() if "callback" not in field}
    if "video_urls" in request:
        request["video_urls"] = [call.sandbox.publish(film)]
    usd = quote(call, request).json()["data"]["total_usd"]
    result = estimate(call, **of(request))
    assert not call.sandbox.requests
    assert left(call) == 20
    quota = frozen(call, request)
    assert usd * 500_000 == pytest.approx(quota)
    assert result == {
        "content": [{"type": "text", "text": f"{name}: {quota} quota, {quota / 500_000:.6f} USD"}],
        "structuredContent": {"model": name, "cost": quota, "cost_usd": quota / 500_000},
        "isError": False,
    }


def test_a_quote_measures_the_input_video(shared: Caller, film: Path) -> None:
    """The charged seconds of a request that follows a video are those of the video, truncated."""
    request = body("kling-v3-motion-control", video_urls=[shared.sandbox.publish(film)])
    data = quote(shared, request).json()["data"]
    assert (data["billed_quantity"], data["total_usd"]) == (4, 0.4536)
    wrong = body("kling-v3-motion-control", video_urls=[f"{shared.sandbox.base_url}/nothing.mp4"])
    answer = quote(shared, wrong)
    assert (answer.status_code, answer.json()["errorKey"]) == (400, "input_video_duration_unknown")


@pytest.mark.parametrize(
    ("request_", "status", "key"),
    [
        ({**REQUEST, "duration": 2}, 400, "invalid_parameter"),
        ({**REQUEST, "seed": 1}, 400, "capability_violation"),
        ({**REQUEST, "model": "kling-v1"}, 404, "model_not_found"),
        ([], 400, "invalid_parameter"),
    ],
)
def test_a_refused_quote(shared: Caller, request_: Any, status: int, key: str) -> None:
    """A request that a submit refuses is refused with the same message, in the envelope of the quote."""
    answer, submit = quote(shared, request_), shared("POST", "/tasks", json=request_)
    message = submit.json()["error"]["message"]
    assert answer.status_code == submit.status_code == status
    assert answer.json() == {"code": status, "message": message, "errorKey": key}


def test_a_quote_takes_only_json(shared: Caller) -> None:
    """A body that is no JSON, too large or sent as a text is refused: pages of other sites can send texts."""
    refused: dict[str, dict[str, Any]] = {
        "invalid_json": {"data": "{", "headers": {"Content-Type": "application/json"}},
        "request_too_large": {"json": {**REQUEST, "prompt": "x" * 1_000_001}},
        "unsupported_media_type": {"data": "{}", "headers": {"Content-Type": "text/plain"}},
    }
    for key, options in refused.items():
        answer = quote(shared, **options)
        assert answer.json()["errorKey"] == key
        assert answer.status_code == {"invalid_json": 400, "request_too_large": 413}.get(key, 415)
    assert quote(shared, headers={"Content-Type": "application/json; charset=utf-8"}).status_code == 200


def test_a_refused_estimate(shared: Caller) -> None:
    """A request that a submit refuses is an error of the tool, with code, message and field."""
    submit = shared("POST", "/tasks", json={**REQUEST, "duration": 2}).json()["error"]
    result = estimate(shared, **of({**REQUEST, "duration": 2}))
    assert result == {
        "content": [{"type": "text", "text": submit["message"]}],
        "structuredContent": {"code": "invalid_parameter", "message": submit["message"], "param": "duration"},
        "isError": True,
    }
    for arguments, param in (
        ({}, "model"),
        ({"model": 7, "input": {}}, "model"),
        ({"model": "kling-v3", "input": []}, "input"),
        ({"model": "kling-v3", "input": REQUEST}, "input.model"),
        ({"model": "kling-v1", "input": {}}, "model"),
    ):
        result = estimate(shared, **arguments)
        assert result["isError"], arguments
        assert result["structuredContent"]["param"] == param


def test_the_tools_endpoint_speaks_json_rpc(shared: Caller) -> None:
    """Other methods, other tools and bodies that are no request are errors of JSON-RPC; a key is needed."""
    for fields, code in (
        ({"method": "initialize"}, -32601),
        ({"method": "tools/list"}, -32601),
        ({"params": {"name": "create_task", "arguments": {}}}, -32602),
        ({"params": None}, -32602),
        ({"params": [1]}, -32602),
    ):
        answer = tool(shared, id="a", **fields)
        content = answer.json()
        assert (answer.status_code, content["id"], content["error"]["code"]) == (200, "a", code)
        assert "estimate_cost" in content["error"]["message"]
        assert "result" not in content
    assert tool(shared, jsonrpc="1.0").json()["error"]["code"] == -32600
    assert shared("POST", "/mcp", json=[]).json()["error"]["code"] == -32600
    assert shared("POST", "/mcp", data="{").json()["error"]["code"] == -32700
    notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = shared("POST", "/mcp", json=notification)
    assert (answer.status_code, answer.content) == (202, b"")
    url = f"{shared.sandbox.base_url}/mcp"
    assert requests.post(url, json=notification, timeout=10).status_code == 401
    assert shared("GET", "/mcp").status_code == 405
    assert not shared.sandbox.requests


def test_faults_of_quotes_and_estimates(call: Caller) -> None:
    """Rate limits and missing prices apply to quotes and estimates; an empty account does not."""
    call.sandbox.faults = Faults(price_missing=True)
    answer = quote(call)
    assert (answer.status_code, answer.json()["errorKey"]) == (500, "price_not_configured")
    assert estimate(call, **of(REQUEST))["structuredContent"]["code"] == "price_not_configured"
    call.sandbox.faults = Faults(no_balance=True, quota_window=60)
    assert quote(call).status_code == 200
    assert estimate(call, **of(REQUEST))["isError"] is False
    call.sandbox.faults = Faults(rate_limit_every=1)
    assert quote(call).status_code == tool(call).status_code == 429


@pytest.mark.parametrize(
    ("choice", "without", "wrong", "right"),
    [
        ("public", 200, 200, 200),
        ("with_key", 401, 401, 200),
        ("portal_only", 401, 401, 401),
        ("absent", 404, 404, 404),
    ],
)
def test_access_to_the_quote(choice: Any, without: int, wrong: int, right: int) -> None:
    """The quote is public, needs the key, refuses every key, or does not exist; estimates are unaffected."""
    with running(gaps=Gaps(quote=choice)) as call:
        keys = ("", "wrong", call.sandbox.api_key)
        assert [quote(call, key=key).status_code for key in keys] == [without, wrong, right]
        assert estimate(call, **of(REQUEST))["structuredContent"]["cost"] == PRICE


@pytest.mark.parametrize(("code", "refused"), [(0, 400), (200, 400), ("success", "error")])
def test_code_of_the_quote(code: Any, refused: object) -> None:
    """The code of a quote is a number or a word; that of a refusal differs from it."""
    with running(gaps=Gaps(quote_code=code)) as call:
        assert quote(call).json()["code"] == code
        assert quote(call, {**REQUEST, "n": 2}).json()["code"] == refused


@pytest.mark.parametrize(("choice", "status"), [("as_submit", 400), ("always_200", 200)])
def test_status_of_a_refused_quote(choice: Any, status: int) -> None:
    """A refused quote has the HTTP status of a refused submit, or 200; its envelope is the same."""
    with running(gaps=Gaps(quote_status=choice)) as call:
        answer = quote(call, {**REQUEST, "n": 2})
        assert (answer.status_code, answer.json()["code"]) == (status, 400)


@pytest.mark.parametrize("name", ["cost", "pre_consumed_cost"])
def test_fields_of_an_estimate(name: Any) -> None:
    """The amounts of an estimate have either pair of names that the documentation mentions."""
    with running(gaps=Gaps(estimate_field=name)) as call:
        content = estimate(call, **of(REQUEST))["structuredContent"]
    assert content == {"model": "kling-v3", name: PRICE, f"{name}_usd": 0.378}


def test_contract_2026_04_has_no_prices() -> None:
    """Contract 2026-04 has neither endpoint, and no price can be set."""
    with running(contract="2026-04") as call:
        assert quote(call, key=call.sandbox.api_key).status_code == 404
        assert tool(call).status_code == 404
        assert call.sandbox.prices == {}
        with pytest.raises(ValueError, match="2026-04 has no model 'kling-v3' with a price"):
            call.sandbox.prices = {"kling-v3": DEARER}


def test_prices_change() -> None:
    """New prices apply to list, quote, estimate and new tasks; a submitted task keeps what it has frozen."""
    with running(speed=0.001) as call:
        documented = call.sandbox.prices
        first = call.submit()
        call.sandbox.prices = {"kling-v3": DEARER}
        assert call("GET", "/models/kling-v3").json()["price_config"] == DEARER
        listed = {model["id"]: model["price_config"] for model in call("GET", "/models").json()["data"]}
        assert listed == {**documented, "kling-v3": DEARER} == call.sandbox.prices
        assert quote(call).json()["data"]["total_usd"] == 0.5
        assert estimate(call, **of(REQUEST))["structuredContent"]["cost"] == 250_000
        assert frozen(call) == 250_000
        assert left(call) == pytest.approx(20 - 0.378 - 0.5)
        refund = call("POST", f"/tasks/{first}/cancel").json()
        assert refund["refunded_quota"] == PRICE, "the task was submitted before the prices changed"
        assert left(call) == pytest.approx(20 - 0.5)

        call.sandbox.prices = {}
        assert call.sandbox.prices == documented
        assert frozen(call) == PRICE


def test_prices_are_checked_and_copied(call: Caller) -> None:
    """A model that does not exist is an error and changes no price; nor does a change of the values later."""
    with pytest.raises(ValueError, match="kling-v9"):
        call.sandbox.prices = {"kling-v3": DEARER, "kling-v9": DEARER}
    assert frozen(call) == PRICE
    mine: dict[str, Any] = {"per_second": True, "video_prices": {"720p": 0.1}}
    call.sandbox.prices = {"kling-v3": mine}
    mine["video_prices"]["720p"] = 5.0
    call.sandbox.prices["kling-v3"]["video_prices"]["720p"] = 5.0
    assert frozen(call) == 250_000


def test_a_model_can_lose_its_price(call: Caller) -> None:
    """A request for which the new prices have no key is refused everywhere, and costs nothing."""
    call.sandbox.prices = {"kling-v3": {"per_second": True, "video_prices": {"1080p": 0.1}}}
    submit = call("POST", "/tasks", json=REQUEST)
    assert (submit.status_code, submit.json()["error"]["code"]) == (500, "price_not_configured")
    assert quote(call).json()["errorKey"] == "price_not_configured"
    assert estimate(call, **of(REQUEST))["structuredContent"]["code"] == "price_not_configured"
    assert frozen(call, {**REQUEST, "resolution": "1080p"}) == 250_000
    assert len(call.sandbox.requests) == 1


def test_a_key_that_returns_keeps_its_price() -> None:
    """A submit that is repeated with its key answers the first task, at the price of the first submit."""
    with running(speed=0.001) as call:
        sent = {"json": REQUEST, "headers": {"Idempotency-Key": "k"}}
        first = call("POST", "/tasks", **sent).json()
        call.sandbox.prices = {"kling-v3": DEARER}
        again = call("POST", "/tasks", **sent).json()
        assert (again["task_id"], again["pre_consumed_cost"]) == (first["task_id"], PRICE)
        assert left(call) == pytest.approx(20 - 0.378)


def test_the_share_is_that_of_the_submit() -> None:
    """A change of the share applies to the tasks that are submitted after it."""
    with running(speed=100, faults=Faults(settles_at=0.5)) as call:
        early = call.submit()
        call.sandbox.faults = Faults()
        late = call.submit()
        assert (call.ended(early)["cost"], call.ended(late)["cost"]) == (94_500, PRICE)


@pytest.mark.parametrize(("share", "cost"), [(0.5, 94_500), (0.333333, 62_999), (0.0, 0), (1.0, PRICE)])
def test_a_task_settles_below_what_it_froze(share: float, cost: int) -> None:
    """A completed task costs a share of the frozen amount, and the balance gets the difference back."""
    with running(faults=Faults(settles_at=share)) as call:
        answer = call("POST", "/tasks", json=REQUEST).json()
        assert answer["pre_consumed_cost"] == PRICE
        content = call.ended(answer["task_id"])
        assert (content["status"], content["cost"], content["billing_status"]) == (
            "completed",
            cost,
            "settled",
        )
        assert left(call) == pytest.approx(20 - cost / 500_000)


def test_the_whole_amount_is_frozen_until_the_end() -> None:
    """While a task runs, the balance lacks all that is frozen; a refund of it is complete."""
    with running(speed=0.001, faults=Faults(settles_at=0.5)) as call:
        task_id = call.submit()
        assert left(call) == pytest.approx(20 - 0.378)
        assert call("POST", f"/tasks/{task_id}/cancel").json()["refunded_quota"] == PRICE
        assert left(call) == 20


def test_a_failed_task_is_refunded_in_full(call: Caller) -> None:
    """A task that fails costs nothing, whatever share it would have been settled at."""
    call.sandbox.faults = Faults(fail="task_failed", settles_at=0.5)
    assert call.ended(call.submit())["cost"] == 0
    assert left(call) == 20


@pytest.mark.parametrize("share", [-0.1, 1.1, 90, float("nan")])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    """The share of the frozen amount is 0 to 1; 90 was meant as a percentage."""
    with pytest.raises(ValueError, match="settles_at must be a number from 0 to 1"):
        Faults(settles_at=share)
