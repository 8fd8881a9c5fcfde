"""Fixtures that several attacks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.server import FaultServer
from tests.faults.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that works, on a real socket, and fails as it is asked to."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield service
