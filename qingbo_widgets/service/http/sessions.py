"""HTTP sessions, two for each thread of each process: with the key and without. All can be closed at once."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from ...system.flags import Flag
from ..contract.addresses import Address
from ..secrets.secret import Secret
from .connections import Rules, checked_pools
from .framing import shut

__all__ = ["Sessions"]


class Sessions:
    """The sessions of one client, a pair for each thread, because ``requests.Session`` is not thread-safe.

    Each process has its own, too: a forked process neither uses nor shuts down its parent's connections.

    Args:
        key: the API key.
        with_key: called with the peer's address and our own; returns whether the key may be sent to the peer.
        without_key: likewise; returns whether a request without the key may be sent to the peer.
    """

    def __init__(
        self,
        key: Secret,
        with_key: Callable[[Address, Address | None], bool],
        without_key: Callable[[Address, Address | None], bool],
    ) -> None:
        self._rules = {
            "with_key": Rules(self._register, with_key, key),
            "without_key": Rules(self._register, without_key, Secret("")),
        }
        self._process = _Process()

    @property
    def closed(self) -> Flag:
        """The flag that the next ``close()`` sets. Later requests get a new flag."""
        return self._current_process().closed

    def with_key(self, *, fresh: bool = False) -> requests.Session:
        """Return this thread's session for the service.

        Args:
            fresh: whether to open a new connection. The service may just have closed a kept-alive one, or an
                answer may be left over on it.
        """
        return self._session("with_key", fresh)

    def without_key(self) -> requests.Session:
        """Return this thread's session for all other servers, with a new connection."""
        return self._session("without_key", fresh=True)

    def close(self) -> None:
        """Shut down every connection, even while a thread waits for an answer. New ones may be opened."""
        process = self._current_process()
        closed, process.closed = process.closed, Flag()
        closed.set()
        with process.lock:
            sessions, sockets = list(process.sessions), list(process.sockets)
        for connection in sockets:
            shut(connection)
        for session in sessions:
            session.close()

    def _current_process(self) -> _Process:
        if self._process.number != os.getpid():
            self._process = _Process()
        return self._process

    def _session(self, name: str, fresh: bool) -> requests.Session:
        process = self._current_process()
        session: requests.Session | None = getattr(process.threads, name, None)
        if session is None:
            session = _Session(self._rules[name])
            setattr(process.threads, name, session)
            with process.lock:
                process.sessions.add(session)
        elif fresh:
            session.close()
        return session

    def _register(self, connection: object) -> None:
        process = self._current_process()
        with process.lock:
            process.sockets.add(connection)


class _Process:
    """The sessions and open sockets of one process."""

    def __init__(self) -> None:
        self.number = os.getpid()
        self.threads = threading.local()
        self.sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self.sockets: weakref.WeakSet[Any] = weakref.WeakSet()
        self.lock = threading.RLock()  # a signal handler may use the client, too
        self.closed = Flag()


class _NoAuth(AuthBase):
    """An empty authentication. Without one, requests would take a password from .netrc and send it."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class _Session(requests.Session):
    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self.auth = _NoAuth()
        self.headers["User-Agent"] = "qingbo_widgets"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(rules))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return ``None``: requests would read a redirect's whole body to prepare a request we never send."""


class _Adapter(HTTPAdapter):
    """An adapter whose connections follow the rules, directly or through a proxy."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        # No retries at this level: a POST may have been billed.
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._check(self.poolmanager, through_proxy=False)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if is_new:
            self._check(manager, through_proxy=True)
        return manager

    def _check(self, manager: Any, *, through_proxy: bool) -> None:
        pools = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = checked_pools(pools, self._rules, through_proxy=through_proxy)
