"""``envelope``: the task in a response that is wrapped, and the answers that are about no task."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.exceptions import ServerFault
from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.envelope import find_task
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.service.http.answers import Answer, error_in
from qingbo_widgets.service.secrets.secret import Secret

NUMBER = 842250903629086786


def id_in(body: dict[str, Any], asked: str = "") -> str:
    """Return the id of the task that a response is about; empty if there is none."""
    found = find_task(body, asked)
    return "" if found is None else found[0]


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": "t1"},
        {"task_id": "t1", "id": "req-1"},
        {"code": 0, "message": "SUCCEED", "data": {"task_id": "t1"}},
        {"code": "success", "data": [{"task_id": "t1"}]},
        {"output": {"task_id": "t1", "task_status": "PENDING"}, "request_id": "r"},
        {"success": True, "data": {"task": {"task_id": "t1"}}},
        {"id": "t1"},
        {"id": "t1", "message": "Task submitted"},
        {"id": "t1", "object": "video", "status": "queued"},
        {"id": "req-1", "status": "success", "data": {"id": "t1", "status": "queued"}},
        {"id": "t1", "status": "completed", "output": {"url": "https://a.example/v.mp4"}},
    ],
)
def test_the_id_of_a_submitted_task(body: dict[str, Any]) -> None:
    """The id is found in the documented place first, then in the objects of a gateway."""
    assert id_in(body) == "t1"


def test_an_id_that_is_a_number() -> None:
    """A number with more digits than a float keeps all of them."""
    assert id_in({"task_id": NUMBER}) == id_in({"data": {"id": NUMBER}}) == str(NUMBER)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"task_id": None},
        {"task_id": ""},
        {"task_id": False},
        {"task_id": 0},
        {"task_id": 1.5},
        {"task_id": "null", "error": {"message": "no"}},
        {"task_id": "None", "code": 1102},
        {"task_id": ["t1"]},
        {"code": 1102, "message": "Account balance not enough", "id": "req-1"},
        {"error": {"message": "no"}, "id": "req-1"},
        {"success": False, "id": "req-1"},
        {"status": "error", "id": "req-1", "message": "no"},
        {"base_resp": {"status_code": 1026}, "task_id": "", "id": "req-1"},
        {"data": "t1"},
    ],
)
def test_an_answer_about_no_task(body: dict[str, Any]) -> None:
    """The id of a request that was refused is not that of a task."""
    assert id_in(body) == ""


@pytest.mark.parametrize(
    "body",
    [
        {"status": "processing", "progress": 40},
        {"status": "queued"},
        {"data": {"status": "completed", "result": {}}},
        {"status": "SUCCESS", "progress": "100%"},
        {"status": "failed", "progress": 100, "error": {"message": "no"}},
        {"id": "asked", "status": "failed", "error": {"message": "no"}},
        {"id": "asked"},
    ],
)
def test_an_answer_without_an_id_is_about_the_task_that_was_asked_for(body: dict[str, Any]) -> None:
    """The request was about one task, so a state without an id is its state."""
    assert id_in(body, "asked") == "asked"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "channel is switched off", "code": "channel_error"}},
        {"code": 1004, "message": "token has expired"},
        {"status": "error", "message": "unauthorized"},
        {"status": "failed", "message": "upstream"},
        {"status": "error", "error": {"message": "busy"}, "created_at": 1775285160, "model": "kling-v3"},
        {"status": "ok"},
        {"status": "failed", "progress": 0, "error": "gateway timeout"},
        {"status": "error", "progress": 0, "cost": 0, "error": {"message": "busy"}},
        {"status": "success", "data": None},
        {"message": "welcome"},
    ],
)
def test_an_answer_about_the_request_ends_no_task(body: dict[str, Any]) -> None:
    """An error without an id is about the request; the task is followed on."""
    assert id_in(body, "asked") == ""


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": "other", "status": "completed"},
        {"id": "other", "status": "completed"},
        {"data": {"task_id": "other", "status": "completed"}},
        {"task_id": "other", "data": {"task_id": "asked", "status": "completed"}},
        {"id": "other"},
    ],
)
def test_the_id_of_another_task_stays_that_of_another(body: dict[str, Any]) -> None:
    """An answer with another id is never taken for one about the task that was asked for."""
    assert id_in(body, "asked") == "other"


@pytest.mark.parametrize(
    "body",
    [
        {"id": "asked", "status": "processing", "data": {"task_id": "upstream", "status": "completed"}},
        {
            "data": {
                "id": "asked",
                "status": "processing",
                "data": {"task_id": "upstream", "status": "failed"},
            }
        },
        {"data": [{"task_id": "other", "status": "failed"}, {"task_id": "asked", "status": "processing"}]},
        {"data": [{"id": "other", "status": "failed"}, {"id": "asked", "status": "processing"}]},
        {"id": "asked", "status": "failed", "data": {"task_id": "asked", "status": "processing"}},
    ],
    ids=str,
)
def test_the_task_that_was_asked_for_among_others(body: dict[str, Any]) -> None:
    """The object with the requested id counts, not the one of the service behind, or of another task."""
    snapshot = CONTRACTS["2026-04"].decode(body, "asked")
    assert (snapshot.task_id, snapshot.status) == ("asked", TaskStatus.processing)


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_the_task_of_a_gateway(name: str) -> None:
    """Status, progress, times, cost and result are read in the object of the task, or the one inside it."""
    link = "https://a.example/v.mp4"
    task = {
        "task_id": "t1",
        "task_status": "succeed",
        "progress": "100%",
        "submit_time": 1775285160,
        "finish_time": 1775285260,
        "cost": 5,
        "task_result": {"videos": [{"id": "v", "url": link}]},
    }
    snapshot = CONTRACTS[name].decode({"code": 0, "message": "SUCCEED", "status": "error", "data": task})
    assert (snapshot.status, snapshot.progress, snapshot.cost) == (TaskStatus.completed, 100, 5)
    assert snapshot.created_at is not None
    assert snapshot.completed_at is not None
    assert [video.url for video in snapshot.videos] == [link]


members = st.sampled_from(
    (
        *("url", "videos", "data", "task", "output", "result", "id", "task_id", "status", "error", "errors"),
        *("detail", "message", "code", "base_resp", "success", "b64_json", "video_url", "progress", "loc"),
    )
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(("https://a.example/v.mp4", "data:video/mp4;base64,AA", "completed", "failed")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.slow
@given(st.dictionaries(members, values, max_size=6), st.sampled_from(("", "asked")))
def test_no_answer_of_a_gateway_breaks_the_readers(body: dict[str, Any], asked: str) -> None:
    """Any response has a task or none, and an error that can be shown."""
    if (found := find_task(body, asked)) is not None:
        snapshot = CONTRACTS["2026-04"].decode(body, asked)
        assert snapshot.task_id == found[0]
        assert 0 <= snapshot.progress <= 100
        assert all(video.url.startswith("http") or video.content for video in snapshot.videos)
    for status in (200, 400, 404, 500, 520):
        answer = Answer(status, {}, json.dumps(body).encode(), "https://relay.example/v1/tasks")
        error = error_in(answer, Secret("sk-sentinel"), "REFUSED", "UNCLEAR", is_submission=True)
        assert isinstance(error, ServerFault) or found is None or find_task(body, is_error=True) is None


def test_the_status_of_an_envelope_is_not_the_tasks() -> None:
    """A request that succeeded is not a task that is completed."""
    contract = CONTRACTS["2026-04"]
    for body in (
        {"status": "success", "data": {"task_id": "t1"}},
        {"status": "success", "data": {"task_id": "t1", "status": "queued"}},
        {"status": "success", "task_id": "t1", "data": {"status": "queued"}},
    ):
        assert contract.decode(body).status is TaskStatus.queued, body
