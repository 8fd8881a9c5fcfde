"""Import of videos and sidecars that are in a folder but missing from its journal."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.contract.problem import listed
from ..service.contract.snapshot import TaskStatus
from .deletion_moves import finish_moves
from .deletion_target import DeletionTarget
from .entry import Entry
from .film_files import FilmFiles, LeftOut, readable
from .restoring import restore_moved_back
from .sidecar import MOMENTS, describes_another, has_foreign_sidecar, read_sidecar, sidecar_path

if TYPE_CHECKING:
    from .judgements import Judgements

__all__ = ["Import", "ImportTarget", "import_folder", "no_folder"]

_ADDED = N_("Videos added from {folder}: {count}. Already in the library: {known}.")
_LEFT_OUT = N_("Left out: {names} ({reason}).")
_AND_MORE = N_("{names} and {count} more")
_FOREIGN = N_("not a sidecar of this package; {video} was added without it")
_OF_ANOTHER = N_("it describes another video of this folder; {video} was added without it")
#: Names in a line of a report. All of them are in its attributes.
_MOST_NAMED = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _END_YEAR = 1971, 3000
_TEXTS = ("key", "service", "task_id", "model", "contract")
#: Maximum characters of such a text, because PostgreSQL cannot index long ones.
_LONGEST = 500


@dataclass(frozen=True)
class Import:
    """The result of an import; its text is the report that ``Library.import_`` prints.

    Attributes:
        folder: the folder.
        added: the names of the videos that were added to the library.
        known: the number of videos that it had already.
        left_out: the other files, each with the reason.
    """

    folder: Path
    added: tuple[str, ...]
    known: int
    left_out: tuple[LeftOut, ...]

    def __str__(self) -> str:
        added = tr(_ADDED).format(folder=self.folder, count=len(self.added), known=self.known)
        reasons: dict[str, list[str]] = {}
        for file in self.left_out:
            reasons.setdefault(file.reason, []).append(file.name)
        lines = (
            tr(_LEFT_OUT).format(names=_named(names), reason=reason) for reason, names in reasons.items()
        )
        return "\n".join((added, *lines))


class ImportTarget(DeletionTarget, Protocol):
    """The library that videos are imported into."""

    @property
    def judgements(self) -> Judgements:
        """The ratings, tags and notes."""

    def entries(self) -> list[Entry]:
        """Return the tasks in the journal."""

    def add(self, entry: Entry) -> None:
        """Write a new row."""

    def update(self, key: str, *, reopen: bool = False, **columns: Any) -> None:
        """Change columns of a row."""


def import_folder(library: ImportTarget) -> Import:
    """Add to the journal every video of the folder that it lacks, with its judgement.

    A video without a sidecar is added too, with only its name and time. No file of the folder is changed. A
    deleted video that the user has moved back from the trash is restored with its task.

    Raises:
        QingboError: the folder cannot be read, or the journal cannot be written.
    """
    listing = _listing(library.folder)
    deleted = finish_moves(library)
    restored = restore_moved_back(library, [name for name in listing.names if name not in deleted])
    entries = library.entries()
    files = {entry.file for entry in entries if entry.file}
    # On Windows and macOS a file may be listed under a different spelling than it was saved under: with
    # letters in another case, or with accents as separate characters.
    respelt = {_folded(file) for file in files.difference(listing.names) if (library.folder / file).is_file()}
    known = {*files, *deleted} - restored
    new = [name for name in listing.names if name not in known and _folded(name) not in respelt]
    register = _Register(library, entries)
    added, left_out = [], list(listing.left_out)
    for name in new:
        if name in restored:
            added.append(name)
            continue
        if (reason := listing.check(name)) is not None:
            left_out.append(LeftOut(readable(name), reason))
            continue
        video = library.folder / name
        try:
            remark = _remark(video)
            register.add(video, {} if remark else read_sidecar(video) or {})
        except FileNotFoundError as error:  # removed since it was checked
            left_out.append(LeftOut(readable(name), error.strerror or str(error)))
            continue
        left_out += [remark] if remark else []
        added.append(name)
    return Import(library.folder, tuple(added), len(listing.names) - len(new), tuple(left_out))


class _Register:
    """The journal of a library, with what decides about the row of a video."""

    def __init__(self, library: ImportTarget, entries: Iterable[Entry]) -> None:
        self._library = library
        # Including tasks whose file the user has renamed together with its sidecar.
        self._without_file = {
            entry.key for entry in entries if not ((file := library.video_of(entry)) and file.is_file())
        }
        self._used_keys = {entry.key for entry in entries}

    def add(self, video: Path, sidecar: Mapping[str, Any]) -> None:
        """Give a video its row.

        Raises:
            FileNotFoundError: there is no such file.
        """
        entry = _entry(video, sidecar)
        if entry.key in self._without_file:
            done = {"status": entry.status, "progress": 100, "error": None}
            self._library.update(entry.key, reopen=True, file=video.name, **done)
            self._without_file.discard(entry.key)
            return
        if entry.key in self._used_keys:  # a copy of a video that is present under another name
            entry = replace(entry, key=uuid.uuid4().hex)
        self._used_keys.add(entry.key)
        self._library.add(entry)
        _judge(self._library.judgements, entry.key, sidecar)


def no_folder(folder: str | Path) -> QingboError:
    """Return the error for a folder that does not exist."""
    return QingboError(tr("There is no folder {path}.").format(path=folder))


def _listing(folder: Path) -> FilmFiles:
    if not folder.exists():
        raise no_folder(folder)
    if not folder.is_dir():
        raise QingboError(tr("{path} is not a folder.").format(path=folder))
    try:
        return FilmFiles(folder)
    except OSError as error:
        message = tr("The folder {path} cannot be read: {reason}.")
        raise QingboError(message.format(path=folder, reason=error.strerror or error)) from None


def _remark(video: Path) -> LeftOut | None:
    """Return why the JSON file beside a video is not its sidecar; ``None`` if it is, or there is none."""
    path = sidecar_path(video)
    if has_foreign_sidecar(video):
        return LeftOut(readable(path.name), tr(_FOREIGN).format(video=readable(video.name)))
    if describes_another(video):
        return LeftOut(readable(path.name), tr(_OF_ANOTHER).format(video=readable(video.name)))
    return None


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    if more <= 1:
        return listed(names)
    return tr(_AND_MORE).format(names=listed(names[:_MOST_NAMED]), count=more)


def _judge(judgements: Judgements, key: str, sidecar: Mapping[str, Any]) -> None:
    rating, tags, note = map(sidecar.get, ("rating", "tags", "note"))
    if type(rating) is int and rating in range(6):
        judgements.rate(key, rating)
    if isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags):
        judgements.tag(key, tags)
    if isinstance(note, str) and note:
        judgements.note(key, note)


def _entry(video: Path, sidecar: Mapping[str, Any]) -> Entry:
    """Return a row for a video. A sidecar may come from anywhere, so every value is checked."""
    texts = {name: sidecar[name] for name in _TEXTS if _is_short_text(sidecar.get(name))}
    times = {name: moment for name in MOMENTS if (moment := _moment(sidecar.get(name))) is not None}
    # Not fromtimestamp, which rejects dates before 1970 on Windows; some copied files have such a date.
    try:
        modified_at = _EPOCH + timedelta(seconds=video.stat().st_mtime)
    except OverflowError:  # some file systems allow any date
        modified_at = datetime.now(UTC)
    request = sidecar.get("request")
    defaults = {"key": uuid.uuid4().hex, "service": "unknown", "submitted_at": modified_at}
    return Entry(
        **{**defaults, **texts, **times},
        request=request if isinstance(request, dict) else None,
        cost=cost if type(cost := sidecar.get("cost")) is int else None,
        status=TaskStatus.completed.value,
        progress=100,
        file=video.name,  # the actual name, whatever the sidecar says
    )


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # A date far outside this range could not be shown: Windows has no local time for it.
    return moment if moment.tzinfo and _FIRST_YEAR <= moment.year < _END_YEAR else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
