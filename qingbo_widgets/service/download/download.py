"""Download of a video to a file, over a connection that may break."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import chain
from pathlib import Path

from ...exceptions import ConnectionFailed, DownloadFailed, LinkExpired
from ...i18n import tr
from ...system.files import is_passing, reason_of
from ...system.video_files import is_film
from ..contract.urls import without_query
from ..http.answers import retry_after
from ..http.gunzip import Gunzip, is_compressed
from ..http.proxies import proxy_refusal
from ..http.transport import Stream, Transport
from . import messages
from .containers import shape_of
from .headers import UNKNOWN_COMPRESSIONS, content_length, content_range, encoding_of, is_expected_range
from .partial import HEAD, DifferentFile, Partial
from .shape import Shape
from .validators import strong_validator

__all__ = ["Download", "OnProgress"]

#: Called with the bytes received so far and the total bytes (``None`` while unknown).
OnProgress = Callable[[int, int | None], object]

#: Consecutive tries without progress before the download fails.
_ATTEMPTS = 4
#: Seconds before the next try; doubled after each further try without progress.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
#: Seconds for which a server may send something else than the video, such as a page about maintenance.
_PATIENCE = 600.0
#: Bytes that a video of unknown length is assumed to need beyond those that have arrived.
_MORE = 2**20
#: Statuses of a link that has expired. Object stores answer 400 or 401 to some of their signatures.
_GONE = (400, 401, 403, 404, 410)
_TRANSIENT = (408, 416, 425, 429)
#: Statuses of a whole file; a proxy that passes one on may say 203.
_WHOLE = (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION)
#: Bytes that may precede a web page: a byte order mark, and blanks.
_BEFORE_A_PAGE = b"\xef\xbb\xbf \t\r\n"


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
        #: Whether this server sends the video in several ranges, although all of it was requested.
        self._sends_ranges = False
        #: Whether the next try reads on behind the announced length, because the video is longer.
        self._reads_on = False
        self._is_announced = False
        self._ended_at = -1

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
                raise self._failed(tr(messages.CLOSED))
            if (self._requested_pause or 0.0) > _LONGEST_PAUSE:
                # Longer than a thread should be blocked: the caller decides whether to wait.
                raise self._failed(
                    tr(messages.TO_WAIT).format(reason=reason, seconds=self._requested_pause), transient=True
                )
            if failures == _ATTEMPTS:
                raise self._failed(tr(messages.TRIED).format(reason=reason, count=tries), transient=True)
            if self._refusals == _ATTEMPTS - 1:
                self._set_aside()  # perhaps the server rejects only range requests
            if not (self._sends_ranges and self._has_progressed):
                self._sleep(self._requested_pause or _FIRST_PAUSE * 2 ** max(0, failures - 1))

    def _try_once(self) -> str | None:
        """Receive as much as possible; return the reason for another try, or ``None`` when complete."""
        part, resumed = self._part, self._part.can_resume or (self._sends_ranges and self._part.size > 0)
        headers = {"Range": f"bytes={part.overlap}-"} if resumed else {}
        if resumed and part.validator is not None:
            headers["If-Range"] = part.validator
        if self._reads_on:
            headers["Connection"] = "close"
        self._requested_pause, self._has_progressed, self._gunzip = None, False, None
        is_receiving = False
        try:
            with self._transport.stream(self._url, headers) as stream:
                reason = self._refusal(stream, resumed)
                if reason is None:
                    pieces = self._begin(stream, resumed)
                    is_receiving = True
                    self._receive(stream, pieces)
                    reason = self._incomplete_reason()
                return reason
        except ConnectionFailed as error:
            return self._incomplete_reason(str(error)) if is_receiving else str(error)
        except DifferentFile:
            self._set_aside()
            return tr(messages.NOT_RESUMED)

    def _refusal(self, stream: Stream, resumed: bool) -> str | None:
        """Return the reason for another try if this answer has no video; ``None`` if it has."""
        status = stream.status
        if reason := proxy_refusal(self._url, status):
            raise self._failed(reason, transient=True)
        if status in _GONE:
            message = tr(messages.EXPIRED).format(status=status, link=self._shown_link)
            # Only 410 is permanent; the others may also mean "not yet".
            raise LinkExpired(message, url=self._url, transient=status != HTTPStatus.GONE)
        if status in _TRANSIENT or status >= 500:
            self._requested_pause = retry_after(stream.headers)
            self._refusals = self._refusals + 1 if resumed else 0
            if status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not resumed:
                return tr(messages.REFUSED).format(status=status)
        self._refusals = 0
        is_range = status == HTTPStatus.PARTIAL_CONTENT
        continued = self._part if resumed else None
        if status in _WHOLE or (is_range and is_expected_range(stream.headers, continued)):
            return None
        if not resumed:
            raise self._useless(tr(messages.REFUSED).format(status=status))
        self._set_aside()  # the server may have another file by now: start over
        return tr(messages.NOT_RESUMED)

    def _begin(self, stream: Stream, resumed: bool) -> Iterable[bytes]:
        """Prepare the part for this answer; return the pieces of the video in it."""
        chunks = stream.chunks(reads_on=self._reads_on)
        length, found = content_length(stream.headers), content_range(stream.headers)
        self._is_announced = not self._reads_on and (length is not None or stream.is_chunked)
        total = None if self._reads_on else length
        self._reads_on = False
        is_range = stream.status == HTTPStatus.PARTIAL_CONTENT
        if is_range and resumed:
            with self._writing():
                self._part.resume()
            return chunks
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= HEAD:
                break
        # Its own bytes tell whether the video is compressed: the header is wrong as often as it is right.
        encoding = encoding_of(stream.headers)
        # It comes first: the length of a large first box looks like the beginning of zlib.
        if not is_film(head) and (is_compressed(head) or (encoding == "deflate" and head)):
            self._gunzip, total = Gunzip(raw=not is_compressed(head)), None
        elif is_range and found is not None:
            total = found.total
        if total is not None and total > self._max_bytes:
            raise self._too_large(total)
        self._sends_ranges = is_range and found is not None and found.is_part and self._gunzip is None
        with self._writing():
            self._part.begin(total, strong_validator(stream.headers) if total is not None else None)
        if encoding in UNKNOWN_COMPRESSIONS and not is_film(head):
            raise self._useless(tr(messages.COMPRESSED))
        return self._pieces(chain((head,) if head else (), chunks))

    def _pieces(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        if self._gunzip is None:
            yield from chunks
            return
        try:
            for chunk in chunks:
                yield from self._gunzip.pieces(chunk)
        except zlib.error:
            raise self._useless(tr(messages.COMPRESSED)) from None

    def _receive(self, stream: Stream, pieces: Iterable[bytes]) -> None:
        size_before = self._part.size
        for piece in pieces:
            self._take(piece)
            # The overlap, which is sent again as a proof, is no progress.
            self._has_progressed = (
                stream.status == HTTPStatus.PARTIAL_CONTENT and self._part.size > size_before
            )

    def _take(self, piece: bytes) -> None:
        if self._closed.is_set():
            raise self._failed(tr(messages.CLOSED))
        part, size_before = self._part, self._part.size
        with self._writing():
            part.write(piece)
        if part.size > self._max_bytes:
            raise self._too_large(part.size)
        if size_before < HEAD <= part.size:
            self._check_head()
        if self._on_progress is not None and part.size > size_before:
            self._on_progress(part.size, part.total)

    def _incomplete_reason(self, failure: str | None = None) -> str | None:
        """Return the reason for another try; ``None`` if the part is complete.

        Args:
            failure: the reason why the connection broke off; ``None`` if the answer ended in order.
        """
        part = self._part
        if part.size == 0 or part.is_proving:
            return failure or tr(messages.NOTHING)
        if part.size < HEAD:
            if failure is not None:
                return failure
            self._check_head()
        # Some servers announce a wrong length. It proves nothing if the video ends at the same byte again.
        ends_again, self._ended_at = part.size == self._ended_at, part.size
        is_short = failure is not None or (part.total is not None and part.size != part.total)
        is_inflated = self._gunzip is not None and self._gunzip.is_complete
        shape = shape_of(part.file, part.size)
        if is_short and not is_inflated and (shape is Shape.cut or not ends_again):
            return failure or tr(messages.STOPPED).format(received=part.size, total=part.total)
        is_certain = is_inflated or ends_again or (self._is_announced and self._gunzip is None)
        is_unfinished = self._gunzip is not None and not is_inflated
        if shape is Shape.cut or is_unfinished or (shape is Shape.odd and not is_certain):
            part.validator = None  # even if the length is the announced one: start over
            self._reads_on = self._is_announced and shape is Shape.cut
            return tr(messages.NOT_WHOLE).format(received=part.size)
        with self._writing():
            if part.is_intact():
                return None
        part.validator = None
        return tr(messages.CHANGED).format(part=part.path)

    def _check_head(self) -> None:
        head = self._part.head
        if not is_film(head):
            is_page = head.lstrip(_BEFORE_A_PAGE).startswith(b"<")
            message = tr(messages.WEB_PAGE if is_page else messages.NO_VIDEO)
            raise self._useless(message.format(link=self._shown_link))

    def _set_aside(self) -> None:
        with self._writing():
            self._part.set_aside()

    @property
    def _shown_link(self) -> str:
        return without_query(self._url)

    def _too_large(self, size: int) -> DownloadFailed:
        self._part.validator = None
        return self._failed(tr(messages.TOO_LARGE).format(size=size / 1e6, limit=self._max_bytes / 1e6))

    def _useless(self, message: str) -> DownloadFailed:
        """Return the error for an answer that is no video. The server may have the video a little later."""
        self._part.validator = None
        return self._failed(message, transient=True, patience=_PATIENCE)

    def _failed(
        self,
        message: str,
        *,
        transient: bool = False,
        patience: float | None = None,
        room: int | None = None,
    ) -> DownloadFailed:
        part = self._part.path if self._part.is_whole and self._part.path.exists() else None
        pause = self._requested_pause
        return DownloadFailed(
            message,
            url=self._url,
            transient=transient,
            retry_after=pause,
            part=part,
            patience=patience,
            room=room,
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: the name is invalid for a file
            part = self._part.path
            is_lost = self._part.is_whole and not part.exists()  # another program removed it: retry
            is_kept = self._part.is_whole and not is_lost
            message = tr(messages.NOT_NAMED if is_kept else messages.NOT_WRITTEN)
            message = message.format(path=self._path, part=part, reason=reason_of(error, part))
            room = None if is_kept or is_lost else self._part.total or self._part.size + _MORE
            raise self._failed(message, transient=is_lost or is_passing(error), room=room) from None
