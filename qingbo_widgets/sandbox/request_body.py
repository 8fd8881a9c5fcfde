"""The body of a request: its reading, and its check by the rules of the contract."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.requests import Request

from .contracts.contract import Contract
from .contracts.refusal import Refusal
from .gaps import Gaps

MAX_BODY = 1_000_000
"""Largest body in bytes."""


async def read(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        Refusal: it is too large.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refusal(413, "request_too_large", f"the body is larger than {MAX_BODY} bytes")
    return body


def decoded(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        Refusal: the body is not JSON.
    """
    try:
        value = json.loads(body, parse_constant=_reject_constant)
        json.dumps(value, ensure_ascii=False).encode()  # no answer could quote half of a surrogate pair
        return value
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_json", "the body is not JSON") from None


def check(body: Any, contract: Contract, gaps: Gaps) -> None:
    """Check a submit body by the rules of the contract.

    Raises:
        Refusal: the body breaks a rule; of its first violation, or with the messages of all of them.
    """
    violations = contract.violations(body)
    if not violations:
        return
    first, message = violations[0], violations[0].message
    if gaps.several_errors == "joined":
        message = "; ".join(violation.message for violation in violations)
    raise Refusal(first.status, first.code, message, first.param)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)  # Python reads NaN and Infinity; JSON has neither
