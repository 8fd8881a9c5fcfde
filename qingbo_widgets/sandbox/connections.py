"""Connections to the sandbox: so many at once, and none that keeps others out.

The sandbox runs in the kernel's process, and each connection is an open file of that process. Clients that
begin a request and never end it would leave the kernel without any.
"""

from __future__ import annotations

import asyncio
import sys

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds for a whole request to arrive, head and body: it comes from this machine, and has 1 MB at most.
PATIENCE = 20.0
_MOST = 128
#: Of the files that a process may have open, one in so many may be a connection.
_SHARE = 4
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


def most_connections() -> int:
    """Return how many connections may be open at once: far fewer than this process may have open files."""
    if sys.platform == "win32":
        return _MOST
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else max(8, min(_MOST, files // _SHARE))


class Connection(H11Protocol):
    """One connection. Where there are too many, the one gives way that has waited longest for its client."""

    _since = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Make room for this connection, or refuse it."""
        super().connection_made(transport)
        self._begin()
        if len(self.connections) > most_connections():
            victim = min(self.connections, key=_worth)
            assert isinstance(victim, Connection)
            victim.give_way()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._begin()
        super().on_response_complete()

    @property
    def worth(self) -> tuple[int, float]:
        """The order in which connections give way: those whose client is slow to send, then slow to read."""
        if self.conn.their_state in _UNFINISHED:
            return 0, self._since
        return (1, self._since) if self.flow.write_paused else (2, -self._since)

    def give_way(self) -> None:
        """Close at once, whatever is on its way."""
        self.connections.discard(self)  # the next one is chosen among the others
        self.transport.abort()

    def _begin(self) -> None:
        self._since = self.loop.time()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(PATIENCE, self._check)

    def _check(self) -> None:
        if self.conn.their_state in _UNFINISHED:
            self.give_way()


def _worth(connection: object) -> tuple[int, float]:
    assert isinstance(connection, Connection)
    return connection.worth
