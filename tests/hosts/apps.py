"""Servers of hosts that show a program as a web page: marimo, Solara, Shiny, Panel."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.hosts.environments import variables_of

__all__ = ["App", "started"]

#: Seconds after which a server that does not answer is taken for broken.
PATIENCE = 90.0


class App:
    """A running server.

    Args:
        url: the address of its page.
        log: the file with everything that it prints.
    """

    def __init__(self, url: str, log: Path) -> None:
        self.url, self._log = url, log

    @property
    def output(self) -> str:
        """The text that the server has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def printed(self, text: str, seconds: float = PATIENCE) -> bool:
        """Wait until the server has printed a text; return whether it has."""
        end = time.monotonic() + seconds
        while text not in self.output and time.monotonic() < end:
            time.sleep(0.1)
        return text in self.output


@contextmanager
def started(
    command: Sequence[str], folder: Path, path: str = "/", *, variables: Mapping[str, str] | None = None
) -> Iterator[App]:
    """Run a server in a folder until the end of the block.

    Args:
        command: its program and arguments; ``{port}`` stands for a free port.
        folder: its working directory.
        path: the path of the page.
        variables: further environment variables.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = App(f"http://127.0.0.1:{port}{path}", folder / "server.log")
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            cwd=folder,
            env=variables_of(folder / "home") | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            end = time.monotonic() + PATIENCE
            while not _answers(port):
                assert process.poll() is None, f"the server has ended:\n{app.output}"
                assert time.monotonic() < end, f"the server does not answer:\n{app.output}"
                time.sleep(0.1)
            yield app
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int) -> bool:
    """Return whether the server accepts connections; a request would run the program already."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
