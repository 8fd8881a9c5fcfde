"""``save_content``: a video that an answer has in place of a link, saved in the way of a download."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import requests
from urllib3 import HTTPResponse

from ..system.flags import Flag
from .download.download import Download, OnProgress
from .http.transport import Stream, Transport

__all__ = ["save_content"]

#: The name of the video in messages.
_LINK = "data:video"


def save_content(
    content: bytes, path: Path, on_progress: OnProgress | None = None, *, max_bytes: int, film: str
) -> Path:
    """Save a video that is already in memory, with the checks and the file operations of a download.

    Args:
        content: the video.
        path: the file to write; its folder exists.
        on_progress: as in ``Client.download``.
        max_bytes: the largest file to accept.
        film: a name of the video.

    Raises:
        DownloadFailed: the content is not a whole video, or cannot be written.
    """
    source = _Memory(content)
    return Download(
        source,
        _LINK,
        path,
        on_progress,
        max_bytes=max_bytes,
        film=film,
        sleep=lambda _: None,  # waiting would not change the content
    ).run()


class _Memory(Transport):
    """A transport whose only file is in memory. It opens no connection."""

    def __init__(self, content: bytes) -> None:
        self._content, self._closed = content, Flag()

    @property
    def closed(self) -> Flag:
        """The flag that ends a download; nothing sets it."""
        return self._closed

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:  # noqa: ARG002
        """Yield the file, whatever the link."""
        response = requests.Response()
        response.raw, response.url = HTTPResponse(io.BytesIO(self._content), preload_content=False), _LINK
        yield Stream(HTTPStatus.OK, {"Content-Length": str(len(self._content))}, response)
