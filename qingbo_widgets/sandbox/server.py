"""The sandbox: a server of the service's contract in a thread on this machine."""

from __future__ import annotations

import atexit
import errno
import logging
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

from ..i18n import N_, tr
from .app import create_app
from .backend import Backend
from .callback import Callback
from .connections import Connection, most_connections
from .contracts import contract_of
from .faults import Faults
from .gaps import Gaps
from .secrecy import as_date, holds_key
from .stopping import Server

HOST = "127.0.0.1"
#: Connections that may wait to be accepted.
_BACKLOG = 128
_THREAD = "qingbo-sandbox"
_NO_THREAD = N_(
    "This Python cannot start another thread: the limit of the system or container is reached. Shut down "
    "other kernels or programs, then run this again."
)
#: Seconds for which ``stop`` waits for the server after it was set to drop running requests.
_STOP_TIMEOUT = 5.0


class Sandbox:
    """A local stand-in for the service that needs no account and no network.

    It keeps one of the service's dated contracts and completes every task with a real mp4 drawn from the
    request: a landscape marked with the word SANDBOX, never an imitation of the AI.

        with Sandbox(speed=10) as sandbox:
            client = Client(sandbox.api_key, sandbox.base_url)

    Args:
        port: the port on 127.0.0.1; 0 for any free port.
        speed: factor by which tasks are faster than those of the real service; at 1.0 a task takes 20 to
            90 s. No task ends before its video has been drawn, which takes two to three seconds for five
            seconds of 720p.
        faults: the faults to simulate; see ``Faults``. They can be changed while the sandbox runs.
        api_key: the key that is accepted; a random one by default.
        link_lifetime: seconds for which a video's link is valid; by default the contract's: 24 hours in
            2026-04, seven days in 2026-11.
        draft: whether to draw a quarter of the width and height, which is much faster, and the same picture
            for equal requests; for tests. Otherwise each task of a request shows its scene in another light,
            which its id decides.
        contract: the date of the contract, ``2026-04`` or ``2026-11``.
        gaps: the answers where the documentation of contract 2026-11 is silent; see ``Gaps``.
        credit: the credit of the account in US dollars on which the tasks of contract 2026-11 draw; 2026-04
            documents no account, and its tasks are free.

    Raises:
        ValueError: a value is out of range, or there is no such contract.
    """

    def __init__(
        self,
        port: int = 0,
        speed: float = 1.0,
        faults: Faults | None = None,
        *,
        api_key: str | None = None,
        link_lifetime: float | None = None,
        draft: bool = False,
        contract: str = "2026-04",
        gaps: Gaps | None = None,
        credit: float = 20.0,
    ) -> None:
        contract = as_date(contract)
        self._running: _Running | None = None  # first: tracebacks print even a sandbox that was not made
        if not speed > 0:
            raise ValueError(tr("speed must be greater than 0"))
        if not 0 <= credit < float("inf"):
            raise ValueError(tr("credit must be a number of US dollars, 0 or more"))
        self.api_key = api_key or f"sandbox-{secrets.token_urlsafe(24)}"
        """The key that the sandbox accepts, as ``Authorization: Bearer <key>``."""
        self._port = port
        self._contract = contract_of(contract, gaps)
        self._settings: dict[str, Any] = {
            "speed": speed,
            "faults": faults,
            "link_lifetime": link_lifetime,
            "draft": draft,
            "gaps": gaps,
            "credit": credit,
        }

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
        """The base URL of the API, ``http://127.0.0.1:PORT/v1``.

        Raises:
            RuntimeError: the sandbox is not running.
        """
        return f"{self._started().backend.base_url}/v1"

    @property
    def contract(self) -> str:
        """The date of the contract that the sandbox keeps."""
        return self._contract.date

    @property
    def faults(self) -> Faults:
        """The faults that are simulated from now on."""
        return self._started().backend.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._started().backend.faults = faults

    @property
    def prices(self) -> dict[str, dict[str, Any]]:
        """The present ``price_config`` of each model in US dollars, as in the model list of contract 2026-11.

        ``sandbox.prices = {"kling-v3": {"per_second": True, "video_prices": {"720p": 0.09}}}`` changes the
        prices of that model until the sandbox stops, for the model list, quotes, estimates and new tasks;
        every other model has its documented prices, and ``{}`` restores all of them. Tasks that have been
        submitted keep the amount that they have frozen. A request for which a model has no price is refused
        with ``price_not_configured``. Contract 2026-04 documents no prices, and has none here.

        Raises:
            ValueError: there is no such model in an assignment.
            RuntimeError: the sandbox is not running.
        """
        return self._started().backend.prices

    @prices.setter
    def prices(self, prices: Mapping[str, Mapping[str, Any]]) -> None:
        self._started().backend.prices = prices

    @property
    def requests(self) -> dict[str, dict[str, Any]]:
        """The bodies of the requests that created tasks, by task id, oldest first."""
        return {task_id: entry.body for task_id, entry in tuple(self._started().backend.tasks.items())}

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """The callbacks to ``callback_url``, sent or refused, oldest first."""
        return tuple(self._started().backend.callbacks)

    def publish(self, path: str | Path) -> str:
        """Return a URL of a local picture or video for the sandbox's tasks, to use wherever they take one.

        Args:
            path: a JPEG, PNG, WebP, MP4 or WebM file, ``~`` is expanded; each request serves its current
                content.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is not such a picture or video, or its path contains an API key.
            RuntimeError: the sandbox is not running.
        """
        if holds_key(str(path)):
            path = ""  # keep it out of tracebacks
            raise ValueError(tr("the path contains the API key, and is not shown; pass the path of a file"))
        return self._started().backend.publish(path)

    def start(self) -> Self:
        """Start the server. Do nothing if it is running already.

        Raises:
            OSError: the port is taken.
            RuntimeError: no thread can be started.
        """
        if self._running is None:
            self._running = _Running(self._port, self.api_key, Backend(self._contract, **self._settings))
        return self

    def stop(self) -> None:
        """Stop the server, end every drawing, remove every file. Do nothing if it is not running."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError(tr("the sandbox is not running: call start(), or use it in a with statement"))
        return self._running


class _Running:
    """The resources of a running sandbox: the socket, the server's thread, the backend."""

    def __init__(self, port: int, api_key: str, backend: Backend) -> None:
        self.backend, self._process = backend, os.getpid()
        try:
            self._socket = _listen(port)
        except OSError:
            backend.close()
            raise
        backend.base_url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._server = Server(
            uvicorn.Config(
                create_app(backend, api_key),
                loop="asyncio",
                http=Connection,
                # This many connections are accepted at a time, before any can be refused.
                backlog=max(1, most_connections() // 4),
                ws="none",
                lifespan="off",
                # The loggers are those of the process, in which a host such as Solara may use uvicorn, too.
                log_config=None,
                log_level=None,
                access_log=True,
                server_header=False,
            )
        )
        for name in ("uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).addFilter(_is_of_others)
        atexit.register(backend.close)  # no drawing outlives a kernel that ends without stop()
        sockets = [self._socket]
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), name=_THREAD, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            atexit.unregister(backend.close)
            self._socket.close()
            backend.close()
            raise RuntimeError(tr(_NO_THREAD)) from None
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)  # until then uvicorn cannot be stopped
        self._socket.listen(_BACKLOG)  # uvicorn has replaced the backlog by its own

    def stop(self) -> None:
        if os.getpid() != self._process:
            return  # a forked child: thread, socket and files belong to the parent
        atexit.unregister(self.backend.close)
        self._server.stop()
        self._thread.join(0.3)
        self._server.force_exit = True  # do not wait for a running download or a slow answer
        self._thread.join(_STOP_TIMEOUT)  # a daemon thread, so it does not delay the exit
        self._socket.close()
        self.backend.close()


def _is_of_others(_: logging.LogRecord) -> bool:
    """Return whether another thread than that of a sandbox is logging; a sandbox is silent."""
    return threading.current_thread().name != _THREAD


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        if os.name == "posix":  # on Windows this option would share a port that is taken
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message = tr(
                "port {port} on {host} is taken: stop the program that uses it, or choose another port"
            )
            raise OSError(errno.EADDRINUSE, message.format(port=port, host=HOST)) from None
        if error.errno == errno.EACCES:  # below 1024 on Unix; on Windows also in ranges that it reserves
            message = tr(
                "port {port} on {host} is not allowed for this user: choose another port, or 0 for any"
            )
            raise OSError(errno.EACCES, message.format(port=port, host=HOST)) from None
        raise
    return listener


def settings(variables: Mapping[str, str], system: str) -> str:
    """Return the commands that set environment variables in the shells of a system.

    Args:
        variables: names and values without blanks or quotes.
        system: the value of ``os.name``.
    """
    if system != "nt":
        return "\n".join(f"export {name}={value}" for name, value in variables.items())
    shells = {"PowerShell": '$env:{} = "{}"', "cmd": "set {}={}"}
    return "\n\n".join(
        "\n".join([f"In {shell}:", *(line.format(*item) for item in variables.items())])
        for shell, line in shells.items()
    )


def serve(
    port: int = 8765, speed: float = 1.0, api_key: str | None = None, contract: str = "2026-04"
) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM, and print its URL and key.

    Args:
        port: the port on 127.0.0.1; 0 for any free port.
        speed: factor by which tasks are faster than those of the real service.
        api_key: the key that is accepted; a random one by default.
        contract: the date of the contract, ``2026-04`` or ``2026-11``.

    Raises:
        OSError: the port is taken.
        ValueError: there is no such contract.
    """
    contract = as_date(contract)
    with Sandbox(port, speed, api_key=api_key, contract=contract) as sandbox:
        try:
            text = tr("The sandbox runs at {url}; press Ctrl-C to stop it.")
            print(text.format(url=sandbox.base_url), flush=True, end="\n\n")  # noqa: T201 - a command's output
            variables = {
                "QINGBO_BASE_URL": sandbox.base_url,
                "QINGBO_API_KEY": sandbox.api_key,
                "QINGBO_CONTRACT": sandbox.contract,
            }
            # Signals that end a service or close its window act like Ctrl-C; otherwise its files would stay.
            for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):  # SIGBREAK is Windows' SIGHUP
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                    signal.signal(number, signal.default_int_handler)
            print(settings(variables, os.name), flush=True)  # noqa: T201
            while True:
                time.sleep(3600)  # unlike a lock, Ctrl-C interrupts this on Windows
        except KeyboardInterrupt:
            print("\n" + tr("The sandbox has stopped."))  # noqa: T201
