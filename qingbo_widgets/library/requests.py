"""Requests read from the journal, which may be damaged or of a later version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..service.contract.request import VideoRequest
from .entry import Entry

__all__ = ["read_request", "readable_part_of", "request_of"]


def request_of(entry: Entry) -> VideoRequest | None:
    """Return an entry's request; ``None`` if it is unknown or of a version with more fields."""
    return None if entry.request is None else read_request(entry.request)


def readable_part_of(entry: Entry) -> VideoRequest:
    """Return the part of an entry's request that this version can read, field by field."""
    if (request := request_of(entry)) is not None:
        return request
    part = VideoRequest(entry.model) if entry.model else VideoRequest()
    for name, value in (entry.request or {}).items():
        part = read_request({**part.as_dict(), name: value}) or part
    return part


def read_request(fields: Mapping[str, Any]) -> VideoRequest | None:
    """Return a request from its fields; ``None`` if one is damaged or unknown to this version."""
    try:
        request = VideoRequest.from_dict(fields)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        return None
    texts = [request.model, request.prompt, *(getattr(shot, "prompt", None) for shot in _shots(request))]
    return request if all(isinstance(text, str) for text in texts) else None


def _shots(request: VideoRequest) -> tuple[object, ...]:
    return request.shots if isinstance(request.shots, tuple) else (None,)
