"""``Target``: a file to save, and the video of the task that becomes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """A file to save.

    Attributes:
        path: its planned path, for an mp4.
        film: a name shared by all links to the video, by which an earlier part is found.
        show: called with the message about what keeps it from being saved now; empty if nothing does.
        progress: called with the share that has arrived, 0..1.
        number: the number of the video in the service's answers; ``None`` for the first that can be saved.
    """

    path: Path
    film: str
    show: Callable[[str], None]
    progress: Callable[[float], None] = lambda _: None
    number: int | None = None
