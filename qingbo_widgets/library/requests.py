"""Requests out of the journal, which this version may not know, or which may be damaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..service.contract.request import VideoRequest
from .entry import Entry

__all__ = ["read_request", "request_of"]


def request_of(entry: Entry) -> VideoRequest | None:
    """Return an entry's request; ``None`` where it is unknown, or written by a version with more fields."""
    return None if entry.request is None else read_request(entry.request)


def read_request(fields: Mapping[str, Any]) -> VideoRequest | None:
    """Return a request by its fields; ``None`` where this version does not know one, or it is damaged."""
    try:
        request = VideoRequest.from_dict(fields)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        return None
    texts = [request.model, request.prompt, *(getattr(shot, "prompt", None) for shot in _shots(request))]
    return request if all(isinstance(text, str) for text in texts) else None


def _shots(request: VideoRequest) -> tuple[object, ...]:
    return request.shots if isinstance(request.shots, tuple) else (None,)
