"""Bringing a video to a file, over a line that may break."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from ...exceptions import ConnectionFailed, DownloadFailed, LinkExpired
from ...i18n import N_, tr
from ...system.files import is_held, reason_of
from ..contract.urls import without_query
from ..http.answers import retry_after
from ..http.gunzip import Gunzip
from ..http.transport import Stream, Transport
from .mp4 import is_whole
from .partial import HEAD, Differs, Partial
from .validators import is_proven, strong_validator

__all__ = ["Download", "OnProgress"]

#: Called with the bytes received so far, and the bytes in all (``None`` while unknown).
OnProgress = Callable[[int, int | None], None]

#: Tries in a row that bring nothing.
_ATTEMPTS = 4
#: Seconds before the next try; each further one that brings nothing waits twice as long.
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
_COMPRESSED = N_(
    "The server sends the video compressed, although asked not to, and it cannot be decompressed."
)
_NOT_RESUMED = N_("The server of the video did not go on where it had stopped.")
_NOTHING = N_("The server of the video sent nothing.")
_STOPPED = N_("The server of the video stopped after {received} of {total} bytes.")
_WEB_PAGE = N_("The link leads to a web page instead of a video ({link}).")
_NO_VIDEO = N_("The link leads to something else instead of a video ({link}).")
_TOO_LARGE = N_("The video has {size:.1f} MB or more, and {limit:.1f} MB are accepted.")
_NOT_WRITTEN = N_("The video could not be written to {path}: {reason}.")
_NOT_NAMED = N_(
    "The video is whole, as {part}, but could not be renamed to {path}: {reason}. Saving it again costs "
    "nothing."
)
_CHANGED = N_("Another program changed {part} while the video was being written to it.")
_NOT_WHOLE = N_("The video that came ends in the middle, after {received} bytes.")
#: How a WebM begins. It need not say how long it is, so only an mp4 can be seen to be whole.
_WEBM = b"\x1aE\xdf\xa3"


class Download:
    """One download of one video, over as many connections as it takes.

    The bytes go to a part beside ``path``, which becomes ``path`` when they are complete, and is removed when
    they never will be. An interrupted transfer goes on where it stopped, in another kernel too, if the server
    can prove that the file is still the same one, and else begins again. It is given up when 4 connections in
    a row have not brought it further.

    Args:
        transport: opens the link.
        url: an http(s) URL.
        path: the file to write; its folder exists.
        on_progress: called after each piece.
        max_bytes: the largest file to accept.
        film: a name of the video that all links to it share; by default the link without its signature.
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
        film: str | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._transport = transport
        self._url = url
        self._path = path
        link = without_query(url)
        self._part = Partial(path, film or link, link)
        self._on_progress = on_progress
        self._max_bytes = max_bytes
        self._closed = transport.closed
        self._sleep = sleep or self._closed.wait
        self._gunzip: Gunzip | None = None
        self._asked_pause: float | None = None
        self._went_on = False
        self._refusals = 0

    def run(self) -> Path:
        """Downloads, and returns the path.

        Raises:
            LinkExpired: the server has the video no longer.
            DownloadFailed: it could not be saved; the text says why.
        """
        try:
            with self._writing():
                self._part.open()
            if not self._part.is_whole:
                self._try_until_whole()
            with self._writing():
                self._part.finish()
        finally:
            self._part.close()
        return self._path

    def _try_until_whole(self) -> None:
        tries = failures = 0
        while (reason := self._try_once()) is not None:
            tries += 1
            # A line that always breaks brings the whole in the end, as long as each try brings a piece.
            failures = 0 if self._went_on else failures + 1
            if self._closed.is_set():
                raise self._failed(tr(_CLOSED))
            if (self._asked_pause or 0.0) > _LONGEST_PAUSE:
                # Longer than a thread should stand idle, and for whoever asked to decide.
                raise self._failed(
                    tr(_TO_WAIT).format(reason=reason, seconds=self._asked_pause), transient=True
                )
            if failures == _ATTEMPTS:
                raise self._failed(tr(_TRIED).format(reason=reason, count=tries), transient=True)
            if self._refusals == _ATTEMPTS - 1:
                self._set_aside()  # perhaps it is the asking for a part that is refused
            self._sleep(self._asked_pause or _FIRST_PAUSE * 2 ** max(0, failures - 1))

    def _try_once(self) -> str | None:
        """Receives what it can; returns why it is worth another try, ``None`` when the video is whole."""
        part, had, resumed = self._part, self._part.size, self._part.can_go_on
        headers = {"Range": f"bytes={part.overlap}-", "If-Range": part.validator or ""} if resumed else {}
        self._asked_pause, self._went_on, self._gunzip = None, False, None
        try:
            with self._transport.stream(self._url, headers) as stream:
                reason = self._refusal(stream, resumed)
                if reason is None:
                    self._begin(stream)
                    for piece in self._pieces(stream):
                        self._take(piece)
                        # What is here was sent once more as a proof, and brings nothing further.
                        self._went_on = stream.status == HTTPStatus.PARTIAL_CONTENT and part.size > had
                    reason = self._lack()
                return reason
        except ConnectionFailed as error:
            return str(error)
        except Differs:
            self._set_aside()
            return tr(_NOT_RESUMED)

    def _refusal(self, stream: Stream, resumed: bool) -> str | None:
        """Why this answer brings nothing but another try may, ``None`` when it brings the video."""
        status = stream.status
        if status in _GONE:
            told = tr(_ENDED).format(status=status, link=self._shown)
            # Only 410 says that it is so for good; the others may also mean "not yet".
            raise LinkExpired(told, url=self._url, transient=status != HTTPStatus.GONE)
        if status in _PASSING or status >= 500:
            self._asked_pause = retry_after(stream.headers)
            self._refusals = self._refusals + 1 if resumed else 0
            return tr(_REFUSED).format(status=status)
        self._refusals = 0
        if status == HTTPStatus.OK or (resumed and self._is_rest(stream)):
            return None
        if not resumed:
            raise self._failed(tr(_REFUSED).format(status=status))
        self._set_aside()  # the file there may be another one by now: from the start, then
        return tr(_NOT_RESUMED)

    def _is_rest(self, stream: Stream) -> bool:
        """Tell whether the answer is the rest of the very file whose beginning is here, as far as it says."""
        part, headers = self._part, stream.headers
        return (
            stream.status == HTTPStatus.PARTIAL_CONTENT
            and headers.get("Content-Range") == f"bytes {part.overlap}-{(part.total or 0) - 1}/{part.total}"
            and _encoding(headers) == ""
            and is_proven(headers, part.validator)
        )

    def _begin(self, stream: Stream) -> None:
        if stream.status == HTTPStatus.PARTIAL_CONTENT:
            with self._writing():
                self._part.go_on()
            return
        length = stream.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and len(length) < 20 else None
        if _encoding(stream.headers):
            self._gunzip, total = Gunzip(), None  # the length is that of the compressed video
        if total is not None and total > self._max_bytes:
            raise self._too_large(total)
        with self._writing():
            self._part.begin(total, strong_validator(stream.headers) if total is not None else None)

    def _pieces(self, stream: Stream) -> Iterator[bytes]:
        if self._gunzip is None:
            yield from stream.chunks()
            return
        try:
            for chunk in stream.chunks():
                yield from self._gunzip.pieces(chunk)
        except zlib.error:
            raise self._useless(tr(_COMPRESSED), transient=True) from None

    def _take(self, piece: bytes) -> None:
        if self._closed.is_set():
            raise self._failed(tr(_CLOSED))
        part, had = self._part, self._part.size
        with self._writing():
            part.write(piece)
        if part.size > self._max_bytes:
            raise self._too_large(part.size)
        if had < HEAD <= part.size:
            self._check_head()
        if self._on_progress is not None and part.size > had:
            self._on_progress(part.size, part.total)

    def _lack(self) -> str | None:
        part = self._part
        if part.size == 0:
            return tr(_NOTHING)
        if part.total is not None and part.size != part.total:
            return tr(_STOPPED).format(received=part.size, total=part.total)
        if part.size < HEAD:
            self._check_head()
        is_ended = self._gunzip is None or self._gunzip.is_complete
        if not is_ended or not (part.head.startswith(_WEBM) or is_whole(part.file, part.size)):
            part.validator = None  # whatever the server says of its length: from the start, then
            return tr(_NOT_WHOLE).format(received=part.size)
        with self._writing():
            if part.is_intact():
                return None
        part.validator = None
        return tr(_CHANGED).format(part=part.path)

    def _check_head(self) -> None:
        head = self._part.head
        if head[4:8] == b"ftyp" or head.startswith(_WEBM):
            return
        if self._gunzip is not None:
            raise self._useless(tr(_COMPRESSED))
        words = tr(_WEB_PAGE) if head.lstrip().startswith(b"<") else tr(_NO_VIDEO)
        raise self._useless(words.format(link=self._shown))

    def _set_aside(self) -> None:
        with self._writing():
            self._part.set_aside()

    @property
    def _shown(self) -> str:
        return without_query(self._url)

    def _too_large(self, size: int) -> DownloadFailed:
        return self._useless(tr(_TOO_LARGE).format(size=size / 1e6, limit=self._max_bytes / 1e6))

    def _useless(self, message: str, *, transient: bool = False) -> DownloadFailed:
        """The error for bytes that are of no use to any later download."""
        self._part.validator = None
        return self._failed(message, transient=transient)

    def _failed(self, message: str, *, transient: bool = False) -> DownloadFailed:
        part = self._part.path if self._part.is_whole and self._part.path.exists() else None
        return DownloadFailed(
            message, url=self._url, transient=transient, retry_after=self._asked_pause, part=part
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
            part = self._part.path
            is_lost = self._part.is_whole and not part.exists()  # removed under us: another try brings it
            message = tr(_NOT_NAMED if self._part.is_whole and not is_lost else _NOT_WRITTEN)
            message = message.format(path=self._path, part=part, reason=reason_of(error, part))
            raise self._failed(message, transient=is_lost or is_held(error)) from None


def _encoding(headers: Mapping[str, str]) -> str:
    """Return the compression of the body, empty where there is none."""
    name = headers.get("Content-Encoding", "").strip().lower()
    return "" if name == "identity" else name
