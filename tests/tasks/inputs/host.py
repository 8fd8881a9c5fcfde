"""A real server of uploaded files on this machine, with a function that uploads to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

__all__ = ["Host", "file_host"]


class Host:
    """A folder that is served at a URL.

    Attributes:
        folder: the folder.
        url: the URL of the folder.
        uploads: the names of the files in the order in which they were uploaded.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.uploads: list[str] = []

    def upload(self, path: Path) -> str:
        """Copy a file into the folder, as a function for ``connect(upload=…)``."""
        self.uploads.append(path.name)
        (self.folder / path.name).write_bytes(path.read_bytes())
        return f"{self.url}/{quote(path.name)}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def file_host(folder: Path) -> Iterator[Host]:
    """Yield a running host of files."""
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Host(folder, f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
