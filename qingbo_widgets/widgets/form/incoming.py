"""Files that arrive from the page in pieces, because Jupyter closes a connection at a message above 10 MiB.

The page sends at most a few pieces ahead of the last acknowledgement. A piece that does not continue its file
is ignored: the page that waits in vain asks how much has arrived, and sends the rest again. So a lost
connection costs some pieces, and a kernel that was busy for long gets the whole file again.

A file has a hidden name until it is complete, and nothing is left of one that was cancelled, whose page was
closed, or whose kernel has ended.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from io import FileIO
from pathlib import Path
from typing import Any

from ...i18n import N_, tr
from ...library.file_names import readable_name
from ...service.contract.text import plain_line
from ...system.files import reason_of
from ...system.folder import Folder
from ..base.sync import refresher, safely, update, weakly

__all__ = ["CHOSEN", "PIECE", "Incoming", "base_name"]

logger = logging.getLogger("qingbo_widgets")

#: Subfolder of the library's folder.
CHOSEN = "chosen"
#: Maximum bytes of a piece.
PIECE = 2**20
#: Maximum number of files that one control receives at a time; the page sends fewer.
MOST = 4
#: Seconds without a message after which the page counts as closed. One that waits asks every 15 seconds.
IDLE = 120.0
#: Seconds after which the file of a kernel that was killed is removed.
_ABANDONED = 86400.0
_HIDDEN = ".incoming-"
_ID = re.compile(r"[\w-]{1,64}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")

_NOT_SAVED = N_("{name} could not be saved: {reason}.")


class Incoming:
    """The files that one control receives.

    Args:
        folder: returns the folder that gets the files, in its subfolder ``chosen``; ``None`` for a
            temporary folder, which ends with the kernel.
        limit: the maximum bytes of a file.
        on_file: called with the path of each file and the name that it had, in the order in which the files
            were chosen, in the thread that calls ``receive``.
        send: sends the page a message.
        on_loss: called with the name of a file that did not arrive because its page was closed.
    """

    def __init__(
        self,
        folder: Callable[[], Path | None],
        limit: int,
        on_file: Callable[[Path, str], object],
        send: Callable[[dict[str, Any]], object],
        on_loss: Callable[[str], object],
    ) -> None:
        self._folder, self._limit, self._on_file = folder, limit, on_file
        self._send, self._on_loss = send, on_loss
        self._transfers: dict[str, _Transfer] = {}
        #: The last files that were handed over: the page may not know it yet.
        self._done: deque[str] = deque(maxlen=100)
        self._heard_at = 0.0

    def receive(self, content: Mapping[str, Any], buffers: list[Any]) -> None:
        """Handle a message from the page, which is checked like any input."""
        kind, key = content.get("kind"), content.get("id")
        if not isinstance(key, str) or not _ID.fullmatch(key):
            return
        with update():
            self._heard_at = time.monotonic()
            if kind == "piece" and len(buffers) == 1:
                self._take(key, content, memoryview(buffers[0]).cast("B"))
            elif kind == "where":
                self._answer(key, content.get("sent"))
            elif kind == "cancel":
                self._drop(key, is_lost=content.get("left") is True)
        self._hand_over()

    def close(self) -> None:
        """Forget what has not arrived completely."""
        with update():
            for key in tuple(self._transfers):
                self._drop(key)

    # ------------------------------------------------------------------ pieces

    def _take(self, key: str, content: Mapping[str, Any], piece: memoryview) -> None:
        """Save a piece, if it continues its file."""
        try:
            transfer, at = self._transfers.get(key), content.get("at")
            if transfer is None:
                if at != 0 or key in self._done:
                    return
                transfer = self._begin(key, content)
            if at == transfer.received:
                transfer.add(piece)
        except OSError as error:
            reason = reason_of(error, self._place().path)
            text = tr(_NOT_SAVED).format(name=base_name(content.get("name")), reason=reason)
            self._refuse(key, text)
        except ValueError as error:
            logger.warning("The page sent no file: %s", error)
            self._refuse(key, "")
        else:
            self._send({"kind": "taken", "id": key, "at": transfer.received})

    def _begin(self, key: str, content: Mapping[str, Any]) -> _Transfer:
        name, size = content.get("name"), content.get("size")
        if type(size) is not int or not 0 < size <= self._limit or not isinstance(name, str):
            raise ValueError(f"{size!r} is no size of a file, or {name!r} no name")
        if len(self._transfers) >= MOST:
            raise ValueError(f"{MOST} files are on their way already")
        place = self._place()
        if not self._transfers:
            refresher.later(IDLE, weakly(self, "_end_if_idle"))
            _remove_abandoned(place)
        self._transfers[key] = transfer = _Transfer(place, base_name(name), size)
        return transfer

    def _answer(self, key: str, sent: object) -> None:
        """Say how much of a file has arrived, nothing if it is not known (any more)."""
        if key in self._done:
            self._send({"kind": "done", "id": key})
            return
        transfer = self._transfers.get(key)
        at = 0 if transfer is None else transfer.received
        self._send({"kind": "here", "id": key, "at": at, "sent": sent})

    def _hand_over(self) -> None:
        """Hand over complete files; one waits for those that were begun before it, to keep their order."""
        while True:
            with update():
                key, transfer = next(iter(self._transfers.items()), ("", None))
                if transfer is None or transfer.path is None:
                    return
                del self._transfers[key]
                self._done.append(key)
            safely(partial(self._on_file, transfer.path, transfer.name))
            self._send({"kind": "done", "id": key})

    # ------------------------------------------------------------------ ends

    def _refuse(self, key: str, text: str) -> None:
        self._drop(key)
        self._send({"kind": "refused", "id": key, "text": text})

    def _drop(self, key: str, *, is_lost: bool = False) -> None:
        transfer = self._transfers.pop(key, None)
        if transfer is not None:
            transfer.discard()
            if is_lost:
                self._on_loss(transfer.name)

    def _end_if_idle(self) -> None:
        """Drop all files if the page is gone. Should it be there after all, it begins anew."""
        with update():
            if not self._transfers:
                return
            if time.monotonic() - self._heard_at < IDLE:
                refresher.later(IDLE, weakly(self, "_end_if_idle"))
                return
            for key in tuple(self._transfers):
                self._drop(key, is_lost=True)

    def _place(self) -> Folder:
        return Folder(self._folder() or Path(_temporary().name))


@dataclass
class _Transfer:
    """One file on its way.

    Attributes:
        place: the folder.
        name: the name that the file had.
        size: its bytes.
        received: the bytes that have arrived.
        path: the file, once it is complete.
    """

    place: Folder
    name: str
    size: int
    received: int = 0
    path: Path | None = None
    _digest: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._part = f"{CHOSEN}/{_HIDDEN}{uuid.uuid4().hex}"
        self._file = self.place.create(self._part)
        # Also called at the end of the kernel.
        self.discard = weakref.finalize(self, _remove, self._file, self.place, self._part, os.getpid())

    def add(self, piece: memoryview) -> None:
        """Save the next piece; after the last one, the file gets its name.

        Raises:
            OSError: the file cannot be written.
            ValueError: the piece is empty, too large, or longer than the rest of the file.
        """
        if not 0 < len(piece) <= min(PIECE, self.size - self.received):
            raise ValueError(f"a piece of {len(piece)} bytes at {self.received} of {self.size}")
        self._digest.update(piece)
        self.received += len(piece)
        while piece:
            piece = piece[self._file.write(piece) :]
        if self.received == self.size:
            self._finish()

    def _finish(self) -> None:
        """Name the file after its name and its content, so that the same one is there once."""
        self._file.close()
        suffix = Path(self.name).suffix.lower()
        suffix = suffix if _SUFFIX.fullmatch(suffix) else ""
        name = f"{CHOSEN}/{readable_name(Path(self.name).stem)}-{self._digest.hexdigest()[:16]}{suffix}"
        with suppress(FileExistsError):
            self.place.move(self._part, name)
        self.discard()
        self.path = (self.place.path / name).absolute()


def base_name(name: object) -> str:
    """Return the last part of a path of any system, as one line of visible characters."""
    text = re.split(r"[/\\]", plain_line(name if isinstance(name, str) else ""))[-1].strip()
    return text[-200:] if text.strip(".") else "file"


def _remove(file: FileIO, place: Folder, part: str, process: int) -> None:
    """Remove a file that is not complete, unless this is a fork of the kernel."""
    if os.getpid() == process:
        with suppress(OSError):
            file.close()
            place.remove(part)


def _remove_abandoned(place: Folder) -> None:
    """Remove the incomplete files of kernels that were killed."""
    for name in place.names(CHOSEN):
        if name.startswith(f"{CHOSEN}/{_HIDDEN}") and time.time() - place.modified_at(name) > _ABANDONED:
            with suppress(OSError):
                place.remove(name)


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="qingbo-")
