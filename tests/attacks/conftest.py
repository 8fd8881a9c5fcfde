"""Fixtures shared by the attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets import Client, Library, TaskManager
from tests.faults.server import FaultServer
from tests.faults.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """Yield a working service on a real socket, which fails where a test injects faults."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield service


@pytest.fixture
def make_manager(service: Service, tmp_path: Path) -> Iterator[Callable[..., TaskManager]]:
    """Yield a function that creates managers on one folder; the journal sees each as another kernel."""
    managers: list[TaskManager] = []

    def make(**settings: Any) -> TaskManager:
        client = Client("sk-test-123456", f"{service.url}/v1", timeout=(2.0, 5.0))
        managers.append(TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05, **settings))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()
