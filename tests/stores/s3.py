"""A real S3 store for the tests that need one, with an empty bucket for each, and a way to break it.

The server is OpenStack Swift with its S3 interface, which verifies what Amazon's does: the signature, the end
of a link, and that the caller's clock is right.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.listener import Listener
from tests.missing import skip_without

if TYPE_CHECKING:
    from s3fs import S3FileSystem

__all__ = ["CuttingProxy", "S3Server", "Store", "flaky_s3", "place", "s3", "s3_server"]

PROCESS = Path(__file__).with_name("swift_process.py")
PLACES = (tempfile.gettempdir(), "/dev/shm", "/var/tmp", Path.home())
RESET = struct.pack("ii", 1, 0)


class S3Server:
    """A server on a free port of this machine, with data in a folder of its own.

    The server stops, and the folder is removed, on ``close`` or when this process ends, even if it is killed.

    Args:
        place: the folder to make the folder in; its file system has to keep users' extended attributes.

    Attributes:
        endpoint_url: the URL of the server.
        key: the access key that may do everything.
        guest_key: another one, which may do nothing.
        secret: the secret of both.
        folder: the folder with its data.
    """

    key = "test:tester"
    guest_key = "test:guest"

    def __init__(self, place: Path) -> None:
        self.secret = secrets.token_hex(16)
        self.buckets = count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="s3-", dir=place))
        log = self.folder / "log"
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", PROCESS, self.folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                encoding="utf-8",
                start_new_session=True,  # protect it from Ctrl-C
            )
        port = self._say(self.secret)
        if not port:
            self._process.wait()
            failure = log.read_text(encoding="utf-8", errors="replace")
            self.close()
            raise RuntimeError(f"the S3 server did not start:\n{failure}")
        self.endpoint_url = f"http://127.0.0.1:{port}"

    def set_clock(self, ahead: timedelta) -> None:
        """Set the server's clock to the time of this machine and so much more."""
        self._say(str(ahead.total_seconds()))

    def close(self) -> None:
        """Stop the server and remove its data."""
        self._process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)  # left by a server that failed

    def _say(self, line: str) -> str:
        """Send a line and return the answer; empty if the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()


@dataclass(frozen=True)
class Store:
    """A bucket of the server, with all that a client needs.

    Attributes:
        endpoint_url: the URL of the server, or of a proxy in front of it.
        key: the access key.
        guest_key: an access key of a user who has no rights in the bucket.
        secret: the secret of both keys.
        bucket: the name of the bucket.
    """

    endpoint_url: str
    key: str
    guest_key: str
    secret: str = field(repr=False)
    bucket: str
    _server: S3Server = field(repr=False)

    @property
    def options(self) -> dict[str, str]:
        """The options that fsspec needs for the store."""
        return {"key": self.key, "secret": self.secret, "endpoint_url": self.endpoint_url}

    def filesystem(self, **options: Any) -> S3FileSystem:
        """Return a client of its own, with the options of the store and others."""
        from s3fs import S3FileSystem

        # Links are signed by version 2 otherwise, which newer stores refuse.
        signing = {"config_kwargs": {"signature_version": "s3v4"}}
        return S3FileSystem(**(self.options | signing | options), skip_instance_cache=True)

    def names(self) -> list[str]:
        """Return the names of all objects in the bucket."""
        return [path.removeprefix(f"{self.bucket}/") for path in self.filesystem().find(self.bucket)]

    def unfinished(self) -> list[str]:
        """Return the names of the files of which only parts were sent; their owner pays for them."""
        answer = self.filesystem().call_s3("list_multipart_uploads", Bucket=self.bucket)
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def open_to_all(self) -> str:
        """Let everyone read the bucket, and return what comes before a file's name in its address."""
        self.filesystem().chmod(self.bucket, acl="public-read")
        return f"{self.endpoint_url}/v1/AUTH_{self.key.partition(':')[0]}/{self.bucket}"

    @contextmanager
    def clock_ahead(self, **duration: float) -> Iterator[None]:
        """Set the clock of the server ahead, or back by a negative duration.

        Links expire without a wait; requests are refused if the clocks differ by more than 15 minutes.

        Args:
            duration: arguments of ``timedelta``.
        """
        self._server.set_clock(timedelta(**duration))
        try:
            yield
        finally:
            self._server.set_clock(timedelta())


class CuttingProxy(Listener):
    """A proxy in front of a server which breaks connections while something is being sent.

    Args:
        port: the port of the server.

    Attributes:
        received: bytes that the clients have sent in all.
        cuts: how many connections it has broken.
        most: bytes that a connection survives: large requests break as often as they are repeated, small
            ones pass.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self.received = 0
        self.cuts = 0
        self.most: float = math.inf
        self._port = port
        self._pending: list[int] = []
        self._lock = threading.Lock()

    def cut_after(self, *sizes: int) -> None:
        """Break the connection on which so many more bytes have been sent; again after the next size.

        Args:
            sizes: bytes, counted over all connections and from the previous cut.
        """
        with self._lock:
            self._pending += sizes

    def serve(self, connection: socket.socket, number: int) -> None:
        """Pass on the bytes of a connection in both directions."""
        with connection, socket.create_connection(("127.0.0.1", self._port)) as server:
            self.sockets.append(server)
            answers = threading.Thread(target=_pass_on, args=(server, connection), daemon=True)
            answers.start()
            passed = 0
            with contextlib.suppress(OSError):
                while content := connection.recv(65536):
                    allowed = self._allowed(passed, len(content))
                    server.sendall(content[:allowed])
                    passed += allowed
                    if allowed < len(content):
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        break
            for side in (server, connection):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RD)
            answers.join()

    def _allowed(self, passed: int, size: int) -> int:
        """Count received bytes, and return how many of them may be passed on.

        Args:
            passed: bytes that were passed on before, of the same connection.
            size: bytes that were received now.
        """
        with self._lock:
            self.received += size
            allowed = min([size, self.most - passed, *self._pending[:1]])
            if self._pending:
                self._pending[0] -= size
                if self._pending[0] < 0:
                    self._pending.pop(0)
            self.cuts += allowed < size
            return int(allowed)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """Yield the S3 server of this worker."""
    if importlib.util.find_spec("s3fs") is None:
        skip_without("s3fs, the client of S3, is missing", "pip install s3fs")
    if importlib.util.find_spec("swift") is None:
        skip_without("OpenStack Swift, the S3 server of the tests, is missing", "pip install swift, on Linux")
    folder = place()
    if folder is None:
        skip_without(
            "no file system here keeps users' extended attributes, which the S3 server needs",
            "a folder on ext4, xfs or btrfs, named in TMPDIR",
        )
    server = S3Server(folder)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def s3(s3_server: S3Server) -> Store:
    """Return an empty bucket of the server."""
    bucket = f"bucket-{next(s3_server.buckets)}"
    keys = (s3_server.key, s3_server.guest_key, s3_server.secret)
    store = Store(s3_server.endpoint_url, *keys, bucket, s3_server)
    store.filesystem().mkdir(bucket)
    return store


@pytest.fixture
def flaky_s3(s3: Store) -> Iterator[tuple[Store, CuttingProxy]]:
    """Yield the bucket as it is reached through a proxy that can break connections, and the proxy."""
    with CuttingProxy(int(s3.endpoint_url.rpartition(":")[2])) as proxy:
        yield replace(s3, endpoint_url=proxy.url), proxy


def place() -> Path | None:
    """Return a folder on a file system that keeps users' extended attributes; ``None`` if there is none."""
    return next((Path(folder) for folder in PLACES if _keeps_attributes(folder)), None)


def _keeps_attributes(folder: str | Path) -> bool:
    if sys.platform != "linux":
        return False
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            os.setxattr(file.name, "user.swift", b"kept")
    except OSError:
        return False
    return True
