"""Opening a video file from an untrusted source for decoding."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..system.folder import open_inside
from ..system.video_files import HEAD, has_boxes, played_type
from .decoding import NO_PICTURES, Film, not_decoded
from .film_size import MOST_PIXELS, film_size
from .webm_size import is_webm_decodable

__all__ = ["open_container", "open_film", "pictures_in"]

_NEEDED = N_('Frames need av and Pillow: pip install "qingbo_widgets[frames]"')
_EMPTY = N_("it is empty")
_NO_VIDEO = N_("it is neither an MP4 nor a WebM video")
_NO_INDEX = N_("its index is missing, because the file is incomplete")
_TOO_LARGE = N_(
    "its frames ({width} × {height}) or its index are too large to be read here. A player may still show it."
)
_TOO_LARGE_INDEX = N_("its list of tracks is too large to be read here. A player may still show it.")
#: Decoders of pictures. Sound is not decoded, because a file can make its decoders allocate memory, too.
_DECODERS = "h264,hevc,av1,libdav1d,vp8,vp9,libvpx,libvpx-vp9,mpeg4,mpeg2video,mjpeg,prores,dnxhd,h263"


@contextmanager
def open_film(path: Path) -> Iterator[Film]:
    """Yield an open video; it has pictures.

    Raises:
        QingboError: the file does not exist, leads out of its folder, or cannot be decoded.
        ImportError: the extra ``[frames]`` is not installed.
    """
    with open_container(path, _DECODERS, tr(_NEEDED)) as container:
        stream = pictures_in(path, container)
        stream.codec_context.options = _limits(_DECODERS)
        yield Film(path, container, stream)


@contextmanager
def open_container(path: Path, decoders: str, needed: str) -> Iterator[Any]:
    """Yield a video file, open in PyAV, of which only these kinds of streams can be decoded.

    Args:
        path: the file.
        decoders: FFmpeg's names of the decoders, separated by commas.
        needed: the message if the extra ``[frames]`` is not installed.

    Raises:
        QingboError, ImportError: as ``open_film``.
    """
    try:
        import av
        import PIL  # noqa: F401 - av imports it only when it has a frame
    except ImportError:
        raise ImportError(needed) from None
    try:
        file = open_inside(path)
    except FileNotFoundError:
        raise QingboError(tr("The video is no longer at {path}.").format(path=path)) from None
    except OSError as error:
        raise not_decoded(path, error) from None
    with file:
        # One thread, because each keeps pictures.
        options = {**_limits(decoders), "threads": "1"}
        # Before PyAV 19, a title that is not UTF-8 raised an error; since then there is no such argument.
        tolerant: dict[str, Any] = {"metadata_errors": "replace"} if _major(av.__version__) < 19 else {}
        has_index = True
        try:
            kind, has_index = _kind_of(path, file)
            # Not the path, and this format only: FFmpeg would also accept a playlist of other files, and open
            # those.
            with av.open(file, format=kind, options=options, **tolerant) as container:
                yield container
        except (av.FFmpegError, OSError) as error:  # OSError: a seek past the ends of the file
            raise not_decoded(path, error if has_index else tr(_NO_INDEX)) from None


def pictures_in(path: Path, container: Any) -> Any:
    """Return the stream of pictures in an open video file that a player shows.

    Raises:
        QingboError: there is none.
    """
    stream = _pictures(container)
    if stream is None:
        raise not_decoded(path, tr(NO_PICTURES))
    return stream


def _limits(decoders: str) -> dict[str, str]:
    """Return options of decoders. A stream may announce larger pictures than the index."""
    return {"max_pixels": str(MOST_PIXELS), "codec_whitelist": decoders}


def _pictures(container: Any) -> Any | None:
    """Return the stream that a player shows, or ``None``: not a cover picture, nor one without a decoder."""
    from av.stream import Disposition

    streams = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    shown = [stream for stream in streams if stream.disposition & Disposition.default]
    return next(iter(shown or streams), None)


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _kind_of(path: Path, file: Any) -> tuple[str, bool]:
    """Return FFmpeg's name of the container, and whether the file has an index.

    Raises:
        QingboError: it is no video, or its index is implausible.
    """
    head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
    if played_type(head) is None:
        raise not_decoded(path, tr(_NO_VIDEO) if size else tr(_EMPTY))
    kind, has_index = "mp4", True
    if not has_boxes(head):
        kind = "matroska"
        if not is_webm_decodable(file, size):
            raise not_decoded(path, tr(_TOO_LARGE_INDEX))
    else:
        announced = film_size(file, size)
        if not announced.is_decodable:
            raise not_decoded(path, tr(_TOO_LARGE).format(width=announced.width, height=announced.height))
        has_index = announced.tracks > 0
    file.seek(0)
    return kind, has_index
