"""``reasons``: the error in a response of the service, of a gateway or of a framework."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.reasons import reason_of, refuses

REFUSALS: list[tuple[dict[str, Any], str, Any]] = [
    ({"error": {"message": "no", "code": "odd"}}, "no", "odd"),
    ({"error": "no", "code": 7}, "no", 7),
    ({"error": ["no", {"msg": "never"}]}, "no; never", None),
    ({"error": {"detail": "no"}}, "no", None),
    ({"error": {"code": 1303}}, "", 1303),
    ({"errors": [{"message": "no"}]}, "no", None),
    ({"errors": {"message": "no", "code": "odd"}}, "no", "odd"),
    ({"code": 1102, "message": "no"}, "no", 1102),
    ({"code": "1102", "msg": "no", "data": None}, "no", "1102"),
    ({"success": False, "msg": "审核未通过"}, "审核未通过", None),
    ({"success": False, "message": "success"}, "", None),
    ({"base_resp": {"status_code": 1026, "status_msg": "risk control"}, "task_id": ""}, "risk control", 1026),
    ({"code": 5, "detail": [{"loc": ["body", "extra", "mode"], "msg": "no"}]}, "extra.mode: no", 5),
    ({"fail_reason": "no"}, "no", None),
    ({"failure_reason": "no", "failureCode": "odd"}, "no", "odd"),
    ({"error_code": 9, "error_msg": "no"}, "no", 9),
]
SUCCESSES: list[dict[str, Any]] = [
    {},
    {"code": 0, "message": "SUCCEED"},
    {"code": 200, "msg": "操作成功"},
    {"code": "success", "message": ""},
    {"error": None, "errors": []},
    {"error": ""},
    {"error": {}},
    {"error": {"code": 0, "message": "ok"}},
    {"base_resp": {"status_code": 0, "status_msg": "success"}},
    {"fail_reason": "", "task_status_msg": "成功"},
    {"success": True, "message": "ok"},
]


@pytest.mark.parametrize(("body", "message", "code"), REFUSALS)
def test_a_refusal_is_read(body: dict[str, Any], message: str, code: Any) -> None:
    """Message and code are found in every form."""
    fields = reason_of(body)
    assert (fields.get("message"), fields.get("code")) == (message, code)
    assert refuses(body)


@pytest.mark.parametrize("body", SUCCESSES, ids=str)
def test_a_success_is_no_refusal(body: dict[str, Any]) -> None:
    """The code and the message of a success are no error."""
    assert reason_of(body) == {}
    assert not refuses(body)


@pytest.mark.parametrize("body", [{"message": "Task submitted"}, {"detail": "see the docs"}], ids=str)
def test_a_message_alone_refuses_nothing(body: dict[str, Any]) -> None:
    """A message is shown, but proves no refusal."""
    assert reason_of(body)["message"] in body.values()
    assert not refuses(body)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"fail_reason": "the pond is dry"}, "the pond is dry"),
        ({"task_status_msg": "the pond is dry"}, "the pond is dry"),
        ({"message": "the pond is dry", "code": 1301}, "the pond is dry (1301)"),
        ({"data": {"error": {"message": "the pond is dry", "code": "dry"}}}, "the pond is dry (dry)"),
        ({"detail": "the pond is dry"}, "the pond is dry"),
    ],
)
def test_the_reason_of_a_failed_task(fields: dict[str, Any], text: str) -> None:
    """The reason of a failed task is found in every form."""
    snapshot = CONTRACTS["2026-04"].decode({"task_id": "t1", "status": "failed", **fields})
    assert snapshot.error is not None
    assert snapshot.error.text == text
