"""An error in the journal: what of it a row keeps, and the error made of that in the next kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import exceptions
from ..exceptions import (
    ConnectionFailed,
    DownloadFailed,
    QingboError,
    ServiceError,
    SubmissionUnconfirmed,
    TaskCancelled,
    TaskFailed,
)

__all__ = ["error_of", "row_of"]

#: What a class has beside its text. A subclass has the same.
_KEPT: Mapping[type[QingboError], tuple[str, ...]] = {
    ConnectionFailed: ("sent",),
    DownloadFailed: ("url", "transient", "retry_after"),
    ServiceError: ("status", "code", "message", "param", "retry_after"),
    SubmissionUnconfirmed: ("idempotency_key",),
    TaskCancelled: ("task_id",),
    TaskFailed: ("task_id", "code"),
}


def row_of(error: QingboError) -> dict[str, Any]:
    """What the journal keeps of an error, as JSON: ``type``, ``message`` (its text) and ``facts``."""
    facts = {name: getattr(error, name) for name in _names(type(error))}
    return {"type": type(error).__name__, "message": str(error), "facts": facts}


def error_of(row: Mapping[str, Any], **known: Any) -> QingboError:
    """The error again. One whose class is not known any more, or not yet, still says what it said.

    Args:
        row: what the journal keeps.
        **known: facts that a row of an earlier version lacks.
    """
    kind = getattr(exceptions, str(row.get("type")), None)
    if not (isinstance(kind, type) and issubclass(kind, QingboError)) or not _names(kind):
        kind = QingboError
    # By the finished text, not through __init__, which of some classes would write it a second time.
    error: QingboError = kind.__new__(kind, str(row.get("message", "")))
    kept = row.get("facts")
    facts = known | dict(kept) if isinstance(kept, Mapping) else known
    for name in _names(kind):
        setattr(error, name, facts.get(name))
    return error


def _names(kind: type[QingboError]) -> tuple[str, ...]:
    return next((names for known, names in _KEPT.items() if issubclass(kind, known)), ())
