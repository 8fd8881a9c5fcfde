"""Download of a video to a file, over a connection that may break."""

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
from .partial import HEAD, DifferentFile, Partial
from .validators import matches_validator, strong_validator

__all__ = ["Download", "OnProgress"]

#: Called with the bytes received so far and the total bytes (``None`` while unknown).
OnProgress = Callable[[int, int | None], object]

#: Consecutive tries without progress before the download fails.
_ATTEMPTS = 4
#: Seconds before the next try; doubled after each further try without progress.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_GONE = (403, 404, 410)
_TRANSIENT = (408, 425, 429)
_CLOSED = N_("The client was closed before the video was complete; another download costs nothing.")
_TO_WAIT = N_("{reason} Retry in {seconds:.0f} s; another download costs nothing.")
_TRIED = N_("{reason} {count} tries were made; another download costs nothing.")
_EXPIRED = N_(
    "The link to the video has expired ({status}, {link}): the service keeps finished videos for a limited "
    "time. The task's status may contain a new link."
)
_REFUSED = N_("The video server answered {status}.")
_COMPRESSED = N_(
    "The server sends the video compressed, although the request forbids it, and it cannot be decompressed."
)
_NOT_RESUMED = N_("The video server did not resume where it had stopped.")
_NOTHING = N_("The video server sent nothing.")
_STOPPED = N_("The video server stopped after {received} of {total} bytes.")
_WEB_PAGE = N_("The link leads to a web page instead of a video ({link}).")
_NO_VIDEO = N_("The link does not lead to a video ({link}).")
_TOO_LARGE = N_("The video has {size:.1f} MB or more; at most {limit:.1f} MB are accepted.")
_NOT_WRITTEN = N_("The video could not be written to {path}: {reason}.")
_NOT_NAMED = N_(
    "The video is complete, as {part}, but could not be renamed to {path}: {reason}. Saving it again costs "
    "nothing."
)
_CHANGED = N_("Another program changed {part} while the video was being written to it.")
_NOT_WHOLE = N_("The downloaded video is incomplete: it ends after {received} bytes.")
#: First bytes of a WebM. It need not contain its length, so only an mp4 can be checked for completeness.
_WEBM = b"\x1aE\xdf\xa3"


class Download:
    """A download of one video, over as many connections as it needs.

    The bytes are written to a part beside ``path``. The part is renamed to ``path`` when it is complete, and
    removed if it never can be. An interrupted transfer resumes where it stopped, also in another kernel, if
    the server proves that the file is unchanged; otherwise it starts over. The download fails after 4
    consecutive connections without progress.

    Args:
        transport: the transport that opens the link.
        url: an http(s) URL.
        path: the file to write; its folder exists.
        on_progress: called after each piece.
        max_bytes: the largest file to accept.
        film: a name shared by all links to the video; by default the link without its signature.
        sleep: called with the seconds to wait between tries; by default the wait ends early if the transport
            is closed.
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
        self._requested_pause: float | None = None
        self._has_progressed = False
        self._refusals = 0

    def run(self) -> Path:
        """Download the video and return its path.

        Raises:
            LinkExpired: the server no longer has the video.
            DownloadFailed: the video could not be saved; the message gives the reason.
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
            # A connection that always breaks still completes the video, as long as each try adds a piece.
            failures = 0 if self._has_progressed else failures + 1
            if self._closed.is_set():
                raise self._failed(tr(_CLOSED))
            if (self._requested_pause or 0.0) > _LONGEST_PAUSE:
                # Longer than a thread should be blocked: the caller decides whether to wait.
                raise self._failed(
                    tr(_TO_WAIT).format(reason=reason, seconds=self._requested_pause), transient=True
                )
            if failures == _ATTEMPTS:
                raise self._failed(tr(_TRIED).format(reason=reason, count=tries), transient=True)
            if self._refusals == _ATTEMPTS - 1:
                self._set_aside()  # perhaps the server rejects only range requests
            self._sleep(self._requested_pause or _FIRST_PAUSE * 2 ** max(0, failures - 1))

    def _try_once(self) -> str | None:
        """Receive as much as possible; return the reason for another try, or ``None`` when complete."""
        part, size_before, resumed = self._part, self._part.size, self._part.can_resume
        headers = {"Range": f"bytes={part.overlap}-", "If-Range": part.validator or ""} if resumed else {}
        self._requested_pause, self._has_progressed, self._gunzip = None, False, None
        try:
            with self._transport.stream(self._url, headers) as stream:
                reason = self._refusal(stream, resumed)
                if reason is None:
                    self._begin(stream)
                    for piece in self._pieces(stream):
                        self._take(piece)
                        # The overlap, which is sent again as a proof, is no progress.
                        self._has_progressed = (
                            stream.status == HTTPStatus.PARTIAL_CONTENT and part.size > size_before
                        )
                    reason = self._incomplete_reason()
                return reason
        except ConnectionFailed as error:
            return str(error)
        except DifferentFile:
            self._set_aside()
            return tr(_NOT_RESUMED)

    def _refusal(self, stream: Stream, resumed: bool) -> str | None:
        """Return the reason for another try if this answer has no video; ``None`` if it has."""
        status = stream.status
        if status in _GONE:
            message = tr(_EXPIRED).format(status=status, link=self._shown_link)
            # Only 410 is permanent; the others may also mean "not yet".
            raise LinkExpired(message, url=self._url, transient=status != HTTPStatus.GONE)
        if status in _TRANSIENT or status >= 500:
            self._requested_pause = retry_after(stream.headers)
            self._refusals = self._refusals + 1 if resumed else 0
            return tr(_REFUSED).format(status=status)
        self._refusals = 0
        if status == HTTPStatus.OK or (resumed and self._is_remainder(stream)):
            return None
        if not resumed:
            raise self._failed(tr(_REFUSED).format(status=status))
        self._set_aside()  # the server may have another file by now: start over
        return tr(_NOT_RESUMED)

    def _is_remainder(self, stream: Stream) -> bool:
        """Return whether the headers say that the answer is the remainder of the file in this part."""
        part, headers = self._part, stream.headers
        return (
            stream.status == HTTPStatus.PARTIAL_CONTENT
            and headers.get("Content-Range") == f"bytes {part.overlap}-{(part.total or 0) - 1}/{part.total}"
            and _encoding(headers) == ""
            and matches_validator(headers, part.validator)
        )

    def _begin(self, stream: Stream) -> None:
        if stream.status == HTTPStatus.PARTIAL_CONTENT:
            with self._writing():
                self._part.resume()
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
        part, size_before = self._part, self._part.size
        with self._writing():
            part.write(piece)
        if part.size > self._max_bytes:
            raise self._too_large(part.size)
        if size_before < HEAD <= part.size:
            self._check_head()
        if self._on_progress is not None and part.size > size_before:
            self._on_progress(part.size, part.total)

    def _incomplete_reason(self) -> str | None:
        part = self._part
        if part.size == 0:
            return tr(_NOTHING)
        if part.total is not None and part.size != part.total:
            return tr(_STOPPED).format(received=part.size, total=part.total)
        if part.size < HEAD:
            self._check_head()
        is_ended = self._gunzip is None or self._gunzip.is_complete
        if not is_ended or not (part.head.startswith(_WEBM) or is_whole(part.file, part.size)):
            part.validator = None  # even if the length is the announced one: start over
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
        message = tr(_WEB_PAGE) if head.lstrip().startswith(b"<") else tr(_NO_VIDEO)
        raise self._useless(message.format(link=self._shown_link))

    def _set_aside(self) -> None:
        with self._writing():
            self._part.set_aside()

    @property
    def _shown_link(self) -> str:
        return without_query(self._url)

    def _too_large(self, size: int) -> DownloadFailed:
        return self._useless(tr(_TOO_LARGE).format(size=size / 1e6, limit=self._max_bytes / 1e6))

    def _useless(self, message: str, *, transient: bool = False) -> DownloadFailed:
        """Return the error for bytes that no later download can use."""
        self._part.validator = None
        return self._failed(message, transient=transient)

    def _failed(self, message: str, *, transient: bool = False) -> DownloadFailed:
        part = self._part.path if self._part.is_whole and self._part.path.exists() else None
        return DownloadFailed(
            message, url=self._url, transient=transient, retry_after=self._requested_pause, part=part
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: the name is invalid for a file
            part = self._part.path
            is_lost = self._part.is_whole and not part.exists()  # another program removed it: retry
            message = tr(_NOT_NAMED if self._part.is_whole and not is_lost else _NOT_WRITTEN)
            message = message.format(path=self._path, part=part, reason=reason_of(error, part))
            raise self._failed(message, transient=is_lost or is_held(error)) from None


def _encoding(headers: Mapping[str, str]) -> str:
    """Return the compression of the body, or an empty string if there is none."""
    name = headers.get("Content-Encoding", "").strip().lower()
    return "" if name == "identity" else name
