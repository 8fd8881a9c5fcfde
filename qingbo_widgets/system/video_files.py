"""Kinds of video files: by the endings of their names, and by their first bytes."""

from __future__ import annotations

from pathlib import PurePath

__all__ = [
    "EBML",
    "HEAD",
    "VIDEO_SUFFIXES",
    "has_boxes",
    "is_film",
    "is_film_name",
    "is_image_name",
    "is_other_film_name",
    "media_type",
    "played_type",
    "suffix_of",
]

#: Number of a file's first bytes that show what it is. Twelve are enough for ``is_film``.
HEAD = 64
#: The media types of the containers that are saved, by suffix: the usual one first. A QuickTime video has the
#: type of an mp4: Chromium plays it under this name, and refuses ``quicktime``.
_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/mp4",
    ".mkv": "video/x-matroska",
    ".gif": "image/gif",
    ".avi": "video/x-msvideo",
    ".flv": "video/x-flv",
    ".ogv": "video/ogg",
    ".wmv": "video/x-ms-wmv",
    ".mpg": "video/mpeg",
}
VIDEO_SUFFIXES = tuple(_TYPES)
#: Containers that browsers play as videos; those with boxes, and those of EBML.
_BOXED, _OF_EBML = (".mp4", ".mov"), (".webm", ".mkv")
#: Containers that browsers show as an image.
_IMAGES = (".gif",)
#: Endings of the videos that browsers play.
_ENDINGS = frozenset((*_BOXED, *_OF_EBML, ".m4v"))
#: Endings of other videos.
_OTHERS = frozenset(
    {
        *(suffix for suffix in VIDEO_SUFFIXES if suffix not in (*_ENDINGS, *_IMAGES)),
        *(".3g2", ".3gp", ".asf", ".divx", ".f4v", ".m2ts", ".m2v", ".mpeg", ".mts", ".mxf", ".rm", ".ts"),
        ".vob",
    }
)
#: The first bytes of a WebM or Matroska file, and the name by which the latter differs.
EBML, _MATROSKA = b"\x1aE\xdf\xa3", b"matroska"
#: Types of the first box of an mp4 or QuickTime file, after the four bytes of its length.
_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip", b"pnot")
#: Kinds of files that have boxes too, but are pictures.
_PICTURES = (b"avif", b"heic", b"heix", b"mif1")
#: Other containers, by their first bytes.
_STARTS = {
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
    b"FLV\x01": ".flv",
    b"OggS\x00": ".ogv",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ".wmv",
    b"\x00\x00\x01\xba": ".mpg",
}


def is_film_name(name: str) -> bool:
    """Return whether a file's name is that of a video that browsers play, in letters of any case."""
    return PurePath(name).suffix.lower() in _ENDINGS


def is_other_film_name(name: str) -> bool:
    """Return whether a file's name is that of a video of another kind."""
    return PurePath(name).suffix.lower() in _OTHERS


def is_image_name(name: str) -> bool:
    """Return whether a file's name is that of an animation, which browsers show as an image."""
    return PurePath(name).suffix.lower() in _IMAGES


def suffix_of(head: bytes) -> str | None:
    """Return the suffix of a file name for these first bytes; ``None`` if they are not those of a video.

    Args:
        head: at least the first ``HEAD`` bytes, or the whole file.
    """
    if head.startswith(EBML):
        return ".mkv" if _MATROSKA in head[:HEAD] else ".webm"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ".avi"
    if head[4:8] in _FIRST_BOXES:
        if head[4:8] == b"ftyp":
            brand = head[8:12]
            return None if brand in _PICTURES else ".mov" if brand == b"qt  " else ".mp4"
        return ".mp4" if head[4:8] in (b"styp", b"moof") else ".mov"
    return next((suffix for start, suffix in _STARTS.items() if head.startswith(start)), None)


def is_film(head: bytes) -> bool:
    """Return whether the first 12 bytes of a file are those of a video."""
    return suffix_of(head) is not None


def has_boxes(head: bytes) -> bool:
    """Return whether these are the first bytes of an mp4 or QuickTime file, which ``boxes.py`` reads."""
    return suffix_of(head) in _BOXED


def media_type(head: bytes) -> str | None:
    """Return the media type of a video by its first bytes, whatever its name; ``None`` if it is no video.

    Args:
        head: as in ``suffix_of``.
    """
    suffix = suffix_of(head)
    return None if suffix is None else _TYPES[suffix]


def played_type(head: bytes) -> str | None:
    """Return the media type of a video that browsers play as one; ``None`` for other content.

    Args:
        head: as in ``suffix_of``.
    """
    return media_type(head) if suffix_of(head) in _ENDINGS else None
