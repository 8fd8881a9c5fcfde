"""Fixtures: a fast sandbox of contract 2026-11, and the default manager connected to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import qingbo_widgets as qw


@pytest.fixture(scope="module")
def server() -> Iterator[qw.Sandbox]:
    """Yield a fast sandbox of contract 2026-11."""
    with qw.Sandbox(speed=200, draft=True, contract="2026-11") as sandbox:
        yield sandbox


@pytest.fixture
def manager(server: qw.Sandbox, workdir: Path) -> Iterator[qw.TaskManager]:
    """Yield the default manager, connected to the sandbox."""
    manager = qw.connect(sandbox=server, library=workdir / "videos")
    manager.poll_interval = 0.1
    yield manager
    manager.close()
