"""Conversion of errors to journal rows, and back to errors in the next kernel."""

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
    UploadFailed,
)

__all__ = ["error_of", "row_of"]

#: The attributes of a class besides its text. A subclass has the same ones.
_ATTRIBUTES: Mapping[type[QingboError], tuple[str, ...]] = {
    ConnectionFailed: ("sent",),
    DownloadFailed: ("url", "transient", "retry_after"),
    ServiceError: ("status", "code", "message", "param", "retry_after", "contract"),
    SubmissionUnconfirmed: ("idempotency_key", "task_id"),
    TaskCancelled: ("task_id",),
    TaskFailed: ("task_id", "code"),
    UploadFailed: ("transient",),
}


def row_of(error: QingboError) -> dict[str, Any]:
    """Return an error as JSON for the journal: ``type``, ``message`` (its text) and ``facts``."""
    facts = {name: getattr(error, name) for name in _names(type(error))}
    return {"type": type(error).__name__, "message": str(error), "facts": facts}


def error_of(row: Mapping[str, Any], **defaults: Any) -> QingboError:
    """Return the error of a row. If this version lacks its class, the error still has its text.

    Args:
        row: the error as the journal stores it.
        **defaults: facts that a row of an earlier version lacks.
    """
    kind = getattr(exceptions, str(row.get("type")), None)
    if not (isinstance(kind, type) and issubclass(kind, QingboError)) or not _names(kind):
        kind = QingboError
    # From the finished text, not through __init__, which in some classes would format it a second time.
    error: QingboError = kind.__new__(kind, str(row.get("message", "")))
    saved = row.get("facts")
    facts = defaults | dict(saved) if isinstance(saved, Mapping) else defaults
    for name in _names(kind):
        setattr(error, name, facts.get(name))
    return error


def _names(kind: type[QingboError]) -> tuple[str, ...]:
    return next((names for base, names in _ATTRIBUTES.items() if issubclass(kind, base)), ())
