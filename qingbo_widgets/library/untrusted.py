"""Sanitising of JSON from untrusted sources, so that it can be stored, shown and written again.

JSON allows more than a database, a page or Python's own encoder accepts: unlimited numbers, NaN, half a
surrogate pair, deeply nested lists. A value that cannot be stored becomes ``None`` or a question mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["LARGEST", "fields_of_request", "sanitised"]

#: Maximum bytes of a sidecar, a preset or a draft; a request with six masks needs a twentieth of it.
LARGEST = 2_000_000
#: Maximum nesting of lists and objects; a point of a mask's trajectory is at level seven.
_DEEPEST = 16
_LARGEST_NUMBER = 2**63 - 1


def sanitised(value: object, depth: int = _DEEPEST) -> Any:
    """Return a value from ``json.loads`` without the parts that cannot be stored.

    Args:
        value: any JSON value.
        depth: the maximum nesting of lists and objects to keep.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_NUMBER else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return None
    if isinstance(value, list):
        return [sanitised(item, depth - 1) for item in value]
    if isinstance(value, Mapping):
        return {_text(str(name)): sanitised(item, depth - 1) for name, item in value.items()}
    return None


def fields_of_request(fields: object) -> Mapping[str, Any] | None:
    """Return a request's fields in a form that can be shown; ``None`` if these are not fields.

    Invalid shots are left out. Any other field may still have any value.
    """
    if not isinstance(fields, Mapping):
        return None
    shots = fields.get("shots", ())
    if isinstance(shots, list | tuple) and all(map(_is_shot, shots)):
        return fields
    return {name: value for name, value in fields.items() if name != "shots"}


def _is_shot(value: object) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("prompt"), str):
        return False
    duration = value.get("duration")
    return isinstance(duration, int | float) and not isinstance(duration, bool) and math.isfinite(duration)


def _text(text: str) -> str:
    # No database stores text with a null character or half a surrogate pair.
    return text.replace("\0", "").encode(errors="replace").decode()
