"""JSON that may have come from a stranger, made fit to be kept, shown and written again.

JSON can say more than a database, a page or Python's own encoder takes: numbers without end, NaN, half a
surrogate pair, lists in lists in lists. What cannot be kept becomes ``None`` or a question mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["LARGEST", "fields_of_request", "tidied"]

#: Bytes of a sidecar, a preset or a draft; a request with six masks has a twentieth of it.
LARGEST = 2_000_000
#: Lists and objects inside each other; a point of a mask's trajectory is the seventh.
_DEEPEST = 16
_LARGEST_NUMBER = 2**63 - 1


def tidied(value: object, depth: int = _DEEPEST) -> Any:
    """Return a value out of ``json.loads``, without what cannot be kept.

    Args:
        value: any JSON.
        depth: lists and objects inside each other that are kept.
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
        return [tidied(item, depth - 1) for item in value]
    if isinstance(value, Mapping):
        return {_text(str(name)): tidied(item, depth - 1) for name, item in value.items()}
    return None


def fields_of_request(found: object) -> Mapping[str, Any] | None:
    """Return a request's fields as they can be shown, ``None`` where these are no fields.

    Shots that are none are left out. Any other field may still hold anything.
    """
    if not isinstance(found, Mapping):
        return None
    shots = found.get("shots", ())
    if isinstance(shots, list | tuple) and all(map(_is_shot, shots)):
        return found
    return {name: value for name, value in found.items() if name != "shots"}


def _is_shot(found: object) -> bool:
    if not isinstance(found, Mapping) or not isinstance(found.get("prompt"), str):
        return False
    duration = found.get("duration")
    return isinstance(duration, int | float) and not isinstance(duration, bool) and math.isfinite(duration)


def _text(text: str) -> str:
    # No database has a text with the character 0, and none has half a surrogate pair.
    return text.replace("\0", "").encode(errors="replace").decode()
