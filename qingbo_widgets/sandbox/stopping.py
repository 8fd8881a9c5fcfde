"""``Server``: uvicorn's server, which stops without delay.

uvicorn's own switch, ``should_exit``, is read ten times a second, and then it waits for another tenth: 160 ms
against 5 ms here. A notebook that restarts its sandbox would wait for that each time.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import uvicorn

from .connections import Connection

#: Seconds between two updates of the header ``Date``.
_TICK = 1.0
#: Seconds between two looks at answers that are still being sent.
_GLANCE = 0.01


class Server(uvicorn.Server):
    """A server whose connections are all ``Connection``; ``stop`` ends it from another thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Accept no more requests, and stop once those that are running are answered."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        """Serve until ``stop`` is called."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close idle connections at once, the others once they are answered or ``force_exit`` is set."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # an idle connection closes at the next turn of the loop
        while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:
            await asyncio.sleep(_GLANCE)
        for connection in tuple(self.server_state.connections):
            assert isinstance(connection, Connection)
            connection.drop()
        for server in self.servers:
            await server.wait_closed()
