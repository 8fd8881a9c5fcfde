"""Downloading of the pictures and videos that an order names by URL, within limits of size and time."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from ...i18n import N_, tr

TIMEOUT = 10.0
_NOT_FETCHED = N_("{url} cannot be fetched: {reason}")


class DownloadError(Exception):
    """The error for a URL without usable content; the message gives the user the URL and the reason."""


class Unreachable(DownloadError):
    """The error for a URL whose server cannot be reached: its name, the network or the connection fails."""


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """A handler that follows redirects to http and https only, because urllib would follow ftp as well."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise DownloadError(
                tr("{url} leads to an address that is not on the web").format(url=shown(req.full_url))
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, file: IO[bytes], *, accept: str, max_bytes: int, patience: float) -> None:
    """Write the content of a URL to a file.

    Args:
        url: an http or https URL.
        file: a binary file, open for writing.
        accept: the media types for the header ``Accept``.
        max_bytes: the largest content to accept.
        patience: maximum seconds for the whole content, however slow its server.

    Raises:
        Unreachable: the server cannot be reached.
        DownloadError: the server answers with an error, or its content is too large or too slow.
    """
    try:
        with _open(url, accept) as response:
            _copy(response, file, max_bytes, patience)
    except _TooLarge:
        raise DownloadError(
            tr("{url} is over {size} MB").format(url=shown(url), size=max_bytes // 1_000_000)
        ) from None
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(tr(_NOT_FETCHED).format(url=shown(url), reason=error)) from None


class _TooLarge(Exception):
    """The content exceeds the limit."""


def _open(url: str, accept: str) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "qingbo-sandbox", "Accept": accept})
    try:
        return _opener(url).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            raise DownloadError(
                tr("{url} answered {status}").format(url=shown(url), status=f"{error.code} {error.reason}")
            ) from None
    except (HTTPException, ValueError) as error:
        raise DownloadError(tr(_NOT_FETCHED).format(url=shown(url), reason=error)) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        # With a bad certificate the server has been reached.
        kind = DownloadError if isinstance(reason, ssl.SSLError) else Unreachable
        raise kind(tr(_NOT_FETCHED).format(url=shown(url), reason=reason)) from None


def shown(url: str) -> str:
    """Return a URL without its query, which may be a signature."""
    return url.partition("?")[0]


def _copy(response: Any, file: IO[bytes], max_bytes: int, patience: float) -> None:
    size, end = 0, time.monotonic() + patience
    while piece := response.read1(65_536):
        size += len(piece)
        if size > max_bytes:
            raise _TooLarge
        file.write(piece)
        if time.monotonic() > end:
            raise TimeoutError(tr("it takes too long"))


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_OnlyWeb()]
    if urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost"):
        handlers.append(urllib.request.ProxyHandler({}))  # no proxy can reach this machine's own loopback
    return urllib.request.build_opener(*handlers)
