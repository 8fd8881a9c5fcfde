"""Names of the files that belong to a video: its sidecar, its poster, its saved frames."""

from __future__ import annotations

from pathlib import Path

__all__ = ["companion_stem"]

#: The ending of the videos of the service. Companions of others have it in their names, because a folder of a
#: camera or of a converter has several videos that differ in nothing else.
_USUAL = ".mp4"


def companion_stem(video: Path) -> str:
    """Return the beginning of the names of a video's companions: ``koi`` for koi.mp4, else ``koi.webm``."""
    return video.stem if video.suffix == _USUAL else video.name
