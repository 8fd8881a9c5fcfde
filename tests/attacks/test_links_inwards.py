"""Attacks by links of a public service, and images of a preset, that lead to this machine or network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import ConnectionFailed, DownloadFailed, InvalidRequest
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.addresses import address_in
from qingbo_widgets.service.http import connections
from qingbo_widgets.service.http.image_probe import probe_image
from tests.faults.film import film
from tests.faults.server import FaultServer, answer, redirect

PUBLIC_SERVICE = "https://qingbo.dev/v1"
VIDEO = film(b"v" * 1000)

SPELLINGS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "127%2e0%2e0%2e1",
    "127.0.0.%31",
    "%6cocalhost",
    "0x7f%2e1",
    "127。0。0。1",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "ⓛocalhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::1%25lo]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "cdn.example@127.0.0.1",
    "cdn.example:80@127.0.0.1",
    "pictures.example",
    "PICTURES.example.",
    "half.example",
]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the name server's table: by name, a list of addresses or a function that returns the list."""
    table: dict[str, Any] = {
        "pictures.example": ["127.0.0.1"],
        "half.example": ["198.51.100.7", "127.0.0.1"],
        "localhost": ["127.0.0.1"],
    }
    resolve = socket.getaddrinfo

    def look_up(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        name = str(host).removesuffix(".").lower()
        if name in table:
            addresses = table[name]() if callable(table[name]) else table[name]
            return [entry for address in addresses for entry in resolve(address, port, *rest, **named)]
        if name.strip("0123456789abcdefx.:%") == "":
            return resolve(host, port, *rest, **named)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


@pytest.fixture
def local_server() -> Iterator[FaultServer]:
    """Yield a server on this machine."""
    with FaultServer(otherwise=answer(VIDEO)) as server:
        yield server


def port_of(server: FaultServer) -> str:
    """Return the port of a server."""
    return server.url.rpartition(":")[2]


def connection_count(server: FaultServer) -> int:
    """Return the number of connections so far, from the number that a new connection gets."""
    with socket.create_connection(("127.0.0.1", int(port_of(server)))) as last:
        last.sendall(b"GET /last HTTP/1.1\r\n\r\n")
        assert last.recv(1)
    return server.requests[-1].connection - 1


def requests_to(server: FaultServer) -> list[str]:
    """Return the requested paths."""
    return [request.path for request in server.requests if request.path != "/last"]


def fetch(url: str, folder: Path, base_url: str = PUBLIC_SERVICE) -> str:
    """Check a URL as an image and download it as a video; return the saved path or the error text."""
    probe_image(url, base_url, timeout=(5, 5))
    with Client("sk-test-123456", base_url, timeout=(5, 5)) as client:
        try:
            return str(client.download(url, folder / "v.mp4"))
        except (DownloadFailed, InvalidRequest) as error:
            return str(error)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_this_machine_is_requested(
    host: str, local_server: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """No spelling of this machine's address is requested as image or video; no connection is opened."""
    fetch(f"http://{host}:{port_of(local_server)}/v.mp4", tmp_path)
    assert connection_count(local_server) == 0


@pytest.mark.parametrize(
    "tail", ["\\@cdn.example/v.mp4", "\\.cdn.example/v.mp4", "#@cdn.example/", "?@cdn.example/"]
)
def test_a_url_that_seems_to_belong_to_another_host(
    tail: str, local_server: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """The host that is checked ends where the HTTP library ends it, so these URLs are refused."""
    fetch(f"{local_server.url}{tail}", tmp_path)
    assert connection_count(local_server) == 0


def test_a_name_that_changes_between_two_lookups(
    local_server: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """DNS rebinding fails: a public address for the check, then this machine's for the connection."""
    addresses = cycle(("93.184.215.14", "127.0.0.1"))
    names["rebind.example"] = lambda: [next(addresses)]
    assert "your own network" in fetch(f"http://rebind.example:{port_of(local_server)}/v.mp4", tmp_path)
    assert connection_count(local_server) == 2, "the name was not looked up again"
    assert requests_to(local_server) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127%2e0%2e0%2e1", "pictures.example", "[::ffff:127.0.0.1]"])
def test_a_redirect_does_not_lead_inwards(
    host: str,
    local_server: FaultServer,
    names: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A redirect of a public server, reached through a proxy, to this machine is not followed."""
    with FaultServer(otherwise=redirect(f"http://{host}:{port_of(local_server)}/v.mp4")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        outcome = fetch("http://cdn.example/v.mp4", tmp_path)
        assert [request.path for request in proxy.requests] == ["http://cdn.example/v.mp4"] * 2
    assert "your own network" in outcome
    assert connection_count(local_server) == 0


def test_a_proxy_gets_no_request_for_a_private_address(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked up here before the proxy gets the request: the proxy may be in the same network."""
    with FaultServer(otherwise=answer(VIDEO)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "your own network" in fetch("http://pictures.example/v.mp4", tmp_path)
        assert proxy.requests == []
        assert fetch("http://unknown-here.example/v.mp4", tmp_path).endswith("v.mp4")


def test_a_vpn_with_its_own_addresses_for_all_names_works(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A VPN may give every name a private address, also the service's; this machine stays refused."""
    names |= {"qingbo.dev": ["198.18.0.1"], "cdn.example": ["198.18.0.9"]}
    with FaultServer(otherwise=answer(VIDEO)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert fetch("http://cdn.example/v.mp4", tmp_path).endswith("v.mp4")
        assert "your own network" in fetch("http://pictures.example/v.mp4", tmp_path)
        assert "your own network" in fetch("http://198.18.0.9/v.mp4", tmp_path)


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:1/v1", "http://localhost:1/v1", "https://here.example/v1"]
)
def test_a_service_on_this_machine_may_use_its_links(
    base_url: str, local_server: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """Links of a sandbox, or of a gateway whose name leads to this machine, may lead to this machine."""
    names["here.example"] = ["127.0.0.1"]
    url = f"http://pictures.example:{port_of(local_server)}/v.mp4"
    assert fetch(url, tmp_path, base_url).endswith("v.mp4")


def test_a_companys_gateway_may_use_its_network_but_not_this_machine(
    local_server: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """A service with a private address may link to its network, but not to this machine."""
    names["gateway.example"] = ["10.0.0.1"]
    url = f"http://pictures.example:{port_of(local_server)}/v.mp4"
    assert "your own network" in fetch(url, tmp_path, "https://gateway.example/v1")
    assert connection_count(local_server) == 0


def test_the_key_is_sent_in_the_clear_to_this_machine_only(
    local_server: FaultServer, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is not sent to a ``localhost`` that the network resolves to another machine."""
    # The test has no other machine, so this one appears under another address.
    monkeypatch.setattr(
        connections, "address_in", lambda host: address_in(host.replace("127.0.0.1", "10.0.0.7"))
    )
    with (
        Client("sk-test-123456", f"http://localhost:{port_of(local_server)}/v1", timeout=(5, 5)) as client,
        pytest.raises(ConnectionFailed, match="key must not be sent") as caught,
    ):
        client.status("task-1")
    assert caught.value.sent is False
    assert requests_to(local_server) == []
