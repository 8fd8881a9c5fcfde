"""The files that may be published: videos and pictures of a folder, whatever else a page names.

A notebook may come from anywhere, and its pages name files by any path. So only files with the name *and* the
content of a video or a picture are opened. Outside the folder that the user publishes, also behind a link
that leads out of it, only videos that this package has saved are, and what belongs to them.
"""

from __future__ import annotations

from io import FileIO
from pathlib import Path, PurePath

from ..i18n import N_, tr
from ..library.sidecar import is_saved_video
from ..system.companions import POSTERS
from ..system.files import reason_of
from ..system.folder import Folder, OutsideFolder
from ..system.video_files import HEAD, is_film_name, is_image_name, is_other_film_name, media_type

__all__ = ["NotPublished", "is_media_name", "open_media"]

_HIDDEN = N_("it is in a hidden folder, and those are not published")
_OUTSIDE = N_("it is outside the folder {folder}; copy it beside the notebook, and show it from there")
_NO_MEDIA = N_("it is neither a video nor a picture; copy it yourself if it is to be published")
#: Endings of pictures, without those that may have scripts.
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif"})
#: The first bytes of pictures.
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")


class NotPublished(Exception):
    """The error for a file that exists and is not published; its text is the reason, without a full stop."""


def is_media_name(name: str) -> bool:
    """Return whether a file's name is that of a video or a picture."""
    is_film = is_film_name(name) or is_other_film_name(name) or is_image_name(name)
    return is_film or PurePath(name).suffix.lower() in _PICTURES


def open_media(path: Path, folder: Path) -> FileIO:
    """Open a video or a picture for reading.

    Args:
        path: an absolute path, without ``..``.
        folder: the folder that the user publishes.

    Raises:
        FileNotFoundError: there is no such file.
        NotPublished: it is not published, for a reason that the user should know.
    """
    is_inside = path.is_relative_to(folder)
    shown = path.relative_to(folder) if is_inside else Path(path.parent.name, path.name)
    if any(part.startswith(".") for part in shown.parts):
        raise NotPublished(tr(_HIDDEN))
    try:
        file = _open(path, folder, is_inside)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise NotPublished(reason_of(error, path)) from None
    try:
        if not (is_media_name(path.name) and _is_media(file.read(HEAD))):
            raise NotPublished(tr(_NO_MEDIA))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _open(path: Path, folder: Path, is_inside: bool) -> FileIO:
    if is_inside:
        try:
            return Folder(folder).open(path.relative_to(folder).as_posix())
        except OutsideFolder:
            pass
    if not path.is_file():
        raise FileNotFoundError(path)
    library, videos = _videos(path)
    if not any(is_saved_video(library / video) for video in videos):
        raise NotPublished(tr(_OUTSIDE).format(folder=folder))
    # A folder of posters may be a link, too.
    return Folder(library).open(path.relative_to(library).as_posix())


def _videos(path: Path) -> tuple[Path, list[str]]:
    """Return the folder and names of videos, of which this package must have saved one to publish a file."""
    if path.parent.name != POSTERS:
        return path.parent, [path.name]
    return path.parent.parent, [f"{path.stem}.mp4", path.stem]


def _is_media(head: bytes) -> bool:
    """Return whether these are the first bytes of a video or a picture."""
    is_riff_picture = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    is_boxed_picture = head[4:12] in (b"ftypavif", b"ftypavis")
    return is_riff_picture or is_boxed_picture or head.startswith(_STARTS) or media_type(head) is not None
