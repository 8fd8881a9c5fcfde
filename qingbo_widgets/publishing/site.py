"""A built site: its pages are completed with the videos and pictures that they show."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ..i18n import N_, sentences, tr
from ..library.sidecar import is_saved_video
from ..service.contract.text import plain_line
from ..system.companions import POSTERS
from ..system.files import reason_of
from ..system.folder import Folder
from .page_urls import replace_urls
from .sources import NotPublished, is_media_name, open_media

__all__ = ["Missing", "Site"]

_COPIED = N_("Videos and pictures copied: {count} ({size}).")
_KEPT = N_("Already there: {count}.")
_NOTHING = N_(
    "The pages show no videos or pictures of their own folder. Before you publish a notebook, run it and "
    "save it."
)
_MISSING = N_("{page}: {name} is missing: {reason}.")
_UNREADABLE = N_("{path} cannot be read or written: {reason}.")
_NO_FILE = N_("there is no such file; run the notebook to its end, with its videos finished")
_TAKEN = N_("a library in the folder of the pages has another video of that name")
#: Characters of a URL that no file of this package has, and that systems understand in different ways.
_STRANGE = re.compile(r"[\\\x00-\x1f\x7f]")


class _Taken(NotPublished):
    """The error for a file whose place in the site has a video that this package has saved."""


@dataclass(frozen=True)
class Missing:
    """A file that a page shows and the site lacks.

    Attributes:
        page: the page, relative to the site.
        url: the URL in the page, decoded.
        reason: why, without a full stop.
    """

    page: str
    url: str
    reason: str

    def __str__(self) -> str:
        name = plain_line(self.url)
        return tr(_MISSING).format(page=plain_line(self.page), name=name, reason=self.reason)


@dataclass
class Site:
    """A folder of pages, built from a folder of notebooks.

    A file has the same place in both folders, so that pages share it; a URL that leads elsewhere is changed.
    Nothing is written outside the site.

    Args:
        source: the folder of the notebooks.
        output: the folder of the pages.

    Attributes:
        copied: the sizes of the copied files in bytes, by their names in the site.
        kept: the names of the files that were there already.
        failures: sentences about pages that could not be read or written.
    """

    source: Path
    output: Path
    copied: dict[str, int] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    _missing: dict[Missing, None] = field(default_factory=dict)
    _places: dict[Path, str] = field(default_factory=dict)
    _outside: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source, self.output = map(_absolute, (self.source, self.output))

    @property
    def missing(self) -> list[Missing]:
        """The files that are not there."""
        return list(self._missing)

    def complete(self, page: Path, folders: Sequence[Path]) -> None:
        """Copy the files that a page shows, and change the URLs that lead elsewhere.

        Args:
            page: a page of the site.
            folders: the folder of its notebook; several if that is not certain, the likeliest first.
        """
        try:
            self._complete(page, folders)
        except OSError as error:
            self.failures.append(tr(_UNREADABLE).format(path=page, reason=reason_of(error, page)))

    def _complete(self, page: Path, folders: Sequence[Path]) -> None:
        name = _absolute(page).relative_to(self.output).as_posix()
        site = Folder(self.output)
        with site.open(name) as file:
            text = file.readall().decode("utf-8", "surrogateescape")
        here = self.output / Path(name).parent
        found = [*map(_absolute, folders)]
        found.append(self.source / Path(name).parent)  # where the place of a changed URL is in the source

        def replace(url: str, is_shown: bool) -> str | None:
            path = _path_of(url)
            if path is None or not (is_shown or is_media_name(path)):
                return None
            try:
                place = self._place_of(path, found)
            except FileNotFoundError:
                if is_media_name(path) and not self._has(here, path):
                    self._miss(name, path, tr(_NO_FILE))
                return None
            except NotPublished as error:
                if isinstance(error, _Taken) or not self._has(here, path):
                    self._miss(name, path, str(error))
                return None
            if _joined(here, path) == self.output / place:
                return None
            parts = urlsplit(url)
            relative = os.path.relpath(self.output / place, here).replace(os.sep, "/")
            new = quote(relative) if relative.startswith("../") else f"./{quote(relative)}"
            return parts._replace(path=new).geturl()

        new = replace_urls(text, replace)
        if new != text:
            site.write(name, new.encode("utf-8", "surrogateescape"))

    def problems(self) -> list[str]:
        """Return a sentence for each page that is not complete, and each file that is missing."""
        return [*self.failures, *map(str, self.missing)]

    def report(self) -> str:
        """Return a sentence about the files that were copied, and those that were there."""
        if not self.copied and not self.kept:
            return "" if self._missing else tr(_NOTHING)
        size = f"{sum(self.copied.values()) / 1e6:.1f} MB"
        return sentences(
            tr(_COPIED).format(count=len(self.copied), size=size) if self.copied else "",
            tr(_KEPT).format(count=len(self.kept)) if self.kept else "",
        )

    def _has(self, folder: Path, path: str) -> bool:
        """Return whether a page in a folder of the site finds a file there."""
        try:
            return Folder(self.output).has_file(_joined(folder, path).relative_to(self.output).as_posix())
        except ValueError:  # it is above the site
            return False

    def _miss(self, page: str, url: str, reason: str) -> None:
        self._missing[Missing(page, url, reason)] = None

    def _place_of(self, path: str, folders: Iterable[Path]) -> str:
        """Return the name in the site of a file of a page, which is copied if it is not there.

        Raises:
            FileNotFoundError: it exists in none of the folders.
            NotPublished: it is not copied.
        """
        problem: NotPublished | None = None
        for folder in folders:
            source = _joined(folder, path)
            if source in self._places:
                return self._places[source]
            try:
                with open_media(source, self.source) as file:
                    place = self._name_of(source)
                    self._copy(file, place)
            except FileNotFoundError:
                continue
            except NotPublished as error:
                problem = problem or error
                continue
            self._places[source] = place
            return place
        raise problem or FileNotFoundError(path)

    def _name_of(self, source: Path) -> str:
        """Return the name in the site of a file; a folder outside the source gets its name at the top."""
        if source.is_relative_to(self.source):
            return source.relative_to(self.source).as_posix()
        folder = source.parent
        inner = [source.name]
        if folder.name == POSTERS:
            inner.insert(0, folder.name)
            folder = folder.parent
        if folder not in self._outside:
            self._outside[folder] = self._free(folder.name or "videos")
        return "/".join([self._outside[folder], *inner])

    def _free(self, name: str) -> str:
        """Return the name of a folder of the site that no folder of the source has."""
        taken, number, free = set(self._outside.values()), 1, name
        while free in taken or (self.source / free).exists():
            number += 1
            free = f"{name}-{number}"
        return free

    def _copy(self, file: FileIO, place: str) -> None:
        """Copy a file into the site, unless it is there already.

        Raises:
            NotPublished: the site cannot be written there.
        """
        info = os.fstat(file.fileno())
        site = Folder(self.output)
        try:
            with site.open(place) as there:
                old = os.fstat(there.fileno())
            if os.path.samestat(old, info) or (old.st_size == info.st_size and old.st_mtime >= info.st_mtime):
                self.kept.add(place)
                return
            if is_saved_video(self.output / place):
                raise _Taken(tr(_TAKEN))
        except OSError:
            pass
        try:
            site.write(place, file)
        except OSError as error:
            raise NotPublished(reason_of(error, self.output / place)) from None
        self.copied[place] = info.st_size


def _path_of(url: str) -> str | None:
    """Return the path of a relative URL, decoded; ``None`` for every other URL, and for a strange path."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or not path or path.startswith("/") or _STRANGE.search(path):
        return None
    if os.name == "nt" and ":" in path:  # a drive, or a stream of a file
        return None
    return path


def _absolute(path: Path) -> Path:
    """Return an absolute path without following links, because pages reach linked folders by their names."""
    return _joined(Path.cwd(), path)


def _joined(folder: Path, path: Path | str) -> Path:
    return Path(os.path.normpath(folder / path))
