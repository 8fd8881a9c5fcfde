"""Tells a `callback_url` that its task has ended: on this machine only, for a sandbox calls nobody else."""

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
    """One call, made or refused.

    Attributes:
        task_id: The task that ended.
        url: Its `callback_url`.
        answer: The HTTP status that came back; None when nobody answered, or when the address is not on this
            machine and was not called.
    """

    task_id: str
    url: str
    answer: int | None


def call(url: str, status: Mapping[str, Any]) -> Callback:
    """Post a task's status to its callback URL, if that stands for this machine.

    The address is resolved once and then contacted by number, so that a name cannot mean this machine when it
    is checked and another when it is called. Redirects are not followed.

    Args:
        url: A valid http or https URL.
        status: The body that a status request would answer.
    """
    return Callback(status["task_id"], url, _post(url, json.dumps(status).encode()))


def _post(url: str, body: bytes) -> int | None:
    parts = urlsplit(url)
    address = _loopback(parts.hostname or "", parts.port or 80)
    if address is None or parts.scheme != "http":
        return None  # a certificate for loopback is nothing that a lesson has
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
    """The loopback address that a host name stands for, or None if it stands for any other."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    addresses = [str(entry[4][0]) for entry in found]
    if addresses and all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return addresses[0]
    return None
