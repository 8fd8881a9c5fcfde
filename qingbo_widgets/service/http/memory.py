"""``Memory``: a transport whose only file is in memory, so that it is saved in the way of a download."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import requests
from urllib3 import HTTPResponse

from ...system.flags import Flag
from .transport import Stream, Transport

__all__ = ["Memory"]


class Memory(Transport):
    """A transport whose only file is in memory. It opens no connection.

    Args:
        content: the file.
    """

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
        response.raw, response.url = HTTPResponse(io.BytesIO(self._content), preload_content=False), url
        yield Stream(HTTPStatus.OK, {"Content-Length": str(len(self._content))}, response)
