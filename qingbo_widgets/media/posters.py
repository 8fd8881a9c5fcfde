"""Posters: a JPEG of each video in ``posters/`` beside it, for pages with hundreds of videos.

A player shows the file, which is as large as itself. Behind the end of that picture, where no browser looks,
is a smaller one for lists, which are sent to the page with all their pictures.

Decoding needs av and Pillow (``[frames]``). Without them there are no posters, and everything else works.
"""

from __future__ import annotations

import io
import logging
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..service.http.image_probe import size_of
from ..system.companions import POSTERS, poster_name
from ..system.folder import Folder
from .film import open_film

if TYPE_CHECKING:
    from .decoding import Film

__all__ = [
    "POSTERS",
    "can_make_posters",
    "make_poster",
    "poster_path",
    "read_poster",
    "read_small",
]

logger = logging.getLogger("qingbo_widgets")

#: Pixels of the longer side: that of a player in a studio, and that of a tile.
SIZE, SMALL = 640, 320
_QUALITY = 65
#: With these bytes begins a JPEG; inside of one they are only where a camera puts a thumbnail.
_START = b"\xff\xd8\xff"
#: Seconds into the video, if it is long enough: the first frame is often black, or the input image.
_MOMENT = 1.0
#: Bytes above which a file in the poster folder is no poster of ours.
_LARGEST = 500_000
#: Frames that are decoded at most to reach that moment.
_MOST_FRAMES = 300


def poster_path(video: Path) -> Path:
    """Return the path of a video's poster, whether or not it exists."""
    return video.parent / poster_name(video)


def read_poster(video: Path) -> bytes | None:
    """Return the poster of a video, or ``None`` if there is none, or it is not ours.

    The folder may be untrusted. A link out of it must not be read into a notebook, and a page would crash
    with twelve pictures of a hundred million pixels.
    """
    try:
        content = Folder(video.parent).read(poster_name(video), _LARGEST)
    except OSError:
        return None
    return content if _is_jpeg(content, SIZE) else None


def read_small(video: Path) -> bytes | None:
    """Return the poster of a video for a list, as ``read_poster``; before version 0.2 there was no other."""
    poster = read_poster(video)
    small = b"" if poster is None else poster[poster.rfind(_START) :]
    return small if _is_jpeg(small, SMALL) else None


def _is_jpeg(content: bytes, longest: int) -> bool:
    size = size_of(content)
    return size is not None and size.format == "JPEG" and max(size.width, size.height) <= longest


def can_make_posters() -> bool:
    """Return whether av and Pillow are installed. Import neither: opening a gallery must stay fast."""
    return all(find_spec(name) is not None for name in ("av", "PIL"))


def make_poster(video: Path) -> Path | None:
    """Make the poster of a video, unless it exists.

    Returns:
        The poster's path, or ``None`` if it cannot be made, which is logged.
    """
    target = poster_path(video)
    if read_poster(video) is not None:
        return target
    if not can_make_posters():
        return None
    try:
        with open_film(video) as film:
            frame = _typical(film, only_keys=True) or _typical(film, only_keys=False)
            picture = film.image(frame, **_size(frame))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
        if max(picture.size) > SMALL:
            picture.thumbnail((SMALL, SMALL))
            picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
        Folder(video.parent).write(poster_name(video), file.getvalue())  # another kernel may read it now
    except Exception as error:
        logger.info("No poster of %s: %s", video.name, error)
        return None
    return target


def _typical(film: Film, *, only_keys: bool) -> Any | None:
    """Return a frame that is not the first, if the video is long enough; ``None`` if none can be decoded."""
    earliest = _MOMENT if film.length > _MOMENT else 0.0
    first = None
    for time, frame in islice(film.frames(only_keys=only_keys), _MOST_FRAMES):
        if time >= earliest:
            return frame
        first = frame if first is None else first
    return first


def _size(frame: Any) -> dict[str, int]:
    if frame is None:
        return {}
    scale = SIZE / max(frame.width, frame.height, SIZE)
    return {"width": round(frame.width * scale) or 1, "height": round(frame.height * scale) or 1}
