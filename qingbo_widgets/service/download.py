"""Bringing a video to a file, over a line that may break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from ..exceptions import ConnectionFailed, DownloadFailed, LinkExpired
from ..i18n import N_, tr
from .answers import retry_after
from .boxes import is_whole
from .files import is_held, reason_of
from .partial import HEAD, Partial
from .transport import Stream, Transport
from .urls import without_query

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
_COMPRESSED = N_("The server sends the video compressed, although asked not to.")
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
_NOT_WHOLE = N_("The video that came ends in the middle, after {received} bytes.")
#: How a WebM begins. It need not say how long it is, so only an mp4 can be seen to be whole.
_WEBM = b"\x1aE\xdf\xa3"


class Download:
    """One download of one video, over as many connections as it takes.

    The bytes go to ``<path>.part``, which becomes ``path`` when they are complete, and is removed when they
    never will be. An interrupted transfer goes on where it stopped, in another kernel too, if the server can
    prove that the file is still the same one (``If-Range``), and else begins again. It is given up when 4
    connections in a row have not brought it further.

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
        self._part = Partial(path, without_query(url))
        self._on_progress = on_progress
        self._max_bytes = max_bytes
        self._closed = transport.closed
        self._sleep = sleep or self._closed.wait
        self._asked_pause: float | None = None
        self._went_on = False
        self._is_refused = False

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
        except DownloadFailed as error:
            if not error.transient and not self._closed.is_set():
                self._part.validator = None  # it never will be whole, so it is not kept
            raise
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
                if self._is_refused:
                    self._part.validator = None  # perhaps it is the asking for a part that is refused
                raise self._failed(tr(_TRIED).format(reason=reason, count=tries), transient=True)
            self._sleep(self._asked_pause or _FIRST_PAUSE * 2 ** max(0, failures - 1))

    def _try_once(self) -> str | None:
        """Receives what it can; returns why it is worth another try, ``None`` when the video is whole."""
        part, resumed = self._part, self._part.size > 0 and self._part.validator is not None
        headers = {"Range": f"bytes={part.size}-", "If-Range": part.validator or ""} if resumed else {}
        self._asked_pause, self._went_on = None, False
        try:
            with self._transport.stream(self._url, headers) as stream:
                reason = self._refusal(stream, resumed)
                if reason is None:
                    if stream.status == HTTPStatus.OK:
                        self._begin(stream)
                    for chunk in stream.chunks():
                        self._take(chunk)
                        self._went_on = stream.status == HTTPStatus.PARTIAL_CONTENT
                    reason = self._lack()
                return reason
        except ConnectionFailed as error:
            return str(error)

    def _refusal(self, stream: Stream, resumed: bool) -> str | None:
        """Why this answer brings nothing but another try may, ``None`` when it brings the video."""
        status = stream.status
        if status in _GONE:
            told = tr(_ENDED).format(status=status, link=self._shown)
            # Only 410 says that it is so for good; the others may also mean "not yet".
            raise LinkExpired(told, url=self._url, transient=status != HTTPStatus.GONE)
        if status in _PASSING or status >= 500:
            self._asked_pause, self._is_refused = retry_after(stream.headers), resumed
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
        self._part.validator = None  # the file there is another one by now: from the start, then
        return tr(_NOT_RESUMED)

    @property
    def _rest(self) -> str:
        """The ``Content-Range`` of what is missing."""
        return f"bytes {self._part.size}-{(self._part.total or 0) - 1}/{self._part.total}"

    def _begin(self, stream: Stream) -> None:
        length = stream.headers.get("Content-Length", "")
        tag = stream.headers.get("ETag", "")
        total = int(length) if length.isdecimal() and len(length) < 20 else None
        if total is not None and total > self._max_bytes:
            raise self._too_large(total)
        # A weak tag vouches for the meaning, not for the bytes.
        strong = tag if tag.startswith('"') else stream.headers.get("Last-Modified")
        with self._writing():
            self._part.begin(total, strong if total is not None else None)

    def _take(self, chunk: bytes) -> None:
        if self._closed.is_set():
            raise self._failed(tr(_CLOSED))
        part = self._part
        if part.size + len(chunk) > self._max_bytes:
            raise self._too_large(part.size + len(chunk))
        with self._writing():
            part.write(chunk)
        if part.size - len(chunk) < HEAD <= part.size:
            self._check_head()
        if self._on_progress is not None:
            self._on_progress(part.size, part.total)

    def _lack(self) -> str | None:
        part = self._part
        if part.size == 0:
            return tr(_NOTHING)
        if part.total is not None and part.size != part.total:
            return tr(_STOPPED).format(received=part.size, total=part.total)
        if part.size < HEAD:
            self._check_head()
        if not part.head.startswith(_WEBM) and not is_whole(part.file, part.size):
            part.validator = None  # whatever the server says of its length: from the start, then
            return tr(_NOT_WHOLE).format(received=part.size)
        return None

    def _check_head(self) -> None:
        head = self._part.head
        if head[4:8] == b"ftyp" or head.startswith(_WEBM):
            return
        words = tr(_WEB_PAGE) if head.lstrip().startswith(b"<") else tr(_NO_VIDEO)
        raise self._failed(words.format(link=self._shown))

    @property
    def _shown(self) -> str:
        return without_query(self._url)

    def _too_large(self, size: int) -> DownloadFailed:
        return self._failed(tr(_TOO_LARGE).format(size=size / 1e6, limit=self._max_bytes / 1e6))

    def _failed(self, message: str, *, transient: bool = False) -> DownloadFailed:
        pause, part = self._asked_pause, self._part.path if self._part.is_whole else None
        return DownloadFailed(message, url=self._url, transient=transient, retry_after=pause, part=part)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
            told = tr(_NOT_NAMED if self._part.is_whole else _NOT_WRITTEN)
            part = self._part.path
            told = told.format(path=self._path, part=part, reason=reason_of(error, part))
            raise self._failed(told, transient=is_held(error)) from None
