"""A server on a real socket, with a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

__all__ = ["Listener"]


class Listener:
    """A server that serves from ``with`` on; subclasses write ``serve``.

    Args:
        port: the port to listen on; 0 for any free port.

    Attributes:
        url: the URL of the server.
        stopped: the event that ends the test.
        sockets: the sockets of the connections; closed by their threads, shut down at the end.
    """

    def __init__(self, port: int = 0) -> None:
        self.stopped = threading.Event()
        self.sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self, connection: socket.socket, number: int) -> None:
        """Serve a connection and close it.

        Args:
            connection: the accepted socket.
            number: its number, from 1.
        """
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        # A shutdown wakes the threads that wait on these sockets; each closes its own.
        for waiting in (self._listener, *self.sockets):
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def start(self, target: Callable[..., None], *arguments: object) -> None:
        """Run a function in a thread that the end of the server waits for."""
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        number = 0
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            self.sockets.append(connection)
            self.start(self.serve, connection, number)
