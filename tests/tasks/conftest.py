"""A sandbox with prices, and managers on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw

#: A video of 5 s at 720p costs $0.378 with kling-v3, and $0.189 with kling-v2-6.
PRICED: dict[str, Any] = {"duration": 5, "resolution": "720p"}


@pytest.fixture
def priced_server() -> Iterator[qw.Sandbox]:
    """Yield a fast sandbox of the contract with prices."""
    with qw.Sandbox(speed=60, draft=True, contract="2026-11") as sandbox:
        yield sandbox


@pytest.fixture
def make_priced(priced_server: qw.Sandbox, tmp_path: Path) -> Iterator[Callable[..., qw.TaskManager]]:
    """Yield a function that creates managers on one folder; close them all at the end."""
    managers: list[qw.TaskManager] = []

    def make(**settings: Any) -> qw.TaskManager:
        client = qw.Client(priced_server.api_key, priced_server.base_url, contract="2026-11")
        library = qw.Library(tmp_path / "qingbo_videos")
        managers.append(qw.TaskManager(client, library, poll_interval=0.1, **settings))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


@pytest.fixture
def priced(make_priced: Callable[..., qw.TaskManager]) -> qw.TaskManager:
    """Return a manager of the sandbox with prices."""
    return make_priced()
