"""A transport and a client on a scripted server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qingbo_widgets.service.client import Client
from qingbo_widgets.service.http.transport import Transport
from qingbo_widgets.service.secrets.secret import Secret
from tests.faults.server import FaultServer

KEY = "sk-sentinel-0123456789"


@pytest.fixture(autouse=True)
def never_a_proxy(no_proxy: None) -> None:
    """Every test of this room speaks to its own servers."""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server without a script yet."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def transport(server: FaultServer) -> Iterator[Transport]:
    """A transport to it with more patience than a busy machine needs."""
    transport = Transport(Secret(KEY), server.url + "/v1", (20.0, 20.0))
    yield transport
    transport.close()


@pytest.fixture
def hurried(server: FaultServer) -> Iterator[Transport]:
    """A transport to it that loses patience after 0.2 s, for servers that say nothing or never end."""
    transport = Transport(Secret(KEY), server.url + "/v1", (20.0, 0.2))
    yield transport
    transport.close()


@pytest.fixture
def client(server: FaultServer) -> Iterator[Client]:
    """A client of it with more patience than a busy machine needs."""
    with Client(KEY, server.url + "/v1", timeout=(20.0, 20.0)) as client:
        yield client
