"""Requests out of the journal, which this version may not know, or which may be damaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..service.contract.request import VideoRequest
from .entry import Entry

__all__ = ["read_request", "readable_part_of", "request_of"]


def request_of(entry: Entry) -> VideoRequest | None:
    """Return an entry's request; ``None`` where it is unknown, or written by a version with more fields."""
    return None if entry.request is None else read_request(entry.request)


def readable_part_of(entry: Entry) -> VideoRequest:
    """Return an entry's request as far as this version can read it: each field that it knows, by itself."""
    if (request := request_of(entry)) is not None:
        return request
    part = VideoRequest(entry.model) if entry.model else VideoRequest()
    for name, value in (entry.request or {}).items():
        part = read_request({**part.as_dict(), name: value}) or part
    return part


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
