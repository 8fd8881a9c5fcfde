"""Durations of earlier tasks of the same kind: the same model, resolution and video length."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from .requests import read_request

if TYPE_CHECKING:
    from ..service.contract.request import VideoRequest
    from .journal.rows import Rows

__all__ = ["durations_of"]

#: Rows of the model to read for each duration, because only some are of the same kind.
_ROWS_EACH = 10


def durations_of(rows: Rows, request: VideoRequest, service: str, limit: int) -> tuple[float, ...]:
    """Return the seconds that the latest completed tasks of this kind took; see ``Library.durations``."""
    kind = (request.resolution_or_mode, request.seconds)
    # The kind is compared in Python, because databases differ in the JSON queries that they support.
    with closing(rows.durations(service, request.model, _ROWS_EACH * limit)) as results:
        matching = (duration.total_seconds() for fields, duration in results if _kind(fields) == kind)
        return tuple(islice(matching, limit))


def _kind(fields: Mapping[str, Any] | None) -> tuple[object, ...] | None:
    """Return the resolution and the seconds, which decide how long a task takes; ``None`` if unreadable."""
    request = None if fields is None else read_request(fields)
    return None if request is None else (request.resolution_or_mode, request.seconds)
