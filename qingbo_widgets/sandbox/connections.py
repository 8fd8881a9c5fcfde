"""Connections to the sandbox: limited in number, and none may block the others.

The sandbox runs in the kernel's process, and each connection is an open file of that process. Clients that
begin a request and never finish it would exhaust the kernel's files.
"""

from __future__ import annotations

import asyncio
import sys

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds for a complete request to arrive, head and body: it comes from this machine, and has 1 MB at most.
PATIENCE = 20.0
_MOST = 128
#: One in this many of the files that a process may have open may be a connection.
_SHARE = 4
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


def most_connections() -> int:
    """Return how many connections may be open at once, far fewer than the process's limit of open files."""
    if sys.platform == "win32":
        return _MOST
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else max(8, min(_MOST, files // _SHARE))


class Connection(H11Protocol):
    """A connection. If there are too many, the one waiting longest for its client is dropped."""

    _since = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Drop a connection if there are too many: another one, or this one."""
        super().connection_made(transport)
        self._restart_timer()
        if len(self.connections) > most_connections():
            victim = min(self.connections, key=_drop_order)
            assert isinstance(victim, Connection)
            victim.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the connection's timer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Restart the timer for the next request."""
        self._restart_timer()
        super().on_response_complete()

    @property
    def drop_order(self) -> tuple[int, float]:
        """The order in which connections are dropped: clients slow to send first, then those slow to read."""
        if self.conn.their_state in _UNFINISHED:
            return 0, self._since
        return (1, self._since) if self.flow.write_paused else (2, -self._since)

    def drop(self) -> None:
        """Close at once, even during an answer."""
        self.connections.discard(self)  # the next one to drop is chosen from the others
        self.transport.abort()

    def _restart_timer(self) -> None:
        self._since = self.loop.time()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(PATIENCE, self._check)

    def _check(self) -> None:
        if self.conn.their_state in _UNFINISHED:
            self.drop()


def _drop_order(connection: object) -> tuple[int, float]:
    assert isinstance(connection, Connection)
    return connection.drop_order
