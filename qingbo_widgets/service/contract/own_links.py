"""``without_own_links``: a snapshot without the links of the request, which an answer may repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .request import VideoRequest
from .snapshot import TaskSnapshot
from .urls import web_link

__all__ = ["without_own_links"]


def without_own_links(snapshot: TaskSnapshot, request: VideoRequest | None) -> TaskSnapshot:
    """Return a snapshot without the videos that the user has put into the request.

    Saved as the result, the user's own video would end the search for the paid one.

    Args:
        snapshot: the answer.
        request: the request of the task; ``None`` if it is not known.
    """
    if request is None or not snapshot.videos:
        return snapshot
    own = set(_links(request.given))
    videos = tuple(video for video in snapshot.videos if not video.url or video.url not in own)
    if len(videos) == len(snapshot.videos):
        return snapshot
    numbers = {number: place for place, number in enumerate(sorted({video.number for video in videos}))}
    videos = tuple(replace(video, number=numbers[video.number]) for video in videos)
    return replace(snapshot, videos=videos, video_count=len(numbers))


def _links(value: Any) -> Iterator[str]:
    if isinstance(value, str) and (link := web_link(value)) is not None:
        yield link
    elif isinstance(value, Mapping):
        yield from _links(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _links(item)
