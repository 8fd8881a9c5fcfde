"""The size of a saved video's picture, read without decoding, so that a page makes room for it."""

from __future__ import annotations

from pathlib import Path

from ..service.http.image_probe import size_of
from ..system.folder import open_inside
from .film_size import film_size
from .posters import read_poster

__all__ = ["picture_size"]


def picture_size(video: Path) -> tuple[int, int] | None:
    """Return width and height in pixels; ``None`` if they are not known.

    A video that is not an mp4 has the size of its poster, which has the same shape.
    """
    try:
        with open_inside(video) as file:
            announced = film_size(file, file.seek(0, 2))
    except OSError:
        return None
    if announced.width and announced.height:
        return announced.width, announced.height
    poster = read_poster(video)
    size = None if poster is None else size_of(poster)
    return None if size is None or not size.width or not size.height else (size.width, size.height)
