"""The input files of a library: the pictures and videos of its requests, and the links to their uploads.

A file is named after its content, so the same picture is one file however often it is used. For each place to
which it was uploaded there is a small JSON file with the link: the same bytes are not sent twice.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO, FileIO
from pathlib import Path

from ..service.contract.urls import is_local_file, is_web_url
from ..service.secrets.known_keys import hide
from ..system.folder import Folder
from .file_names import readable_name

__all__ = ["INPUTS", "InputFiles", "Link"]

#: Subfolder of the library's folder.
INPUTS = "inputs"
#: Characters of the content's hash in the name of a file.
_DIGITS = 16
_NAME = re.compile(rf"[\w-]{{1,64}}-([0-9a-f]{{{_DIGITS}}})\.[a-z0-9]{{2,5}}")
_HASH = re.compile(rf"(?<=.)-[0-9a-f]{{{_DIGITS}}}$")
_LARGEST_NOTE = 20_000
#: A request may have very many links.
_LARGEST_LIST = 1_000_000
_PIECE = 2**20


@dataclass(frozen=True)
class Link:
    """The link to an uploaded file. Anyone who has it can see the file.

    Attributes:
        url: the URL, which may have a signature.
        expires_at: its end, UTC; ``None`` if it does not end, or that is unknown.
    """

    url: str = field(repr=False)
    expires_at: datetime | None = None


class InputFiles:
    """The input files of one library.

    Args:
        folder: the library's folder. Nothing is created in it until a file is saved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = Folder(folder)

    def save(self, content: bytes | FileIO, stem: str, suffix: str) -> Path:
        """Save a file, unless one with the same content is there already, and return its path.

        Args:
            content: the bytes, or an open file at its beginning.
            stem: the name without the suffix: letters, digits and dashes.
            suffix: the suffix with its dot.

        Raises:
            OSError: the folder cannot be written.
        """
        digest = _digest_of(BytesIO(content) if isinstance(content, bytes) else content)
        files = (self._path(Path(name).name) for name in self._files.names(INPUTS, suffix))
        for file in files:
            if _content_in(file.name) == digest and self.is_intact(file):
                return file
        # A file that was chosen in a form is named after its content already.
        name = f"{readable_name(_HASH.sub('', stem))}-{digest}{suffix}"
        if not isinstance(content, bytes):
            content.seek(0)
        self._files.write(f"{INPUTS}/{name}", content)
        return self._path(name)

    def own(self, path: str) -> Path | None:
        """Return the input file of this name, wherever its folder was before; ``None`` if there is none.

        A copy that was edited keeps its name, but is another file.
        """
        name = path.replace("\\", "/").rpartition("/")[2]
        if not _content_in(name) or not self._files.has_file(f"{INPUTS}/{name}"):
            return None
        own = self._path(name)
        if path == f"{INPUTS}/{name}":  # as requests name it, whatever the working directory has
            return own
        return None if is_local_file(path) and _differ(Path(path).expanduser(), own) else own

    def is_intact(self, file: Path) -> bool:
        """Return whether an input file has the content after which it is named."""
        try:
            with self._files.open(f"{INPUTS}/{file.name}") as content:
                return _digest_of(content) == _content_in(file.name)
        except OSError:
            return False

    def sent_links(self, key: str, place: str | None = None) -> dict[str, str]:
        """Return the links with which a task was sent, by the names of its files.

        Args:
            key: the key of the task.
            place: only if the files were at this place.
        """
        try:
            note = json.loads(self._files.read(_list_of(key), _LARGEST_LIST))
            links = dict(note["links"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}
        return {
            name: url for name, url in links.items() if place in (None, note.get("place")) and is_web_url(url)
        }

    def remember_sent(self, key: str, place: str, links: Mapping[Path, str]) -> None:
        """Note the links with which a task is about to be sent. Sent again, they must be the same."""
        if hide("\n".join(links.values())) != "\n".join(links.values()):
            return
        content = {"place": place, "links": {file.name: url for file, url in links.items()}}
        with suppress(OSError):
            self._files.write(_list_of(key), json.dumps(content, ensure_ascii=False, indent=1))

    def forget_sent(self, key: str) -> None:
        """Remove the note of the links of a task."""
        with suppress(OSError):
            self._files.remove(_list_of(key))

    def _path(self, name: str) -> Path:
        return (self._folder / INPUTS / name).absolute()

    def link_of(self, file: Path, place: str) -> Link | None:
        """Return the link to a file at a place; ``None`` if none is noted, or it has ended."""
        try:
            note = json.loads(self._files.read(_note_of(file, place), _LARGEST_NOTE))
            url, end = note["url"], note["expires_at"]
            expires_at = None if end is None else datetime.fromisoformat(end).astimezone(UTC)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        is_over = expires_at is not None and expires_at <= datetime.now(UTC)
        return None if is_over or note.get("place") != place or not is_web_url(url) else Link(url, expires_at)

    def remember(self, file: Path, place: str, link: Link) -> None:
        """Note the link to a file; a note that cannot be written only means another upload later.

        A link with an API key is not noted: no file may hold a key.
        """
        if hide(link.url) != link.url:
            return
        end = None if link.expires_at is None else link.expires_at.isoformat()
        content = {"file": file.name, "place": place, "url": link.url, "expires_at": end}
        with suppress(OSError):
            self._files.write(_note_of(file, place), json.dumps(content, ensure_ascii=False, indent=1))

    def forget(self, file: Path, place: str) -> None:
        """Remove the note of a link."""
        with suppress(OSError):
            self._files.remove(_note_of(file, place))


def _differ(one: Path, other: Path) -> bool:
    """Return whether two files have different contents."""
    try:
        return not one.samefile(other) and not filecmp.cmp(one, other, shallow=False)
    except OSError:
        return True


def _content_in(name: str) -> str:
    """Return the hash of the content in the name of an input file; empty if the name is of no such file."""
    found = _NAME.fullmatch(name)
    return "" if found is None else found[1]


def _note_of(file: Path, place: str) -> str:
    """Return the name of the note about the upload of a file to a place."""
    digest = hashlib.sha256(f"{_content_in(file.name) or file.name}\n{place}".encode(errors="surrogatepass"))
    return f"{INPUTS}/upload-{digest.hexdigest()[:32]}.json"


def _list_of(key: str) -> str:
    """Return the name of the note about the links of a task."""
    return f"{INPUTS}/sent-{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()[:32]}.json"


def _digest_of(source: BytesIO | FileIO) -> str:
    digest = hashlib.sha256()
    while piece := source.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()[:_DIGITS]
