"""``DeletionTarget``: the part of a library that a deletion needs."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .entry import Entry
from .journal.journal import Journal

__all__ = ["DeletionTarget"]


class DeletionTarget(Protocol):
    """The library that tasks are deleted from."""

    folder: Path
    journal: Journal

    @property
    def read_only(self) -> str | None:
        """The reason why nothing can be written."""

    def get(self, key: str) -> Entry | None:
        """Return the entry with a task's key."""

    def video_path(self, prompt: str, key: str) -> Path:
        """Return the planned path of a task's video."""

    def video_of(self, entry: Entry) -> Path | None:
        """Return the path of a task's video."""
