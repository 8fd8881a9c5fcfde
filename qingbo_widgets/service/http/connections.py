"""Connections of urllib3 that check whom they reach and what comes, and attach the key as late as can be.

No request, session or log ever holds the key: it is put into the head's bytes on their way into the socket.
For the same reason ``http.client.HTTPConnection.debuglevel``, which prints heads, has no effect here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..contract.addresses import Address, address_in
from ..secrets.secret import Secret
from .framing import CheckedResponse, OutOfStep, is_silent

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection as _Base
else:
    _Base = object

__all__ = ["NotAdmitted", "Rules", "checked_pools"]

_PLACE = b"\r\nAuthorization: <key>\r\n"


class NotAdmitted(Exception):
    """The host has an address to which this session may not speak. Nothing was sent."""


@dataclass(frozen=True)
class Rules:
    """Rules that the connections of one session keep.

    Attributes:
        note: called with each socket that is open.
        admits: whether the session may speak to a peer at this address, seen from this own address.
        secret: the key to attach; empty for none.
    """

    note: Callable[[object], None]
    admits: Callable[[Address, Address | None], bool]
    secret: Secret


def checked_pools(pools: dict[str, Any], rules: Rules, *, through_proxy: bool) -> dict[str, Any]:
    """Return urllib3's classes of pools by scheme, with connections that keep to the rules.

    Through a proxy, the peer is the proxy, which the user has chosen.
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
            # By the address that was reached: a name may have another one a moment later.
            peer, own = (address_in(str(name[0])) for name in (sock.getpeername(), sock.getsockname()))
            if peer is not None and not self.rules.admits(peer, own):
                sock.close()
                raise NotAdmitted
        return sock

    def connect(self) -> None:
        super().connect()
        self.rules.note(self.sock)

    def endheaders(self, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        if self.sock is None:
            self.connect()
        if not is_silent(self.sock):
            raise OutOfStep
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
        # Not through http.client, which prints it, and gives it to audit hooks.
        self.sock.sendall(data.replace(_PLACE, _PLACE.replace(b"<key>", self.rules.secret.bearer()), 1))
