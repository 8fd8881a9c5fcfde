"""The video files of a folder, and the reason why another file is none."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..i18n import N_, tr
from ..service.contract.text import plain_line
from ..system.boxes import outer_boxes
from ..system.folder import Folder, OutsideFolder
from ..system.sound_copies import is_sound_copy, sound_copy_path
from ..system.video_files import HEAD, has_boxes, is_film_name, is_other_film_name, played_type
from .other_videos import NOTE
from .sidecar import is_saved_video

__all__ = ["FilmFiles", "LeftOut", "readable"]

_APPLE_DOUBLE = N_("not a video, but metadata that macOS stores beside it")
_HIDDEN = N_("hidden")
_DOWNLOAD = N_("an unfinished download")
_OTHER_KIND = N_("browsers do not play videos of this kind; save it as MP4 first")
_NO_FILM_NAME = N_("not a video by its name")
_FOLDER = N_("a folder; import it separately")
#: Reasons that do not count for a video that this package has saved.
_OTHERS = (_OTHER_KIND, _NO_FILM_NAME)
_NO_TEXT = N_("its name is not valid text")
_NO_TARGET = N_("a link that leads nowhere")
_OUTSIDE = N_("a link that leads out of the folder")
_SECOND_NAME = N_("a link to a file in this folder")
_GONE = N_("it was removed during the import")
_EMPTY = N_("it is empty")
_NO_FILM = N_("its content is not a video")
_NO_INDEX = N_("it is incomplete: its index is missing")
_IN_USE = N_("it is incomplete and was changed just now; import it when it is complete")

#: Endings of the files into which programs download.
_DOWNLOADS = (
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".opdownload",
    ".filepart",
    ".tmp",
    ".!qb",
    ".!ut",
)
#: Endings of the files that this package keeps in the folder.
_OWN = (".json", ".png", ".etag", NOTE)
_JOURNAL = ".sqlite"
#: Seconds since the last change, within which an incomplete file may still be written.
_FRESH = 60.0


@dataclass(frozen=True)
class LeftOut:
    """A file that an import left out.

    Attributes:
        name: its name.
        reason: why, in the language of the notebook.
    """

    name: str
    reason: str


class FilmFiles:
    """The files of a folder that are videos by their names.

    Args:
        folder: the folder.

    Attributes:
        names: their names, sorted, whatever they contain; not those of copies with other sound.
        left_out: the other files that a user may miss.

    Raises:
        OSError: the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)
        self.names: list[str] = []
        self.left_out: list[LeftOut] = []
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                reason = _reason_by_name(entry)
                if reason is None or (reason in _OTHERS and is_saved_video(folder / entry.name)):
                    self.names.append(entry.name)
                elif reason:
                    self.left_out.append(LeftOut(readable(entry.name), tr(reason)))
        copies = {sound_copy_path(folder / name).name for name in self.names}
        self.names = [name for name in self.names if name not in copies or not is_sound_copy(folder / name)]

    def check(self, name: str) -> str | None:
        """Return the reason why a file of the folder is no video, or ``None`` if it is one."""
        path = self._folder.path / name
        try:
            if path.is_symlink() and self._is_second_name(path):
                return tr(_SECOND_NAME)
            with self._folder.open(name) as file:
                reason = _reason_by_content(file)
            # A paid video is not lost for its form.
            return None if reason and is_saved_video(path) else reason
        except OutsideFolder:
            return tr(_OUTSIDE)
        except FileNotFoundError:
            return tr(_NO_TARGET) if path.is_symlink() else tr(_GONE)
        except OSError as error:
            return tr(_NO_TARGET) if error.errno == errno.ELOOP else error.strerror or str(error)

    def _is_second_name(self, link: Path) -> bool:
        target = Path(os.path.realpath(link))
        is_here = target.parent == Path(os.path.realpath(self._folder.path))
        return is_here and is_film_name(target.name) and not target.name.startswith(".") and target.is_file()


def _reason_by_name(entry: os.DirEntry[str]) -> str | None:
    """Return why an entry of a folder is no video by its name.

    Returns:
        The reason; ``None`` if it may be a video, an empty text if no user expects it to be one.
    """
    name = entry.name
    is_film = is_film_name(name)
    if _is_folder(entry):
        return _FOLDER if is_film or _has_films(entry) else ""
    if not _is_text(name):
        return _NO_TEXT
    if name.startswith("."):
        reason = _APPLE_DOUBLE if name.startswith("._") else _HIDDEN
        return reason if is_film else ""
    if is_film:
        return None
    if is_other_film_name(name):
        return _OTHER_KIND
    if name.lower().endswith(_DOWNLOADS):
        return _DOWNLOAD
    return "" if name.lower().endswith(_OWN) or _JOURNAL in name else _NO_FILM_NAME


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _has_films(folder: os.DirEntry[str]) -> bool:
    """Return whether videos are directly in a visible subfolder, whose import the user may expect."""
    if folder.name.startswith(".") or folder.is_symlink():
        return False
    try:
        with os.scandir(folder) as entries:
            return any(is_film_name(entry.name) for entry in entries)
    except OSError:  # nothing is known about it
        return True


def _reason_by_content(file: IO[bytes]) -> str | None:
    """Return why an open file is no video by its content, or ``None`` if it is one."""
    info = os.fstat(file.fileno())
    head = file.read(HEAD)
    if played_type(head) is None:
        return tr(_NO_FILM) if info.st_size else tr(_EMPTY)
    if not has_boxes(head):
        return None
    boxes = list(outer_boxes(file, info.st_size))
    has_index = any(box.kind in (b"moov", b"moof") for box in boxes)
    is_whole = has_index and boxes[-1].end <= info.st_size
    if not is_whole and 0 <= time.time() - info.st_mtime < _FRESH:
        return tr(_IN_USE)
    return None if has_index else tr(_NO_INDEX)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def readable(name: str) -> str:
    """Return a name without what is no text, for messages."""
    return plain_line(name.encode(errors="backslashreplace").decode())
