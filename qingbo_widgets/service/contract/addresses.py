"""IP addresses in any notation, and a check for those on this machine or its private network."""

from __future__ import annotations

import ipaddress
import socket

__all__ = ["Address", "address_in", "addresses_of", "is_private_address"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: IPv6 prefixes whose last 32 bits are an IPv4 address: NAT64 (RFC 6052), and the old "compatible" form.
_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
#: The local NAT64 prefix (RFC 8215), which older Pythons consider global.
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


def address_in(host: str) -> Address | None:
    """Return the IP address that a host is, as the system parses it; ``None`` for a name.

    The system also accepts 127.1, 0x7f.1, 0177.0.0.1 and 2130706433. An IPv4 address embedded in an IPv6
    address is unpacked.
    """
    host = host.strip("[]").removesuffix(".")
    try:
        return _unpacked(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_private_address(address: Address) -> bool:
    """Return whether the address belongs to this machine or a private network, not to the internet."""
    if isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _LOCAL_NAT64):
        return True
    return not address.is_global or address.is_multicast


def addresses_of(host: str) -> list[Address]:
    """Return the addresses of a host from the system's resolver; empty if it cannot resolve the name."""
    try:
        results = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # a UnicodeError for a name that cannot be looked up
        return []
    addresses = (address_in(str(entry[4][0])) for entry in results)
    return [address for address in addresses if address is not None]


def _unpacked(address: Address) -> Address:
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and int(address) > 1 and any(address in network for network in _CARRIERS):
        embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return embedded or address
