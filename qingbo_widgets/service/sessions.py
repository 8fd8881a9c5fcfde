"""Connections: two sessions for each thread, one with the key and one without, and an end for all of them."""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from .credentials import Secret

__all__ = ["Sessions"]


class Sessions:
    """The sessions of one client. A ``requests.Session`` is not made for several threads; each has its own.

    Args:
        key: the API key.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key
        self._own = threading.local()
        self._all: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def closed(self) -> threading.Event:
        """Is set by the next ``close``; what begins after that has another one."""
        return self._closed

    def with_key(self) -> requests.Session:
        """This thread's session for the service."""
        return self._session("with_key", lambda: _Bearer(self._key))

    def without_key(self) -> requests.Session:
        """This thread's session for everybody else."""
        return self._session("without_key", _NoAuth)

    def close(self) -> None:
        """Cut every connection, also those on which a thread waits for an answer. New ones may be opened."""
        closed, self._closed = self._closed, threading.Event()
        closed.set()
        with self._lock:
            sessions, sockets = list(self._all), list(self._sockets)
        for connection in sockets:
            with suppress(OSError):  # it has ended by itself
                # Not the method of a TLS socket, which is not made for another thread's connection.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for session in sessions:
            session.close()

    def _session(self, name: str, auth: Callable[[], AuthBase]) -> requests.Session:
        session: requests.Session | None = getattr(self._own, name, None)
        if session is None:
            session = _Session()
            session.auth = auth()
            session.headers["User-Agent"] = "qingbo_widgets"
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Adapter(self._note))
            setattr(self._own, name, session)
            with self._lock:
                self._all.add(session)
        return session

    def _note(self, connection: object) -> None:
        if isinstance(connection, socket.socket):  # TLS within the TLS of a proxy is not one
            with self._lock:
                self._sockets.add(connection)


class _Bearer(AuthBase):
    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return prepared


class _NoAuth(AuthBase):
    """Stands where requests would otherwise look into .netrc for a password to send along."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: requests would read all of a redirect's body, to prepare a request that we do not make."""


class _Adapter(HTTPAdapter):
    """Tells of every connection that it opens, directly or through a proxy."""

    def __init__(self, note: Callable[[object], None]) -> None:
        self._note = note
        # Never a retry below us: a POST may have been billed.
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if is_new:
            self._watch(manager)
        return manager

    def _watch(self, manager: Any) -> None:
        pools = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {name: _watched(pool, self._note) for name, pool in pools.items()}


def _watched(pool: Any, note: Callable[[object], None]) -> Any:
    """A pool of connections that are told of as soon as they are open."""

    def connect(self: Any) -> None:
        pool.ConnectionCls.connect(self)
        note(self.sock)

    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"connect": connect})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})
