"""``Refusal``: a request that is answered with an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A request that is answered with the service's error body.

    Args:
        status: the HTTP status.
        code: the code of the error; a contract that documents none leaves it out.
        message: a sentence for the sender.
        param: the path in the body; empty for none.
        retry_after: seconds of the header ``Retry-After``; 0 for none.
        details: further fields of the error.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str = "",
        retry_after: int = 0,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.headers = {"Retry-After": str(retry_after)} if retry_after else None
        self.details = details or {}
