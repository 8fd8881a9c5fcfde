"""Saved videos from any source, with what a comparison or a ranking shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...library.entry import Entry
from ...library.library import Library
from ...library.requests import request_of
from ...service.contract.request import VideoRequest
from ...tasks import connection
from ...tasks.task import Task
from .embedding import setting_of

__all__ = ["Clip", "Source", "clips_of", "embed_of"]

#: A task, a row of a library, or the path of a video.
Source = Task | Entry | str | Path


@dataclass(frozen=True)
class Clip:
    """One video of a comparison or a ranking.

    Attributes:
        source: the task, entry or path that the caller passed.
        path: the saved file; ``None`` if there is none.
        request: the request; ``None`` if it is unknown.
        model: the model's name; empty if it is unknown.
        task_id: the service's id; empty if it is unknown.
        key: the key of the task; empty for a file.
        library: the library with the judgements of the task; ``None`` for a file.
        submitted_at: the submission time, UTC; ``None`` for a file.
    """

    source: Source
    path: Path | None
    request: VideoRequest | None = None
    model: str = ""
    task_id: str = ""
    key: str = ""
    library: Library | None = None
    submitted_at: datetime | None = None


def clips_of(videos: Sequence[Source], library: Library | None = None) -> list[Clip]:
    """Return the videos as clips.

    Args:
        videos: tasks, entries of a library, or paths.
        library: the library of the entries; by default that of the default manager, or ``qingbo_videos``.
    """
    if library is None and any(isinstance(video, Entry) for video in videos):
        manager = connection.default()
        library = Library() if manager is None else manager.library
    return [_clip(video, library) for video in videos]


def embed_of(clips: Sequence[Clip]) -> bool | None:
    """Return whether to embed the videos: as the manager of the tasks does, else as the default manager."""
    managers = [clip.source.manager for clip in clips if isinstance(clip.source, Task)]
    return managers[0].embed if managers else setting_of()


def _clip(video: Source, library: Library | None) -> Clip:
    if isinstance(video, Task):
        return Clip(
            video, video.video_path, video.request, video.model, video.task_id, video.key,
            video.manager.library, video.submitted_at,
        )  # fmt: skip
    if isinstance(video, Entry):
        assert library is not None
        path = library.video_of(video)
        return Clip(
            video, path, request_of(video), video.model, video.task_id, video.key, library, video.submitted_at
        )  # fmt: skip
    return Clip(video, Path(video).expanduser().resolve())
