"""Posters: a small JPEG of each video in ``posters/`` beside it, for pages with hundreds of videos.

Decoding needs av and Pillow (``[frames]``). Without them there are no posters, and everything else works.
"""

from __future__ import annotations

import io
import logging
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from ..service.http.image_probe import size_of
from ..system.folder import Folder
from .film import open_film

__all__ = [
    "POSTERS",
    "can_make_posters",
    "make_poster",
    "poster_path",
    "read_poster",
]

logger = logging.getLogger("qingbo_widgets")

POSTERS = "posters"
#: Pixels of the longer side.
SIZE = 320
_QUALITY = 70
#: Seconds into the video, if it is long enough: the first frame is often black, or the input image.
_MOMENT = 1.0
#: Bytes above which a file in the poster folder is no poster of ours.
_LARGEST = 200_000
#: Key frames that are decoded at most to reach that moment.
_MOST_FRAMES = 300


def poster_path(video: Path) -> Path:
    """Return the path of a video's poster, whether or not it exists."""
    return video.parent / _name(video)


def read_poster(video: Path) -> bytes | None:
    """Return the poster of a video, or ``None`` if there is none, or it is not ours.

    The folder may be untrusted. A link out of it must not be read into a notebook, and a page would crash
    with twelve pictures of a hundred million pixels.
    """
    try:
        content = Folder(video.parent).read(_name(video), _LARGEST)
    except OSError:
        return None
    size = size_of(content)
    is_ours = size is not None and size.format == "JPEG" and max(size.width, size.height) <= SIZE
    return content if is_ours else None


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
        with open_film(video) as container:
            stream = container.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            frames = islice(container.decode(stream), _MOST_FRAMES)
            frame = next(frames)
            if container.duration is not None and container.duration / 1e6 > _MOMENT:
                frame = next((later for later in frames if (later.time or 0.0) >= _MOMENT), frame)
            scale = SIZE / max(frame.width, frame.height, SIZE)
            size = {"width": round(frame.width * scale) or 1, "height": round(frame.height * scale) or 1}
            picture = frame.to_image(**size)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
        Folder(video.parent).write(_name(video), file.getvalue())  # another kernel may read it now
    except Exception as error:
        logger.info("No poster of %s: %s", video.name, error)
        return None
    return target


def _name(video: Path) -> str:
    return f"{POSTERS}/{video.stem}.jpg"
