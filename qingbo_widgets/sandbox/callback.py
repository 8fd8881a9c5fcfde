"""Callbacks to a ``callback_url`` when its task has ended, only to addresses on this machine."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 5.0


@dataclass(frozen=True)
class Callback:
    """A callback, sent or refused.

    Attributes:
        task_id: the task that ended.
        url: its ``callback_url``.
        answer: the HTTP status of the answer; ``None`` if there was no answer, or if the address is not on
            this machine and was not contacted.
    """

    task_id: str
    url: str
    answer: int | None


def call(url: str, status: Mapping[str, Any]) -> Callback:
    """Post a task's status to its callback URL, if the URL leads to this machine.

    The name is resolved once and its IP address is contacted, so that it cannot resolve to this machine for
    the check and to another one for the request. Redirects are not followed.

    Args:
        url: a valid http or https URL.
        status: the body of a status response.
    """
    return Callback(status["task_id"], url, _post(url, json.dumps(status).encode()))


def _post(url: str, body: bytes) -> int | None:
    parts = urlsplit(url)
    address = _loopback(parts.hostname or "", parts.port or 80)
    if address is None or parts.scheme != "http":
        return None  # https is not called: a listener on loopback rarely has a certificate
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(address, parts.port or 80, timeout=TIMEOUT)
    try:
        headers = {"Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json"}
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _loopback(host: str, port: int) -> str | None:
    """Return the loopback address of a host name, or ``None`` if it has any other address."""
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    addresses = [str(entry[4][0]) for entry in resolved]
    if addresses and all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return addresses[0]
    return None
