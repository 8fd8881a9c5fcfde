"""Bringing a video to a file, over a line that may break."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from io import FileIO
from pathlib import Path

from ..exceptions import ConnectionFailed, DownloadFailed, LinkExpired
from ..i18n import N_, tr
from .answers import retry_after
from .transport import Stream, Transport
from .urls import without_query

__all__ = ["Download", "OnProgress"]

#: Called with the bytes received so far, and the bytes in all (``None`` while unknown).
OnProgress = Callable[[int, int | None], None]

_ATTEMPTS = 4
#: Seconds before the second try; each further one waits twice as long.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_GONE = (403, 404, 410)
_PASSING = (408, 425, 429)
_CLOSED = N_("The client was closed before the video was whole; another download costs nothing.")
_TO_WAIT = N_("{reason} It asks to wait {seconds:.0f} s; another download costs nothing.")
_TRIED = N_("{reason} {count} tries were made; another download costs nothing.")
_ENDED = N_(
    "The link to the video has ended ({status}, {link}): links live for 24 hours. The task's status may name "
    "a new one."
)
_REFUSED = N_("The server of the video answered {status}.")
_COMPRESSED = N_("The server sends the video compressed, although asked not to.")
_NOT_RESUMED = N_("The server of the video did not go on where it had stopped.")
_NOTHING = N_("The server of the video sent nothing.")
_STOPPED = N_("The server of the video stopped after {received} of {total} bytes.")
_WEB_PAGE = N_("The link leads to a web page instead of a video ({link}).")
_NO_VIDEO = N_("The link leads to something else instead of a video ({link}).")
_TOO_LARGE = N_("The video has {size:.1f} MB or more, and {limit:.1f} MB are accepted.")
_NOT_WRITTEN = N_("The video could not be written to {path}: {reason}.")
_FULL = (errno.ENOSPC, errno.EDQUOT)
#: Bytes needed to recognise a video.
_HEAD = 12


class Download:
    """One download of one video, over as many connections as it takes (at most 4).

    The bytes go to ``<path>.part``, which becomes ``path`` when they are complete, and is removed when they
    never will be. An interrupted transfer goes on where it stopped if the server can prove that the file is
    still the same one (``If-Range``), and else begins again.

    Args:
        transport: opens the link.
        url: an http(s) URL.
        path: the file to write; its folder exists.
        on_progress: called after each piece.
        max_bytes: the largest file to accept.
        sleep: waits between tries, in seconds; by default until the transport is closed, at most.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        path: Path,
        on_progress: OnProgress | None = None,
        *,
        max_bytes: int,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._transport = transport
        self._url = url
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._on_progress = on_progress
        self._max_bytes = max_bytes
        self._closed = transport.closed
        self._sleep = sleep or self._closed.wait
        self._received = 0
        self._total: int | None = None
        self._validator: str | None = None
        self._asked_pause: float | None = None
        self._head = b""

    def run(self) -> Path:
        """Downloads, and returns the path.

        Raises:
            LinkExpired: the server has the video no longer.
            DownloadFailed: it could not be saved; the text says why.
        """
        try:
            with self._writing():
                file = self._part.open("wb", buffering=0)
            with file:
                self._try_several_times(file)
                # On the disk before it has its name: after a power cut it is whole, or not there.
                with self._writing():
                    os.fsync(file.fileno())
            with self._writing():
                self._part.replace(self._path)
        finally:
            with suppress(OSError, ValueError):
                self._part.unlink(missing_ok=True)
        return self._path

    def _try_several_times(self, file: FileIO) -> None:
        pause = _FIRST_PAUSE
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(self._asked_pause or pause)
                pause *= 2
            self._asked_pause = None
            reason = self._try_once(file)
            if reason is None:
                return
            if self._closed.is_set():
                raise self._failed(tr(_CLOSED))
            if (self._asked_pause or 0.0) > _LONGEST_PAUSE:
                # Longer than a thread should stand idle, and for whoever asked to decide.
                raise self._failed(
                    tr(_TO_WAIT).format(reason=reason, seconds=self._asked_pause), transient=True
                )
        raise self._failed(tr(_TRIED).format(reason=reason, count=_ATTEMPTS), transient=True)

    def _try_once(self, file: FileIO) -> str | None:
        """Receives what it can; returns why it is worth another try, ``None`` when the video is whole."""
        resumed = self._received > 0 and self._validator is not None
        headers = {"Range": f"bytes={self._received}-", "If-Range": self._validator or ""} if resumed else {}
        try:
            with self._transport.stream(self._url, headers) as stream:
                reason = self._refusal(stream, resumed)
                if reason is None:
                    if stream.status == HTTPStatus.OK:
                        self._begin(stream, file)
                    for chunk in stream.chunks():
                        self._take(chunk, file)
                    reason = self._lack()
                return reason
        except ConnectionFailed as error:
            return str(error)

    def _refusal(self, stream: Stream, resumed: bool) -> str | None:
        """Why this answer brings nothing but another try may, ``None`` when it brings the video."""
        status = stream.status
        if status in _GONE:
            raise LinkExpired(tr(_ENDED).format(status=status, link=self._shown), url=self._url)
        if status in _PASSING or status >= 500:
            self._asked_pause = retry_after(stream.headers)
            return tr(_REFUSED).format(status=status)
        if stream.headers.get("Content-Encoding", "identity") != "identity":
            raise self._failed(tr(_COMPRESSED))
        if status == HTTPStatus.OK:
            return None
        if not resumed or status not in (
            HTTPStatus.PARTIAL_CONTENT,
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        ):
            raise self._failed(tr(_REFUSED).format(status=status))
        if status == HTTPStatus.PARTIAL_CONTENT and stream.headers.get("Content-Range") == self._rest:
            return None
        self._validator = None  # the file there is another one by now: from the start, then
        return tr(_NOT_RESUMED)

    @property
    def _rest(self) -> str:
        """The ``Content-Range`` of what is missing."""
        return f"bytes {self._received}-{(self._total or 0) - 1}/{self._total}"

    def _begin(self, stream: Stream, file: FileIO) -> None:
        length = stream.headers.get("Content-Length", "")
        tag = stream.headers.get("ETag", "")
        self._total = int(length) if length.isdecimal() and len(length) < 20 else None
        # A weak tag vouches for the meaning, not for the bytes.
        strong = tag if tag.startswith('"') else stream.headers.get("Last-Modified")
        self._validator = strong if self._total is not None else None
        if self._total is not None and self._total > self._max_bytes:
            raise self._too_large(self._total)
        if self._received:
            with self._writing():
                file.seek(0)
                file.truncate()
        self._received = 0
        self._head = b""

    def _take(self, chunk: bytes, file: FileIO) -> None:
        if self._closed.is_set():
            raise self._failed(tr(_CLOSED))
        self._received += len(chunk)
        if self._received > self._max_bytes:
            raise self._too_large(self._received)
        if len(self._head) < _HEAD:
            self._head += chunk[:_HEAD]
            if len(self._head) >= _HEAD:
                self._check_head()
        with self._writing():
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) :]
        if self._on_progress is not None:
            self._on_progress(self._received, self._total)

    def _lack(self) -> str | None:
        if self._received == 0:
            return tr(_NOTHING)
        if self._total is not None and self._received != self._total:
            return tr(_STOPPED).format(received=self._received, total=self._total)
        if self._received < _HEAD:
            self._check_head()
        return None

    def _check_head(self) -> None:
        if self._head[4:8] == b"ftyp" or self._head.startswith(b"\x1aE\xdf\xa3"):
            return
        words = tr(_WEB_PAGE) if self._head.lstrip().startswith(b"<") else tr(_NO_VIDEO)
        raise self._failed(words.format(link=self._shown))

    @property
    def _shown(self) -> str:
        return without_query(self._url)

    def _too_large(self, size: int) -> DownloadFailed:
        return self._failed(tr(_TOO_LARGE).format(size=size / 1e6, limit=self._max_bytes / 1e6))

    def _failed(self, message: str, *, transient: bool = False) -> DownloadFailed:
        pause = self._asked_pause
        return DownloadFailed(message, url=self._url, transient=transient, retry_after=pause)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
            number = getattr(error, "errno", None)
            words = getattr(error, "strerror", "") or str(error)
            if number in _FULL:
                words = tr("the disk is full")
            raise self._failed(tr(_NOT_WRITTEN).format(path=self._path, reason=words)) from None
