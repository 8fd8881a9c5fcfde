"""A kernel that a host has started for a notebook, for tests of the place of that notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.system import host, notebook

__all__ = ["Shell", "StartKernel", "start_kernel"]


class Shell:
    """The part of a kernel's shell that the package reads."""

    def __init__(self, folder: Path, namespace: dict[str, Any], cell: str) -> None:
        self.kernel, self.starting_dir, self.user_ns = object(), str(folder), namespace
        self.events = SimpleNamespace(register=lambda *_: None)
        self.parent: dict[str, Any] = {
            "metadata": {"cellId": cell} if cell else {},
            "header": {"msg_id": "a run"},
        }

    def get_parent(self) -> dict[str, Any]:
        """Return the request that runs the cell."""
        return self.parent


StartKernel = Callable[..., Shell]


@pytest.fixture
def start_kernel(monkeypatch: pytest.MonkeyPatch) -> StartKernel:
    """Return a function that makes this process look like a kernel to the package, and starts it again.

    It takes the folder in which the kernel starts, the session name that the server sets, the user's
    variables, and the id of the running cell; it returns the shell.
    """

    def start(
        folder: Path,
        session: str | Path | None = None,
        *,
        namespace: Mapping[str, Any] | None = None,
        cell: str = "a cell",
    ) -> Shell:
        shell = Shell(folder, dict(namespace or {}), cell)
        monkeypatch.setattr(host, "shell", lambda: shell)
        monkeypatch.setattr(notebook, "shell", lambda: shell)
        monkeypatch.setattr(notebook, "_notebook", notebook._Notebook())
        if session is None:
            monkeypatch.delenv(notebook.SESSION, raising=False)
        else:
            monkeypatch.setenv(notebook.SESSION, str(session))
        monkeypatch.chdir(folder)
        return shell

    return start
