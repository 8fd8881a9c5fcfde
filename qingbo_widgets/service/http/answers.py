"""Conversion of an HTTP answer to the service's JSON, or to an error that names the next step."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from ...exceptions import (
    AuthenticationFailed,
    BadRequest,
    InsufficientBalance,
    RateLimited,
    ServerFault,
    ServiceError,
    TaskNotFound,
)
from ...i18n import N_, sentences, tr
from ...system.times import local_time
from ..contract.busy import is_busy
from ..contract.envelope import TASK_IDS, find_task, layers_of
from ..contract.error_codes import WINDOW_EXCEEDED, explanation, is_about_the_key, is_refusal
from ..contract.reasons import reason_of
from ..contract.results import is_large
from ..contract.terms import DASHBOARD, KEYS_PAGE
from ..contract.text import plain_line, shorten
from ..contract.times import read_time
from ..contract.urls import redirect_target, without_queries, without_query
from ..secrets.secret import Secret
from .wrong_address import address_advice, is_of_a_framework, may_be_elsewhere

__all__ = [
    "KEY_REFUSED",
    "LONGEST_ANSWER",
    "UNCLEAR",
    "Answer",
    "JsonAnswer",
    "error_in",
    "excerpt",
    "json_in",
    "retry_after",
]

#: Bytes. An answer about a task has a few thousand, apart from a video in it.
LONGEST_ANSWER = 256 * 1024
_LONGEST_EXCERPT = 300
#: The type of every error of a request, which says nothing about the reason.
_GENERIC_TYPE = "invalid_request_error"
_LONGEST_WAIT = 3600.0
_MOST_READ = 65536
#: Characters. A key with every letter escaped is shorter.
_LONGEST_ESCAPED_KEY = 2000

_CLASSES: dict[int, type[ServiceError]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    402: InsufficientBalance,
    404: TaskNotFound,
    422: BadRequest,
    429: RateLimited,
}
#: Errors whose status alone is clear enough to accept from a gateway.
_CLEAR_BY_STATUS = (AuthenticationFailed, InsufficientBalance, RateLimited)
#: Statuses that look like a refusal but are not: the request timed out at the service, or met its duplicate;
#: or a proxy closed the connection (444), or saw its client close it (460, 499), which is not this program.
UNCLEAR = (408, 409, 444, 460, 499)
#: The last status with which a code is the service's. One above comes from a gateway, which may have sent the
#: request twice, or answers in the place of the service: it proves nothing.
_LAST_OF_THE_SERVICE = 500
_NAMES_A_TASK = N_("But the response names the task {task_id}.")
KEY_REFUSED = N_(
    "The key is wrong, not active, or has used up its quota. Use “Change key” in qw.VideoStudio(), or set "
    "QINGBO_API_KEY and start Jupyter again. Create keys at {page}."
)
#: The documentation has no 403, but restricts a key to models and gives it a quota of its own.
_KEY_FORBIDDEN = N_(
    "The key may not do this: it may be restricted to other models, or its own quota may be used up. See "
    "{page}."
)
_ADVICE: dict[type[ServiceError], str] = {
    AuthenticationFailed: KEY_REFUSED,
    InsufficientBalance: N_("Top up in the service's dashboard, {page}."),
    TaskNotFound: N_(
        "The id is wrong, the task belongs to another key, or base_url is not the service's address."
    ),
}


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer.

    Attributes:
        status: the HTTP status.
        headers: the headers; the mapping ignores case.
        body: the body's bytes.
        url: the URL that was requested.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)  # headers and body may echo the key
    body: bytes = field(repr=False)
    url: str


@dataclass(frozen=True)
class JsonAnswer(Answer):
    """An answer with a JSON object.

    Attributes:
        content: the object, in which the key is hidden.
    """

    content: dict[str, Any] = field(repr=False)


def json_in(answer: Answer, secret: Secret) -> dict[str, Any] | None:
    """Return the JSON object in an answer, or ``None`` if there is none.

    The key is hidden in it: an echoed key must reach neither a notebook nor, in a link, another server. Only
    a video in base64 may be long, because looking for the key among the escapes of a text takes time.
    """
    try:
        body = json.loads(answer.body)
        if len(answer.body) > LONGEST_ANSWER and is_large(body, LONGEST_ANSWER):
            return None
        body = secret.hide_in_all(body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def error_in(
    answer: Answer,
    secret: Secret,
    refused: str = "",
    unclear: str = "",
    *,
    is_submission: bool = False,
    reason: str = "",
) -> ServiceError:
    """Return the error for an unsuccessful answer.

    Args:
        answer: any answer with a status outside 2xx, without a JSON object, or with one about no task.
        secret: the key, which an answer may echo and an error must not.
        refused: the hint for a request that the service rejected.
        unclear: the hint for a request that the service may or may not have carried out.
        is_submission: whether the request would have made a task; only then was nothing charged if it was
            refused, because a task that exists may have been charged already.
        reason: what is wrong with an answer that reports no error.
    """
    status = answer.status
    if 300 <= status < 400:
        return _redirected(answer, secret, unclear)
    body = answer.content if isinstance(answer, JsonAnswer) else json_in(answer, secret)
    fields = reason_of(*layers_of(body)) if body is not None else {}
    code, param = _code(fields, secret), excerpt(fields.get("param"), secret) or None
    kind, meaning = _class_of(status, body, fields, code, is_submission=is_submission), explanation(code)
    if is_refusal(code) and kind is not BadRequest:
        meaning = ()  # it says that there is no task, which this answer does not prove
    message = _message(answer, secret, fields, reason, is_service=kind is not ServerFault)
    if kind is ServerFault and may_be_elsewhere(answer.url, status, answer.body, body, fields):
        unclear = sentences(address_advice(answer.url), unclear)
    task_id = _task_in(status, body, fields) if is_submission else ""
    if task_id:
        kind, meaning = ServerFault, ()  # a refusal has no task, whatever else the answer says
        unclear = sentences(tr(_NAMES_A_TASK).format(task_id=task_id), unclear)
    wait, reset_at, advice = retry_after(answer.headers), None, ""
    if kind is RateLimited and code == WINDOW_EXCEEDED:
        reset_at = read_time({**(body or {}), **fields}.get("reset_at"))
        now = _date(answer.headers.get("Date", "")) or datetime.now(UTC)
        wait = max(0.0, (reset_at - now).total_seconds()) if reset_at else wait
        advice = _end_of_window(reset_at)
        hint = sentences(advice, tr("Nothing was charged.") if is_submission else "")
    elif kind is RateLimited:
        hint = advice = (
            tr("Try again in a minute.")
            if wait is None
            else tr("Try again in {seconds:.0f} s.").format(seconds=wait)
        )
    elif kind is ServerFault or status in UNCLEAR:
        hint = unclear
    else:
        is_forbidden = kind is ServiceError and status == HTTPStatus.FORBIDDEN
        text = _KEY_FORBIDDEN if is_forbidden else _ADVICE.get(kind, "")
        page = DASHBOARD if kind is InsufficientBalance else KEYS_PAGE
        advice = tr(text).format(page=page) if text else ""
        hint = advice or refused
        if is_submission and (kind is AuthenticationFailed or is_forbidden):
            hint = sentences(advice, tr("Nothing was charged."))
        if is_submission and kind is InsufficientBalance:
            hint = tr("Nothing was charged. Top up in the service's dashboard, {page}, then submit again.")
            hint = hint.format(page=page)
    error = kind(message, status=status, code=code, param=param, hint=sentences(*meaning, hint))
    error.retry_after, error.advice = wait, advice
    if isinstance(error, RateLimited):
        error.reset_at = reset_at
    if isinstance(error, ServerFault):
        error.task_id = task_id
    return error


def _redirected(answer: Answer, secret: Secret, unclear: str) -> ServerFault:
    target = without_query(redirect_target(answer.url, answer.headers.get("Location", "")))
    text = tr("it redirects to {url}, but the key is not sent to another address.")
    hint = f"{tr('Check base_url.')} {unclear}".strip()
    return ServerFault(text.format(url=excerpt(target, secret)), status=answer.status, hint=hint)


def _class_of(
    status: int,
    body: Mapping[str, Any] | None,
    fields: Mapping[str, Any],
    code: str | None,
    *,
    is_submission: bool,
) -> type[ServiceError]:
    """Return the class of an error; ``ServerFault`` if it says nothing about the task or the request."""
    kind = ServerFault if status >= 500 else _CLASSES.get(status, ServiceError)
    if kind in _CLEAR_BY_STATUS:
        return kind
    if status <= _LAST_OF_THE_SERVICE and status not in UNCLEAR:
        # A submission is sent again after it without the user, so the answer must not be a fault.
        if is_busy(code) and (status < 500 or not is_submission):
            return RateLimited
        if is_submission and is_refusal(code):
            return BadRequest
    if 200 <= status < 300:
        # About a task that exists, a refused key ends nothing; about a submission, it may be a gateway's own
        # key that was refused, and the gateway may charge all the same.
        return AuthenticationFailed if is_about_the_key(code) and not is_submission else ServerFault
    is_gateway = not fields or is_of_a_framework(status, body)
    return ServerFault if is_gateway else kind


def _message(
    answer: Answer, secret: Secret, fields: Mapping[str, Any], reason: str, *, is_service: bool
) -> str:
    """Return the message of an error: the service's own, or else the beginning of the answer."""
    message = excerpt(fields.get("message"), secret)
    if message or (fields and not reason):
        return message or excerpt(answer.body, secret) or tr("no explanation")
    text = excerpt(answer.body, secret).removeprefix(f"{answer.status} ") or tr("no explanation")
    if reason:
        return tr("{reason}: {message}").format(reason=reason, message=text)
    return (
        text
        if is_service
        else tr("the response is not from the service itself: {message}").format(message=text)
    )


def _task_in(status: int, body: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> str:
    """Return the id of the task that an answer, or the error in it, is about; empty if there is none."""
    named = {name: fields.get(name) for name in TASK_IDS}  # the error's own "id" is no task's
    found = find_task(body, is_error=status >= 400) if body is not None else None
    found = found or find_task(named)
    return "" if found is None else found[0]


def _end_of_window(reset_at: datetime | None) -> str:
    if reset_at is None:
        text = tr("The service does not say when the limit ends: see its dashboard, {page}.")
        return text.format(page=DASHBOARD)
    return tr("The limit ends at {when}: try again then.").format(when=local_time(reset_at, seconds=True))


def _code(fields: Mapping[str, Any], secret: Secret) -> str | None:
    """Return the code of an error. It may be a number; the type replaces a missing one if it is specific."""
    kind = excerpt(fields.get("type"), secret)
    return excerpt(fields.get("code"), secret) or (kind if kind != _GENERIC_TYPE else "") or None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the ``Retry-After`` in seconds, 0 to 3600, or ``None`` if it is missing or unreadable.

    A date is relative to the answer's own ``Date``, because the server's clock may be hours off.
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _date(value)
        if moment is None:
            return None
        seconds = (moment - (_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    if seconds != seconds:  # NaN
        return None
    return min(_LONGEST_WAIT, max(0.0, seconds))


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    # "-0000" in a header is UTC from a machine that does not state its time zone.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _words_of(page: str, left_out: str) -> str:
    """Return the text of a web page without the content of some elements."""
    page = re.sub(rf"(?is)<({left_out})\b.*?(?:</\1\s*>|$)", " ", page)
    return html.unescape(re.sub(r"<[^<>]*>", " ", page)).strip()


def excerpt(value: object, secret: Secret) -> str:
    """Return one bounded line of plain text from a message, a number, or the bytes of a web page."""
    if isinstance(value, bytes):
        # Web pages are long: this is enough to find the first words after the styles.
        text = secret.hide_in(value[:_MOST_READ].decode("utf-8", "replace"))
        value = text[:-_LONGEST_ESCAPED_KEY] if len(value) > _MOST_READ else text  # the cut may split the key
        value = _words_of(value, "script|style|title") or _words_of(value, "script|style")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return shorten(without_queries(secret.hide_in(plain_line(value))), _LONGEST_EXCERPT)
