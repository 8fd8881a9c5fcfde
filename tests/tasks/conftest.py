"""Managers that speak to a real sandbox, fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qingbo_widgets import Client, Library, Sandbox, TaskManager


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """A sandbox whose tasks take about half a second."""
    with Sandbox(speed=50, draft=True) as sandbox:
        yield sandbox


@pytest.fixture
def make_manager(server: Sandbox, tmp_path: Path) -> Iterator[Callable[..., TaskManager]]:
    """Makes managers on one folder; all are closed at the end."""
    managers: list[TaskManager] = []

    def make(client: Client | None = None, **settings: object) -> TaskManager:
        client = client or Client(server.api_key, server.base_url)
        settings = {"poll_interval": 0.1, **settings}
        managers.append(TaskManager(client, Library(tmp_path / "qingbo_videos"), **settings))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


@pytest.fixture
def manager(make_manager: Callable[..., TaskManager]) -> TaskManager:
    """One manager."""
    return make_manager()
