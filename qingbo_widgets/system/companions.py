"""Names of the files that belong to a video: its sidecar, its poster, its saved frames."""

from __future__ import annotations

from pathlib import Path

__all__ = ["POSTERS", "companion_stem", "poster_name"]

#: The folder of the posters, in the folder of the videos.
POSTERS = "posters"

#: The ending of the videos of the service. Companions of others have it in their names, because a folder of a
#: camera or of a converter has several videos that differ in nothing else.
_USUAL = ".mp4"


def companion_stem(video: Path) -> str:
    """Return the beginning of the names of a video's companions: ``koi`` for koi.mp4, else ``koi.webm``."""
    return video.stem if video.suffix == _USUAL else video.name


def poster_name(video: Path) -> str:
    """Return the name of a video's poster, relative to the folder of the video."""
    return f"{POSTERS}/{companion_stem(video)}.jpg"
