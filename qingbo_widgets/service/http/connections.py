"""urllib3 connections that check the peer's address and the answer, and attach the key last of all.

No request, session or log ever holds the key: it is inserted into the head's bytes just before they are
written to the socket. For the same reason ``http.client.HTTPConnection.debuglevel``, which prints heads, has
no effect here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..contract.addresses import Address, address_in
from ..secrets.secret import Secret
from .framing import CheckedResponse, OutOfSync, is_idle

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection as _Base
else:
    _Base = object

__all__ = ["TARGET", "ForbiddenAddress", "Rules", "checked_pools"]

#: A header that is never sent: the request's target, exactly as a link spells it. requests and urllib3 would
#: change its percent-encoding, which a signature may cover.
TARGET = "X-Qingbo-Target"
_PLACEHOLDER = b"\r\nAuthorization: <key>\r\n"


class ForbiddenAddress(Exception):
    """The host has an address that this session must not connect to. Nothing was sent."""


@dataclass(frozen=True)
class Rules:
    """Rules for the connections of one session.

    Attributes:
        on_open: called with each socket that was opened.
        allows: called with the peer's address and our own; returns whether the session may connect to it.
        secret: the key to attach; empty for none.
    """

    on_open: Callable[[object], None]
    allows: Callable[[Address, Address | None], bool]
    secret: Secret


def checked_pools(pools: dict[str, Any], rules: Rules, *, through_proxy: bool) -> dict[str, Any]:
    """Return urllib3's pool classes by scheme, with connections that follow the rules.

    Through a proxy, the peer's address is not checked: it is that of the proxy, which the user has chosen.
    """
    return {scheme: _checked_pool(pool, rules, through_proxy) for scheme, pool in pools.items()}


def _checked_pool(pool: Any, rules: Rules, through_proxy: bool) -> Any:
    response = type("CheckedResponse", (CheckedResponse,), {"secret": rules.secret})
    own = {"rules": rules, "through_proxy": through_proxy, "response_class": response}
    connection = type(pool.ConnectionCls.__name__, (_Connection, pool.ConnectionCls), own)
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Connection(_Base):
    rules: ClassVar[Rules]
    through_proxy: ClassVar[bool]
    debuglevel = 0
    _sends_head = False

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        if not self.through_proxy:
            # Check the address that was reached: the name may resolve to another one a moment later.
            peer, own = (address_in(str(name[0])) for name in (sock.getpeername(), sock.getsockname()))
            if peer is not None and not self.rules.allows(peer, own):
                sock.close()
                raise ForbiddenAddress
        return sock

    def connect(self) -> None:
        super().connect()
        self.rules.on_open(self.sock)

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        if headers is not None and TARGET in headers:
            headers = dict(headers)
            target = headers.pop(TARGET)
            # A proxy gets the whole URL; the host in it is the one that was checked.
            scheme, colon, rest = url.partition("://")
            url = target if url.startswith("/") else f"{scheme}{colon}{rest.partition('/')[0]}{target}"
        super().request(method, url, body=body, headers=headers, **options)

    def endheaders(self, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        if self.sock is None:
            self.connect()
        if not is_idle(self.sock):
            raise OutOfSync
        if not self.rules.secret:
            super().endheaders(message_body, encode_chunked=encode_chunked)
            return
        self.putheader("Authorization", "<key>")
        self._sends_head = True
        try:
            super().endheaders(message_body, encode_chunked=encode_chunked)
        finally:
            self._sends_head = False

    def send(self, data: Any) -> None:
        if not self._sends_head:
            super().send(data)
            return
        # Not through http.client, which prints the data and passes it to audit hooks.
        self.sock.sendall(
            data.replace(_PLACEHOLDER, _PLACEHOLDER.replace(b"<key>", self.rules.secret.bearer()), 1)
        )
