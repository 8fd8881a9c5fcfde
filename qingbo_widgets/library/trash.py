"""The trash of a library: the files of deleted tasks, and a list of what was deleted.

Each deletion has a subfolder of its own, such as ``trash/20261130-021500-123456``: the videos with their
sidecars and posters, and ``deleted.json`` with the rows. So a user without this package finds the videos too.
"""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..system.companions import POSTERS
from ..system.folder import Folder
from ..system.video_files import VIDEO_SUFFIXES
from .other_videos import NOTE, NOTES
from .untrusted import sanitised

__all__ = ["TRASH", "Trash"]

logger = logging.getLogger("qingbo_widgets")

TRASH = "trash"
_LIST = "deleted.json"
#: Version of the list's layout; raised when a reader of the old layout would misread the new one.
FORMAT = 1
#: Bytes of the longest list that is read. A list of ten thousand tasks has ten million.
_LONGEST = 100 * 2**20
_PIECE = 2**20
#: The endings of the files that are moved.
_KINDS = (*VIDEO_SUFFIXES, ".json", ".jpg", NOTE)


class Trash:
    """The trash of one library's folder, which may be untrusted: no file outside of it is ever touched.

    Args:
        folder: the folder of the library.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)

    @property
    def names(self) -> list[str]:
        """The names of the deletions, newest first. A link is none: it may lead to other files."""
        names = (Path(name).name for name in reversed(self._folder.names(TRASH)))
        return [name for name in names if _is_folder(self._folder.path / TRASH / name)]

    def add(self, content: Mapping[str, Any]) -> str:
        """Write the list of a new deletion, whose files are still in the library; return its name.

        Raises:
            OSError: the folder cannot be written.
        """
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        self._folder.write(f"{TRASH}/{name}/{_LIST}", _text(content))
        return name

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the list of a deletion; ``None`` if there is none that can be read."""
        try:
            content = sanitised(json.loads(self._folder.read(f"{TRASH}/{name}/{_LIST}", _LONGEST)))
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and content.get("format") == FORMAT else None

    def amend(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace the list of a deletion, if it is still there; a failed write is only logged."""
        file = f"{TRASH}/{name}/{_LIST}"
        if not self._folder.has_file(file):  # writing would bring it back
            return
        try:
            self._folder.write(file, _text(content))
        except OSError:
            logger.warning("%s was not changed", file, exc_info=True)

    def version(self, name: str) -> object:
        """Return a value that changes with the list of a deletion; ``None`` if there is no list."""
        try:
            info = (self._folder.path / TRASH / name / _LIST).lstat()
        except OSError:
            return None
        return info.st_ino, info.st_size, info.st_mtime_ns

    def size(self, name: str) -> int:
        """Return the bytes that a deletion occupies."""
        total = 0
        for file in self._folder.names(f"{TRASH}/{name}"):
            try:
                total += (self._folder.path / file).lstat().st_size
            except OSError:  # restored or erased by another kernel
                continue
        return total

    def take(self, name: str, files: Iterable[str]) -> list[str]:
        """Move files of the library into a deletion; return those that another program has open."""
        left = []
        for file in files:
            plain = Path(file).name
            if not _is_of_library(plain) or file not in (plain, _home_of(plain)):
                continue  # a list that another program wrote may name any path
            try:
                self._folder.move(file, f"{TRASH}/{name}/{plain}")
            except FileNotFoundError:  # it is in the trash already, or the user has removed it
                continue
            except FileExistsError:  # saved again after the deletion
                continue
            except OSError as error:
                logger.warning("%s was not moved to the trash: %s", plain, error)
                left.append(file)
        return left

    def files(self, name: str) -> list[str]:
        """Return the names that the files of a deletion have in the library."""
        names = (Path(file).name for file in self._files(name))
        return [_home_of(plain) for plain in names if _is_of_library(plain)]

    def has_no_other(self, name: str, file: str) -> bool:
        """Return whether a deletion has no other content for a file of the library than the file itself."""
        try:
            return self._is_copy(f"{TRASH}/{name}/{Path(file).name}", file)
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def give_back(self, name: str, files: Iterable[str] | None = None) -> dict[str, OSError]:
        """Move files of a deletion back into the library; return those that stay, each with the reason.

        A file stays if the library has one of its name by now, or another program has it open. A second copy
        of the same video is removed.

        Args:
            name: the deletion.
            files: some of ``files``; ``None`` for all.
        """
        left = {}
        for target in self.files(name) if files is None else files:
            plain = Path(target).name
            file = f"{TRASH}/{name}/{plain}"
            try:
                try:
                    self._folder.move(file, target)
                except FileExistsError:
                    if not self._is_copy(file, target):
                        raise
                    self._folder.remove(file)
            except FileNotFoundError:  # another kernel was faster
                continue
            except OSError as error:
                logger.warning("%s stays in the trash: %s", plain, error)
                left[plain] = error
        return left

    def discard(self, name: str) -> None:
        """Remove the list of a deletion; a folder that is empty then is removed too.

        Raises:
            OSError: the list could not be removed.
        """
        self._folder.remove(f"{TRASH}/{name}/{_LIST}")
        self._folder.remove_folder(f"{TRASH}/{name}")
        self._folder.remove_folder(TRASH)

    def erase(self, name: str) -> None:
        """Remove the files of a deletion from the disk, and then its list.

        Raises:
            OSError: a file could not be removed.
        """
        for file in self._files(name):
            self._folder.remove(file)
        self.discard(name)

    def _is_copy(self, file: str, target: str) -> bool:
        """Return whether two files have the same content, or are posters of the same name."""
        if target.startswith(f"{POSTERS}/"):
            return True
        with self._folder.open(file) as one, self._folder.open(target) as other:
            while piece := one.read(_PIECE):
                if piece != other.read(len(piece)):
                    return False
            return not other.read(1)

    def _files(self, name: str) -> list[str]:
        files = self._folder.names(f"{TRASH}/{name}")
        return [file for file in files if Path(file).name != _LIST]


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps({"format": FORMAT, **content}, ensure_ascii=False, indent=1, default=str) + "\n"


def _is_of_library(name: str) -> bool:
    """Return whether a file of this name may be moved to the trash or back: not the journal, for example."""
    return Path(name).suffix.lower() in _KINDS and name != _LIST


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:  # removed by another kernel
        return False


def _home_of(name: str) -> str:
    """Return the name of a deleted file in the folder of the library, by its ending."""
    folder = {".jpg": POSTERS, NOTE: NOTES}.get(Path(name).suffix)
    return name if folder is None else f"{folder}/{name}"
