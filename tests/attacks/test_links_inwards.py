"""Links of a service out there, and images of a stranger's preset, that lead to this machine or network."""

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

OUT_THERE = "https://qingbo.dev/v1"
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
    """The name server: a list of addresses by name, or a function that returns one; no other name exists."""
    known: dict[str, Any] = {
        "pictures.example": ["127.0.0.1"],
        "half.example": ["198.51.100.7", "127.0.0.1"],
        "localhost": ["127.0.0.1"],
    }
    resolve = socket.getaddrinfo

    def look_up(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        name = str(host).removesuffix(".").lower()
        if name in known:
            found = known[name]() if callable(known[name]) else known[name]
            return [entry for address in found for entry in resolve(address, port, *rest, **named)]
        if name.strip("0123456789abcdefx.:%") == "":
            return resolve(host, port, *rest, **named)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.fixture
def inside() -> Iterator[FaultServer]:
    """A server on this machine."""
    with FaultServer(otherwise=answer(VIDEO)) as server:
        yield server


def port_of(server: FaultServer) -> str:
    """Return where it listens."""
    return server.url.rpartition(":")[2]


def opened(server: FaultServer) -> int:
    """Return how many connections it has accepted; they come in order, so this one is the last."""
    with socket.create_connection(("127.0.0.1", int(port_of(server)))) as last:
        last.sendall(b"GET /last HTTP/1.1\r\n\r\n")
        assert last.recv(1)
    return server.requests[-1].connection - 1


def requests_to(server: FaultServer) -> list[str]:
    """Return the paths that were asked for."""
    return [request.path for request in server.requests if request.path != "/last"]


def fetches(url: str, folder: Path, base_url: str = OUT_THERE) -> str:
    """Look at a URL as an image, and download it as a video; return what became of the download."""
    probe_image(url, base_url, timeout=(5, 5))
    with Client("sk-test-123456", base_url, timeout=(5, 5)) as client:
        try:
            return str(client.download(url, folder / "v.mp4"))
        except (DownloadFailed, InvalidRequest) as error:
            return str(error)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_this_machine_is_asked(
    host: str, inside: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """Neither as an image nor as a video; not even a connection is opened."""
    fetches(f"http://{host}:{port_of(inside)}/v.mp4", tmp_path)
    assert opened(inside) == 0


@pytest.mark.parametrize(
    "tail", ["\\@cdn.example/v.mp4", "\\.cdn.example/v.mp4", "#@cdn.example/", "?@cdn.example/"]
)
def test_what_only_seems_to_belong_to_another_host(
    tail: str, inside: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """The library that sends the request decides on the end of the host."""
    fetches(f"{inside.url}{tail}", tmp_path)
    assert opened(inside) == 0


def test_a_name_that_changes_between_two_looks(
    inside: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """DNS rebinding: an address out there for the check, this machine's for the connection that follows."""
    addresses = cycle(("93.184.215.14", "127.0.0.1"))
    names["rebind.example"] = lambda: [next(addresses)]
    assert "your own network" in fetches(f"http://rebind.example:{port_of(inside)}/v.mp4", tmp_path)
    assert opened(inside) == 2, "the name was not looked up anew"
    assert requests_to(inside) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127%2e0%2e0%2e1", "pictures.example", "[::ffff:127.0.0.1]"])
def test_a_redirect_does_not_lead_inwards(
    host: str, inside: FaultServer, names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server out there, reached through a proxy, points at this machine."""
    with FaultServer(otherwise=redirect(f"http://{host}:{port_of(inside)}/v.mp4")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        said = fetches("http://cdn.example/v.mp4", tmp_path)
        assert [request.path for request in proxy.requests] == ["http://cdn.example/v.mp4"] * 2
    assert "your own network" in said
    assert opened(inside) == 0


def test_a_proxy_is_not_asked_to_look_inwards(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy may stand in the same network: the name is looked up here first, where it is known."""
    with FaultServer(otherwise=answer(VIDEO)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "your own network" in fetches("http://pictures.example/v.mp4", tmp_path)
        assert proxy.requests == []
        assert fetches("http://unknown-here.example/v.mp4", tmp_path).endswith("v.mp4")


def test_a_vpn_that_answers_every_name_by_itself_is_no_obstacle(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some give each name an inner address of their own, the service's too; this machine's stay refused."""
    names |= {"qingbo.dev": ["198.18.0.1"], "cdn.example": ["198.18.0.9"]}
    with FaultServer(otherwise=answer(VIDEO)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert fetches("http://cdn.example/v.mp4", tmp_path).endswith("v.mp4")
        assert "your own network" in fetches("http://pictures.example/v.mp4", tmp_path)
        assert "your own network" in fetches("http://198.18.0.9/v.mp4", tmp_path)


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:1/v1", "http://localhost:1/v1", "https://here.example/v1"]
)
def test_a_service_on_this_machine_may_use_its_links(
    base_url: str, inside: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """A sandbox, and a gateway under a name that leads to this machine."""
    names["here.example"] = ["127.0.0.1"]
    url = f"http://pictures.example:{port_of(inside)}/v.mp4"
    assert fetches(url, tmp_path, base_url).endswith("v.mp4")


def test_a_companys_gateway_may_use_its_network_but_not_this_machine(
    inside: FaultServer, names: dict[str, Any], tmp_path: Path
) -> None:
    """A service with an inner address has its videos on another one; this machine is none of its own."""
    names["gateway.example"] = ["10.0.0.1"]
    url = f"http://pictures.example:{port_of(inside)}/v.mp4"
    assert "your own network" in fetches(url, tmp_path, "https://gateway.example/v1")
    assert opened(inside) == 0


def test_the_key_goes_to_this_machine_only_where_it_travels_in_the_clear(
    inside: FaultServer, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ``localhost`` that the network answers with another machine does not get it."""
    # Another machine cannot be reached from here, so this one is seen under another address.
    monkeypatch.setattr(
        connections, "address_in", lambda host: address_in(host.replace("127.0.0.1", "10.0.0.7"))
    )
    with (
        Client("sk-test-123456", f"http://localhost:{port_of(inside)}/v1", timeout=(5, 5)) as client,
        pytest.raises(ConnectionFailed, match="key must not be sent") as caught,
    ):
        client.status("task-1")
    assert caught.value.sent is False
    assert requests_to(inside) == []
