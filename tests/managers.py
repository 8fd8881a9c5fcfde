"""Fixtures: managers of a real, fast sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw


@pytest.fixture(scope="module")
def server() -> Iterator[qw.Sandbox]:
    """Yield a sandbox whose tasks take about half a second."""
    with qw.Sandbox(speed=50, draft=True) as sandbox:
        yield sandbox


@pytest.fixture
def make_manager(server: qw.Sandbox, tmp_path: Path) -> Iterator[Callable[..., qw.TaskManager]]:
    """Yield a function that creates managers on one folder; close them all at the end."""
    managers: list[qw.TaskManager] = []

    def make(client: qw.Client | None = None, **settings: Any) -> qw.TaskManager:
        client = client or qw.Client(server.api_key, server.base_url)
        settings = {"poll_interval": 0.1, **settings}
        managers.append(qw.TaskManager(client, qw.Library(tmp_path / "qingbo_videos"), **settings))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


@pytest.fixture
def manager(make_manager: Callable[..., qw.TaskManager]) -> qw.TaskManager:
    """Return one manager."""
    return make_manager()
