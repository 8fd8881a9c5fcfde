"""Kernels forked from a process that has imported the libraries, which is most of a kernel's start.

A fork has imported nothing of this package, and is a kernel like any other: a process of its own, which
JupyterLab interrupts, restarts and kills by way of the process that it has started.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

#: What the notebooks of the tests import sooner or later, but for this package.
LIBRARIES = (
    "alembic.command",
    "anywidget",
    "av",
    "imagesize",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipywidgets",
    "numpy",
    "PIL.Image",
    "requests",
    "sqlalchemy.dialects.sqlite",
    "starlette.applications",
    "uvicorn",
)


def describe(folder: Path, address: Path) -> None:
    """Write the description of such a kernel into a folder for ``JUPYTER_PATH``."""
    command = [sys.executable, "-I", "-S", __file__, str(address), "{connection_file}"]
    file = folder / "kernels" / "python3" / "kernel.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"argv": command, "display_name": "Python 3", "language": "python"}))


def serve(address: str) -> dict[str, Any]:
    """Fork a process for each connection; return in the fork, with what was asked for."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        for name in LIBRARIES:
            import_module(name)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets the forks that have ended
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    asked: dict[str, Any] = json.loads(connection.makefile().readline())
    connection.sendall(f"{os.getpid()}\n".encode())
    threading.Thread(target=_end_with, args=[connection], daemon=True).start()
    return asked


def _end_with(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(1)
    os.killpg(0, signal.SIGKILL)


def run_kernel(asked: dict[str, Any]) -> None:
    """Be the kernel that was asked for, until it is shut down."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv[1:] = ["-f", asked["connection_file"]]
    sys.path[0] = ""
    import_module("ipykernel.kernelapp").launch_new_instance()


def start(address: str, connection_file: str) -> None:
    """Ask for a kernel, pass on the signals that it is sent, and return when it has ended."""
    asked = {"environment": dict(os.environ), "folder": str(Path.cwd()), "connection_file": connection_file}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(f"{json.dumps(asked)}\n".encode())
        kernel = int(connection.makefile().readline())

        def pass_on(number: int, _: object) -> None:
            with suppress(ProcessLookupError):
                os.killpg(kernel, number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        with suppress(OSError):
            connection.recv(1)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        run_kernel(serve(sys.argv[1]))
    else:
        start(*sys.argv[1:])
