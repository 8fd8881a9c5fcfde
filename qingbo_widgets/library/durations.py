"""How long earlier tasks of the same kind took: the same model, mode and length of the video."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from .untrusted import fields_of_request

if TYPE_CHECKING:
    from ..service.contract.request import VideoRequest
    from .journal.rows import Rows

__all__ = ["durations_of"]

#: Rows of the model that are read for each duration: only some are of the same kind.
_ROWS_EACH = 10


def durations_of(rows: Rows, request: VideoRequest, service: str, limit: int) -> tuple[float, ...]:
    """Return the seconds that the latest completed tasks of this kind took, see ``Library.durations``."""
    kind = _kind(request.as_dict())
    # The kind is sorted out here: what a database can ask of JSON differs from one to the other.
    with closing(rows.durations(service, request.model, _ROWS_EACH * limit)) as found:
        alike = (duration.total_seconds() for fields, duration in found if _kind(fields) == kind)
        return tuple(islice(alike, limit))


def _kind(fields: Mapping[str, Any] | None) -> tuple[object, ...]:
    """Return the fields that decide how long a task takes: the mode and the length in seconds."""
    fields = fields_of_request(fields) or {}
    shots = fields.get("shots")
    seconds = sum(shot["duration"] for shot in shots) if shots else fields.get("duration")
    return fields.get("mode"), seconds
