"""Signs that the service is not at the address of a request: a missing ``/v1``, or the address of a web page.

They prove nothing about a submission: a gateway may answer so after the service has made the task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...i18n import N_, tr
from ..contract.models import models_of
from ..contract.terms import TERMS, contract_at
from ..contract.urls import without_query

__all__ = ["address_advice", "is_of_a_framework", "may_be_elsewhere", "names_the_path"]

#: Statuses with which frameworks answer for a path or a method that they do not have.
_OF_A_PATH = (404, 405, 501)
_PHRASES = ("not found", "method not allowed", "not implemented")
_NO_SUCH_PATH = re.compile(
    r"invalid url|no (?:such |matching )?(?:route|endpoint)|unknown (?:url|route|endpoint|path)",
    re.IGNORECASE,
)
#: Members that an answer about a request or a task has, in any form.
_OF_AN_ANSWER = ("code", "data", "error", "output", "result", "status", "success", "task", "task_id")
_ADVICE = N_(
    "The service does not seem to be at {url}: check base_url, which should look like {first} or {second}."
)


def is_of_a_framework(status: int, body: Mapping[str, Any] | None) -> bool:
    """Return whether an error is about the path and not in the service's format, so not the service's own."""
    error = (body or {}).get("error")
    return status in _OF_A_PATH and (error is None or (isinstance(error, str) and error.lower() in _PHRASES))


def names_the_path(status: int, message: str) -> bool:
    """Return whether a server says that it has no such path: one without tasks made none."""
    return status in _OF_A_PATH and _NO_SUCH_PATH.search(message) is not None


def may_be_elsewhere(
    url: str, status: int, content: bytes, body: Mapping[str, Any] | None, fields: Mapping[str, Any]
) -> bool:
    """Return whether the service is probably not at the address that gave this answer.

    Args:
        url: the URL of the request; at a documented address, a gateway in front of the service answered.
        status: the HTTP status.
        content: the bytes of the answer.
        body: the JSON object in it, ``None`` if there is none.
        fields: the fields of the error in it.
    """
    if contract_at(url) is not None and urlsplit(url).path.startswith("/v1/"):
        return False
    if status in _OF_A_PATH:
        is_unnamed = is_of_a_framework(status, body) and "code" not in fields
        return is_unnamed or names_the_path(status, str(fields.get("message", "")))
    if not 200 <= status < 300:
        return False
    if body is None:
        return content.lstrip()[:1] not in (b"", b"{", b"[")  # a page, and not JSON that was cut
    return not any(name in body for name in _OF_AN_ANSWER)


def address_advice(url: str) -> str:
    """Return the sentence that points at the address of the connection.

    Args:
        url: the URL of the request.
    """
    first, second = (models_of(name).base_url for name in TERMS)
    return tr(_ADVICE).format(url=without_query(url), first=first, second=second)
