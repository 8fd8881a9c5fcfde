"""Tests of the errors that unsuccessful answers become: class, message and next step."""

from __future__ import annotations

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import process_time

import pytest
from requests.structures import CaseInsensitiveDict

from qingbo_widgets.exceptions import (
    AuthenticationFailed,
    BadRequest,
    InsufficientBalance,
    RateLimited,
    ServerFault,
    ServiceError,
    TaskNotFound,
)
from qingbo_widgets.service.http.answers import Answer, error_in, excerpt, json_in, retry_after
from qingbo_widgets.service.secrets.secret import Secret
from qingbo_widgets.system.times import local_time

KEY = Secret("sk-sentinel")


def answered(status: int, body: object = b"", **headers: str) -> Answer:
    """Return an answer; a body other than bytes is encoded as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, CaseInsensitiveDict(headers), content, "https://qingbo.dev/v1/tasks")


@pytest.mark.parametrize(
    ("status", "kind", "next_step"),
    [
        (400, BadRequest, "REFUSED"),
        (422, BadRequest, "REFUSED"),
        (401, AuthenticationFailed, "QINGBO_API_KEY"),
        (402, InsufficientBalance, "Top up"),
        (404, TaskNotFound, "another key"),
        (429, RateLimited, "Try again in a minute"),
        (500, ServerFault, "UNCLEAR"),
        (503, ServerFault, "UNCLEAR"),
        (409, ServiceError, "UNCLEAR"),
        (418, ServiceError, "REFUSED"),
    ],
)
def test_the_class_and_the_next_step(status: int, kind: type[ServiceError], next_step: str) -> None:
    """An error keeps the service's code, message and parameter, and names the next step."""
    body = {"error": {"message": "no such thing", "code": "odd", "type": "t", "param": "extra"}}
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR")
    assert type(error) is kind
    assert (error.status, error.code, error.message, error.param) == (status, "odd", "no such thing", "extra")
    assert next_step in str(error)


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": "plain"}, "plain", None),
        ({"detail": "plain"}, "plain", None),
        ({"message": "plain"}, "plain", None),
        ({"error": {"message": "plain", "type": "kind"}}, "plain", "kind"),
        ({"error": {"message": "plain", "code": 1303}}, "plain", "1303"),
        ({"error": {"message": ["x"], "code": {}}}, "x", None),
        ({"error": {"code": 1303}}, '{"error": {"code": 1303}}', "1303"),
        ({"errors": ["one", {"message": "two"}]}, "one; two", None),
        ({"detail": [{"loc": ["body", "duration"], "msg": "required"}]}, "duration: required", None),
        ({"detail": {"msg": "plain", "code": "kind"}}, "plain", None),
        ({"code": 1303, "msg": "plain"}, "plain", "1303"),
        ({"base_resp": {"status_code": 1026, "status_msg": "plain"}}, "plain", "1026"),
    ],
)
def test_other_forms_of_an_error(body: object, message: str, code: str | None) -> None:
    """Errors in the formats of gateways are read, too."""
    error = error_in(answered(400, body), KEY)
    assert (error.message, error.code) == (message, code)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 504])
@pytest.mark.parametrize("code", ["odd", "price_not_configured", "quota_window_exceeded", None])
def test_an_answer_with_a_task_is_no_refusal(status: int, code: str | None) -> None:
    """The task of a submission may exist with every status and code, and its id is named."""
    body = {"task_id": "lost-1", "status": "queued", "error": {"message": "m", "code": code}}
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR.", is_submission=True)
    assert isinstance(error, ServerFault)
    assert error.task_id == "lost-1"
    assert str(error).endswith("m. But the response names the task lost-1. UNCLEAR.")


@pytest.mark.parametrize("status", [200, 400, 402, 429])
@pytest.mark.parametrize("name", ["task_id", "taskId"])
def test_a_task_in_the_error_is_no_refusal(status: int, name: str) -> None:
    """A duplicate of a task may be refused with the id of the first one, which was charged."""
    body = {"error": {"message": "a duplicate", "code": "duplicate", name: "first-1"}}
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR.", is_submission=True)
    assert isinstance(error, ServerFault)
    assert (error.task_id, "UNCLEAR" in str(error)) == ("first-1", True)


@pytest.mark.parametrize("task_id", ["", None, 0, True, "a\nb", "x" * 999, ["t"]])
def test_an_answer_without_a_usable_id_stays_a_refusal(task_id: object) -> None:
    """Only text that can be an id counts; and only in the answer to a submission."""
    body = {"task_id": task_id, "error": {"message": "m", "code": "odd"}}
    assert type(error_in(answered(400, body), KEY, "REFUSED", "UNCLEAR", is_submission=True)) is BadRequest
    other = answered(400, body | {"task_id": "task-1"})
    assert type(error_in(other, KEY, "REFUSED", "UNCLEAR")) is BadRequest


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        ({"message": "no", "id": "req-1"}, ""),
        ({"error": {"message": "no"}, "id": "req-1", "status": "failed"}, ""),
        ({"message": "no", "id": "task-1", "status": "queued"}, "task-1"),
        ({"message": "no", "data": {"task_id": 7}}, "7"),
    ],
)
def test_the_id_of_a_refused_request_is_no_task(body: dict[str, object], task_id: str) -> None:
    """The ``id`` of an error is that of the request, unless it is beside the status of a task."""
    error = error_in(answered(400, body), KEY, "REFUSED", "UNCLEAR", is_submission=True)
    assert getattr(error, "task_id", "") == task_id
    assert isinstance(error, BadRequest) == (not task_id)


@pytest.mark.parametrize("status", [444, 460, 499])
def test_a_proxys_word_about_its_client_is_no_refusal(status: int) -> None:
    """The status of a connection that a proxy closed, or saw closed, says nothing about the task."""
    body = {"error": {"message": "closed", "code": "price_not_configured"}}
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR", is_submission=True)
    assert str(error) == f"{status} (price_not_configured): closed. UNCLEAR"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 500])
@pytest.mark.parametrize(
    ("body", "words"), [([1], "[1]"), (b"", "no explanation"), (b"\xff\xfe", "��"), (b"<p>Log in", "Log in")]
)
def test_a_refusal_that_is_not_the_services_own(status: int, body: object, words: str) -> None:
    """An error from a firewall or gateway does not advise the user to correct the request."""
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR")
    assert type(error) is ServerFault
    assert str(error) == f"{status}: the response is not from the service itself: {words}. UNCLEAR"


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationFailed), (402, InsufficientBalance), (429, RateLimited)]
)
def test_a_refusal_that_needs_no_message(status: int, kind: type[ServiceError]) -> None:
    """The status alone determines the class of these errors."""
    assert type(error_in(answered(status), KEY, "REFUSED", "UNCLEAR")) is kind


@pytest.mark.parametrize("is_submission", [True, False])
@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "concurrency_limit"}},
        {"error": {"message": "slow down", "type": "rate_limit_error"}},
        {"code": 1303, "message": "parallel task over resource pack limit", "request_id": "r-1"},
        {"code": "1302", "message": "rate"},
        {"code": 429, "message": "Too Many Requests"},
        {"error": {"message": "并发任务数已达上限", "code": "ConcurrentLimitExceeded"}},
        {"error": {"message": "wait", "code": "too_many_requests"}},
        {"error": {"message": "wait", "code": "Throttling.RateQuota"}},
    ],
)
def test_a_full_account_in_an_answer_with_another_status(
    status: int, body: object, *, is_submission: bool
) -> None:
    """The code says that the account has no place now; the next try is made when it has one."""
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR", is_submission=is_submission)
    if is_submission and status == 500:
        assert type(error) is ServerFault, (
            "a fault may have made a task, and would be submitted a second time"
        )
        return
    assert type(error) is RateLimited
    assert "Try again in a minute." in str(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": {"code": "concurrency_limit"}}),
        (409, {"error": {"code": "rate_limit"}}),
        (200, {"error": {"code": "upstream_rate_limited"}}),
        (200, {"error": {"code": "concurrency_limit"}, "task_id": "task-1"}),
        (400, {"error": {"message": "no", "code": "too_many_images"}}),
    ],
)
def test_an_answer_that_proves_no_full_account(status: int, body: object) -> None:
    """It may be a gateway's own fault, about a task that exists all the same, or about another limit."""
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR", is_submission=True)
    assert not isinstance(error, RateLimited)


def test_a_page_of_html_becomes_a_line() -> None:
    """An HTML page becomes one bounded line, without tags, styles and scripts, and says nothing twice."""
    page = (
        b"<html><title>502 Bad Gateway</title><style>b{}</style><h1>502 Bad\nGateway</h1>"
        b"<script>x()</script>&lt;nginx&gt;" + b"<p>z" * 9999
    )
    error = error_in(answered(502, page), KEY)
    assert error.message.startswith("the response is not from the service itself: Bad Gateway <nginx> z z")
    assert len(str(error)) < 400


def test_a_page_without_text_is_quoted_by_its_title() -> None:
    """The title is left out only where the page itself says something: an empty application does not."""
    page = b"<title>New API</title><div id=root></div><script>start()</script>"
    assert excerpt(page, KEY) == "New API"


@pytest.mark.timeout(30)  # a pattern with catastrophic backtracking needs hours
@pytest.mark.parametrize("page", [b"<" * 65536, b"<!--" * 16384, b"<script>" * 8192, b"&" * 65536])
def test_a_hostile_page_costs_no_time(page: bytes) -> None:
    """No pattern backtracks for long on a hostile page."""
    assert len(excerpt(page, KEY)) <= 300


def test_the_key_is_taken_out_of_whatever_comes_back() -> None:
    """An echoed key does not appear in an error, not even a part of it."""
    echo = "x" * 290 + "sk-sentinel"
    body = {"error": {"message": echo, "code": "sk-sentinel", "param": "sk-sentinel"}}
    error = error_in(answered(401, body), KEY)
    assert "sk-sent" not in f"{error} {vars(error)}"
    redirected = error_in(answered(302, Location="https://b.example/sk-sentinel?sk-sentinel"), KEY)
    assert "sk-sent" not in str(redirected)


def test_a_redirect_says_where_it_pointed() -> None:
    """The error for a redirect names its target without the query, which may be a signature."""
    error = error_in(answered(307, Location="//login.example/a?token=1"), KEY)
    assert type(error) is ServerFault
    assert "https://login.example/a," in str(error)
    assert "token" not in str(error)


def test_two_hundred_without_json_is_no_answer_of_the_service() -> None:
    """A captive portal's page with status 200 is a ``ServerFault``."""
    assert type(error_in(answered(200, b"<h1>Welcome to the Wi-Fi</h1>"), KEY)) is ServerFault


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("-3", 0),
        ("99999", 3600),
        ("inf", 3600),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """``Retry-After`` may be seconds or a date, and is limited to 0 to 3600 s."""
    assert retry_after({} if value is None else {"Retry-After": value}) == seconds


def test_retry_after_a_date_to_come() -> None:
    """A date becomes the seconds until then, also on the error."""
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = error_in(answered(429, b"", **{"Retry-After": header}), KEY)
    assert isinstance(error, RateLimited)
    assert error.retry_after == pytest.approx(90, abs=2)
    assert "Try again in" in str(error)


def test_retry_after_by_a_clock_that_is_hours_off() -> None:
    """A date is relative to the server's clock: a wrong clock causes neither no pause nor one of 3 hours."""
    theirs = datetime.now(UTC) + timedelta(hours=3)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=20), usegmt=True),
    }
    assert error_in(answered(503, b"", **headers), KEY).retry_after == pytest.approx(20, abs=1)


RESET = datetime(2026, 11, 29, 18, 30, tzinfo=UTC)
HOURS = 5


@pytest.mark.parametrize(
    "reset_at", [RESET.timestamp(), int(RESET.timestamp() * 1000), RESET.isoformat(), "2026-11-29T18:30:00Z"]
)
@pytest.mark.parametrize("is_inside", [True, False])
def test_the_end_of_a_spending_limit(reset_at: object, is_inside: bool) -> None:
    """The end of the account's limit is read in every form; the wait is not shortened, the text has it."""
    inside = {"message": "used up", "code": "quota_window_exceeded", "window": "5h", "cap": 1, "used": 1}
    body = (
        {"error": inside | {"reset_at": reset_at}} if is_inside else {"error": inside, "reset_at": reset_at}
    )
    sent_at = format_datetime(RESET - timedelta(hours=HOURS), usegmt=True)
    limited = answered(429, body, **{"Date": sent_at, "Retry-After": "2"})
    error = error_in(limited, KEY, "REFUSED", "UNCLEAR", is_submission=True)
    assert isinstance(error, RateLimited)
    assert (error.reset_at, error.retry_after) == (RESET, HOURS * 3600)
    assert f"The limit ends at {local_time(RESET, seconds=True)}: try again then." in str(error)
    assert "Nothing was charged." in str(error)


def test_a_spending_limit_without_an_end() -> None:
    """Without its end, the text refers to the dashboard and names no second in which to try again."""
    body = {"error": {"message": "used up", "code": "quota_window_exceeded", "reset_at": "tomorrow"}}
    error = error_in(answered(429, body), KEY)
    assert isinstance(error, RateLimited)
    assert (error.reset_at, error.retry_after) == (None, None)
    assert "does not say when the limit ends" in str(error)
    assert "minute" not in str(error)


@pytest.mark.parametrize(
    ("status", "code", "kind", "text"),
    [
        (400, "capability_violation", BadRequest, "The model does not accept this parameter"),
        (400, "input_video_duration_unknown", BadRequest, "cannot read the length of the input video"),
        (400, "task_not_cancellable", BadRequest, "already making this video"),
        (500, "price_not_configured", BadRequest, "no price for this model"),
    ],
)
def test_a_known_code_is_explained(status: int, code: str, kind: type[ServiceError], text: str) -> None:
    """A documented code adds its meaning to the service's message, and no price means no task."""
    body = {"error": {"message": "没有", "code": code, "param": "video_urls"}}
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR", is_submission=True)
    assert type(error) is kind
    assert (error.status, error.code, error.param) == (status, code, "video_urls")
    assert str(error).startswith(f"{status} ({code}): 没有 [video_urls]. The ")
    assert text in str(error)
    assert str(error).endswith("REFUSED")


@pytest.mark.parametrize(
    ("status", "code"), [(401, None), (402, None), (429, "quota_window_exceeded"), (400, "odd"), (404, "odd")]
)
def test_only_a_refused_submission_was_certainly_not_charged(status: int, code: str | None) -> None:
    """A refused cancel or status request says nothing about the cost of the task, which exists."""
    answer = answered(status, {"error": {"message": "no", "code": code}})
    assert "othing was charged" not in str(error_in(answer, KEY, "REFUSED", "UNCLEAR"))
    if code != "odd":
        assert "Nothing was charged." in str(error_in(answer, KEY, "REFUSED", "UNCLEAR", is_submission=True))


@pytest.mark.parametrize(
    ("status", "is_submission"), [(409, True), (502, True), (504, True), (500, False), (502, False)]
)
def test_a_missing_price_proves_nothing_elsewhere(status: int, is_submission: bool) -> None:
    """From a gateway, or about another request, the code does not prove that there is no task."""
    body = {"error": {"message": "no price", "code": "price_not_configured"}}
    error = error_in(answered(status, body), KEY, "REFUSED", "UNCLEAR", is_submission=is_submission)
    assert not isinstance(error, BadRequest)
    assert str(error) == f"{status} (price_not_configured): no price. UNCLEAR"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "bad key", "type": "invalid_request_error"}},
        {"success": False, "message": "bad key"},
        {"success": False, "error": "bad key"},
    ],
)
def test_a_rejected_key_without_a_code(body: object) -> None:
    """A 401 without a code has none, and its message is read in every form."""
    error = error_in(answered(401, body), KEY, "REFUSED", "UNCLEAR")
    assert type(error) is AuthenticationFailed
    assert (error.code, error.message) == (None, "bad key")
    assert str(error).startswith("401: bad key. The key is wrong")


def test_the_key_does_not_come_back_in_an_answer_either() -> None:
    """An echoed key appears neither in a message for a card nor in a link to another server."""
    echo = {"status": "sk-sentinel", "result": {"videos": [{"url": "https://b.example/?k=sk-sentinel"}]}}
    assert "sk-sentinel" not in str(json_in(answered(200, echo), KEY))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_no_json_object(body: bytes) -> None:
    """A body that is no JSON object gives ``None``."""
    assert json_in(answered(200, body), KEY) is None


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": "t1", "error": {"message": "&" * 10**7}},
        {"task_id": "t1", "data": ["%41"] * 10**6},
        {"task_id": "t1", "data": "A \n" * 10**6},
        {"&" * 10**6: 1},
    ],
    ids=["entities", "list", "lines", "name"],
)
def test_a_long_answer_does_not_occupy_the_kernel(body: dict[str, object]) -> None:
    """The key is not searched for in megabytes of escapes, which would take minutes and gigabytes."""
    answer = answered(200, body)
    began = process_time()
    assert json_in(answer, KEY) is None
    assert "200" in str(error_in(answer, KEY, reason="it is no task"))
    assert process_time() - began < 5


@pytest.mark.parametrize("prefix", ["", "data:video/mp4;base64,"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, encodebytes])
def test_a_video_in_an_answer_may_be_long(prefix: str, encode: Callable[[bytes], bytes]) -> None:
    """A video in base64 is read whatever its length and its line ends."""
    text = prefix + encode(bytes(range(256)) * 2000).decode()
    assert json_in(answered(200, {"data": {"url": text}}), KEY) == {"data": {"url": text}}
