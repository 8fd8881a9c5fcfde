"""Fixtures: a transport and a client of a scripted server."""

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
    """Disable proxies, because these tests use their own local servers."""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Yield a server with an empty script."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def transport(server: FaultServer) -> Iterator[Transport]:
    """Yield a transport to the server with timeouts long enough for a busy machine."""
    transport = Transport(Secret(KEY), server.url + "/v1", (20.0, 20.0))
    yield transport
    transport.close()


@pytest.fixture
def hurried(server: FaultServer) -> Iterator[Transport]:
    """Yield a transport with a read timeout of 0.2 s, for servers that never respond or never finish."""
    transport = Transport(Secret(KEY), server.url + "/v1", (20.0, 0.2))
    yield transport
    transport.close()


@pytest.fixture
def client(server: FaultServer) -> Iterator[Client]:
    """Yield a client of the server with timeouts long enough for a busy machine."""
    with Client(KEY, server.url + "/v1", timeout=(20.0, 20.0)) as client:
        yield client
