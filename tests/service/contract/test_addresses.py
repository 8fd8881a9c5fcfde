"""IP addresses in every notation, and the private ones among them."""

from __future__ import annotations

import socket

import pytest

from qingbo_widgets.service.contract.addresses import address_in, addresses_of, is_private_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::", "::"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:808:808", "8.8.8.8"),
        ("::127.0.0.1", "127.0.0.1"),
        ("64:ff9b::8.8.8.8", "8.8.8.8"),
        ("2002:a00:1::1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("a.example", "None"),
        ("", "None"),
    ],
)
def test_an_address_in_any_form(host: str, address: str) -> None:
    """An address is parsed as the system does, and unpacked from an IPv6 address that embeds it."""
    assert str(address_in(host)) == address


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::1%lo", True),
        ("::", True),
        ("fe80::1", True),
        ("fc00::1", True),
        ("fec0::1", True),
        ("ff02::1", True),
        ("64:ff9b:1::1", True),
        ("::ffff:192.168.1.1", True),
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2606:4700::1111", False),
        ("64:ff9b::8.8.8.8", False),
    ],
)
def test_which_address_is_inside(host: str, inside: bool) -> None:
    """Private addresses are recognised in every version of Python."""
    address = address_in(host)
    assert address is not None
    assert is_private_address(address) is inside


def test_the_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system resolves the name; an unknown or invalid name has no addresses."""
    assert {address.is_loopback for address in addresses_of("localhost")} == {True}
    assert addresses_of("no-such-name.invalid") == addresses_of("a" * 70 + ".example") == []
    scoped = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%lo", 0, 0, 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: scoped)
    assert [str(address) for address in addresses_of("router.example")] == ["fe80::1%lo"]
