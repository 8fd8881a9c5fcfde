"""A TCP relay before a server, which cuts connections or lets them hang."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

__all__ = ["Relay", "relay_to", "silent_server"]


class Relay:
    """What the relay does with connections.

    Attributes:
        url: its address.
        cut_after: bytes of a client after which its connection is cut.
        cuts: the connections to cut; the others pass.
    """

    def __init__(self, url: str, cut_after: int, cuts: float) -> None:
        self.url, self.cut_after, self.cuts = url, cut_after, cuts


@contextmanager
def relay_to(url: str, *, cut_after: int = 2**20, cuts: float = float("inf")) -> Iterator[Relay]:
    """Yield a relay to the server at a URL."""
    target = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        relay = Relay(f"http://127.0.0.1:{listening.getsockname()[1]}", cut_after, cuts)
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                if client.recv(1, socket.MSG_PEEK) == b"!":
                    client.close()
                    return
                threads.append(threading.Thread(target=_pass, args=(relay, client, target), daemon=True))
                threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield relay
        finally:
            with socket.create_connection(listening.getsockname()) as last:
                last.sendall(b"!")
            accepting.join(10)


def _pass(relay: Relay, client: socket.socket, target: tuple[str, int]) -> None:
    """Pass the bytes of a connection in both directions."""
    with client, socket.create_connection(target) as server, suppress(OSError):
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        passed = 0
        while content := client.recv(65536):
            passed += len(content)
            if passed > relay.cut_after and relay.cuts > 0:
                relay.cuts -= 1
                break
            server.sendall(content)
        for end in (server, client):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the URL of a server that accepts connections, and neither reads nor answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"  # the system accepts for it
