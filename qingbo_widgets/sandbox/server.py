"""The sandbox: the service's contract, on this machine, in a thread."""

from __future__ import annotations

import atexit
import errno
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from .app import create_app
from .backend import Backend
from .callback import Callback
from .connections import Connection, most_connections
from .faults import Faults

HOST = "127.0.0.1"
#: Connections that wait to be accepted.
_WAITING = 128
#: Seconds for which the end waits for the server once it is to drop what is under way.
_END = 5.0


class Sandbox:
    """A stand-in for the service, on this machine only, that needs no account and no network.

    It keeps the service's contract of 2026-04, and answers every task with a real mp4 drawn from the request:
    a landscape, never a pretence of the AI, with the word SANDBOX on it.

        with Sandbox(speed=10) as sandbox:
            client = Client(sandbox.api_key, sandbox.base_url)

    Args:
        port: Where to listen on 127.0.0.1; 0 for any free port.
        speed: How many times faster than the real service; at 1.0 a task takes 20 to 60 s. None ends before
            its video has been drawn, which takes two to three seconds for five seconds of 720p.
        faults: What goes wrong; see `Faults`. Can be changed while it runs.
        api_key: The key it lets in; a random one by default.
        link_lifetime: Seconds that a video's link is valid; the service's 24 hours by default.
        draft: Draw a quarter of the width and height, which is much quicker; for tests.
    """

    def __init__(
        self,
        port: int = 0,
        speed: float = 1.0,
        faults: Faults | None = None,
        *,
        api_key: str | None = None,
        link_lifetime: float = 86_400.0,
        draft: bool = False,
    ) -> None:
        if not speed > 0:
            raise ValueError("speed must be greater than 0")
        self.api_key = api_key or f"sandbox-{secrets.token_urlsafe(24)}"
        """The key that the sandbox lets in, as `Authorization: Bearer <key>`."""
        self._port = port
        self._settings = (speed, faults, link_lifetime, draft)
        self._running: _Running | None = None

    def __repr__(self) -> str:
        return f"Sandbox({self.base_url!r})" if self._running else "Sandbox(stopped)"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Where the API is, `http://127.0.0.1:PORT/v1`.

        Raises:
            RuntimeError: The sandbox does not run.
        """
        return f"{self._started().backend.base_url}/v1"

    @property
    def faults(self) -> Faults:
        """What goes wrong from now on."""
        return self._started().backend.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._started().backend.faults = faults

    @property
    def requests(self) -> dict[str, dict[str, Any]]:
        """The bodies of the requests that became tasks, by the id of the task, oldest first."""
        return {task_id: entry.body for task_id, entry in tuple(self._started().backend.tasks.items())}

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """The calls to `callback_url`, made or refused, oldest first."""
        return tuple(self._started().backend.callbacks)

    def publish(self, path: str | Path) -> str:
        """Give a picture on this machine a URL that the sandbox's tasks can use, for `image_urls` and masks.

        Args:
            path: A JPEG, PNG or WebP file; it is served as it is at the time of asking.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not such a picture.
            RuntimeError: The sandbox does not run.
        """
        return self._started().backend.publish(path)

    def start(self) -> Self:
        """Listen. Does nothing if the sandbox runs already.

        Raises:
            OSError: The port is taken.
        """
        if self._running is None:
            self._running = _Running(self._port, self.api_key, Backend(*self._settings))
        return self

    def stop(self) -> None:
        """Stop listening, end every drawing, remove every file. Does nothing if the sandbox does not run."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the sandbox does not run: call start(), or use it in a with statement")
        return self._running


class _Running:
    """What exists only between start and stop: the socket, the server's thread, the backend."""

    def __init__(self, port: int, api_key: str, backend: Backend) -> None:
        self.backend, self._process = backend, os.getpid()
        try:
            self._socket = _listen(port)
        except OSError:
            backend.close()
            raise
        backend.base_url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_app(backend, api_key),
                loop="asyncio",
                http=Connection,
                # So many are accepted in one go, before any can be refused.
                backlog=max(1, most_connections() // 4),
                ws="none",
                lifespan="off",
                log_config=None,  # the logging of a notebook is the notebook's own
                log_level="critical",
                access_log=False,
                server_header=False,
            )
        )
        atexit.register(backend.close)  # no drawing outlives a kernel that ends without stop()
        sockets = [self._socket]
        self._thread = threading.Thread(
            target=self._server.run, args=(sockets,), name="qingbo-sandbox", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)  # until then uvicorn cannot be told to stop
        self._socket.listen(_WAITING)  # uvicorn has set it to its own backlog

    def stop(self) -> None:
        if os.getpid() != self._process:
            return  # a forked child: the thread, the socket and the files are its parent's
        atexit.unregister(self.backend.close)
        self._server.should_exit = True
        self._thread.join(0.3)
        self._server.force_exit = True  # a download or a slow answer on its way is not waited for
        self._thread.join(_END)  # it is a daemon, so it keeps nothing from ending
        self._socket.close()
        self.backend.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        if os.name == "posix":  # elsewhere this option would share a port that is taken
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_WAITING)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} on {HOST} is taken: stop what listens there, or choose another port"
            raise OSError(errno.EADDRINUSE, message) from None
        if error.errno == errno.EACCES:  # below 1024 on Unix; on Windows also where it keeps ports for itself
            message = f"port {port} on {HOST} is not for this user: choose another port, 0 for any free one"
            raise OSError(errno.EACCES, message) from None
        raise
    return listener


def settings(variables: Mapping[str, str], system: str) -> str:
    """Return the lines that set environment variables in the shells of a system.

    Args:
        variables: names and values without blanks or quotes.
        system: as ``os.name``.
    """
    if system != "nt":
        return "\n".join(f"export {name}={value}" for name, value in variables.items())
    shells = {"PowerShell": '$env:{} = "{}"', "cmd": "set {}={}"}
    return "\n\n".join(
        "\n".join([f"In {shell}:", *(line.format(*item) for item in variables.items())])
        for shell, line in shells.items()
    )


def serve(port: int = 8765, speed: float = 1.0, api_key: str | None = None) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM, and say how to reach it.

    Args:
        port: Where to listen on 127.0.0.1; 0 for any free port.
        speed: How many times faster than the real service.
        api_key: The key it lets in; a random one by default.

    Raises:
        OSError: The port is taken.
    """
    with Sandbox(port, speed, api_key=api_key) as sandbox:
        try:
            print(f"The sandbox answers at {sandbox.base_url}; Ctrl-C stops it.\n", flush=True)  # noqa: T201 - a command's output
            variables = {"QINGBO_BASE_URL": sandbox.base_url, "QINGBO_API_KEY": sandbox.api_key}
            # What ends a service, or closes its window, ends it as Ctrl-C does: else its files would stay.
            for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):  # the last one is Windows', and it has no SIGHUP
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
                    signal.signal(number, signal.default_int_handler)
            print(settings(variables, os.name), flush=True)  # noqa: T201
            while True:
                time.sleep(3600)  # unlike a lock, this hears Ctrl-C on Windows
        except KeyboardInterrupt:
            print("\nThe sandbox has stopped.")  # noqa: T201
