"""Codes that say that the account has as many tasks or requests as it may have at the moment.

The service answers 429 then. Kling itself, and gateways in front, also put such a code into an answer with
another status. The codes are not documented by the service, so their words decide.
"""

from __future__ import annotations

import re

__all__ = ["is_busy"]

#: Not a code about the provider behind the service: such a task exists. 1302 and 1303 are Kling's (its
#: documentation, "Error codes").
_CODES = re.compile(
    r"(?!upstream).*(?:concurren|parallel|rate.?limit|too.?many.?(?:request|task|job)|throttl).*|429|1302|1303",
    re.IGNORECASE,
)


def is_busy(code: str | None) -> bool:
    """Return whether a code says that there is no place for another task or request now."""
    return _CODES.fullmatch(code or "") is not None
