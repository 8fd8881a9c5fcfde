"""Sessions: two for each thread of each process, with the key and without, and an end for all of them."""

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
    """The sessions of one client. A ``requests.Session`` is not made for several threads; each has its own.

    So has each process: what a forked one inherits stays its parent's, and is neither used nor shut down.

    Args:
        key: the API key.
        with_key: whether the key may be sent to a peer at this address, seen from this own address.
        without_key: whether anything may be sent there.
    """

    def __init__(
        self,
        key: Secret,
        with_key: Callable[[Address, Address | None], bool],
        without_key: Callable[[Address, Address | None], bool],
    ) -> None:
        self._rules = {
            "with_key": Rules(self._note, with_key, key),
            "without_key": Rules(self._note, without_key, Secret("")),
        }
        self._own = _Process()

    @property
    def closed(self) -> Flag:
        """Set by the next ``close()``. Later requests get a new event."""
        return self._here().closed

    def with_key(self, *, fresh: bool = False) -> requests.Session:
        """Return this thread's session for the service.

        Args:
            fresh: open a new connection. On a kept one, the service may just have closed its end, or an
                answer may be left over.
        """
        return self._session("with_key", fresh)

    def without_key(self) -> requests.Session:
        """Return this thread's session for all other servers; it opens a new connection."""
        return self._session("without_key", fresh=True)

    def close(self) -> None:
        """Cut every connection, also those on which a thread waits for an answer. New ones may be opened."""
        here = self._here()
        closed, here.closed = here.closed, Flag()
        closed.set()
        with here.lock:
            sessions, sockets = list(here.sessions), list(here.sockets)
        for connection in sockets:
            shut(connection)
        for session in sessions:
            session.close()

    def _here(self) -> _Process:
        if self._own.number != os.getpid():
            self._own = _Process()
        return self._own

    def _session(self, name: str, fresh: bool) -> requests.Session:
        here = self._here()
        session: requests.Session | None = getattr(here.threads, name, None)
        if session is None:
            session = _Session(self._rules[name])
            setattr(here.threads, name, session)
            with here.lock:
                here.sessions.add(session)
        elif fresh:
            session.close()
        return session

    def _note(self, connection: object) -> None:
        here = self._here()
        with here.lock:
            here.sockets.add(connection)


class _Process:
    """The sessions and open sockets of one process."""

    def __init__(self) -> None:
        self.number = os.getpid()
        self.threads = threading.local()
        self.sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self.sockets: weakref.WeakSet[Any] = weakref.WeakSet()
        self.lock = threading.RLock()  # a signal's handler may use the client, too
        self.closed = Flag()


class _NoAuth(AuthBase):
    """Stands where requests would otherwise look into .netrc for a password to send along."""

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
        """Nowhere: requests would read all of a redirect's body, to prepare a request that we do not make."""


class _Adapter(HTTPAdapter):
    """Opens connections that keep to the rules, directly or through a proxy."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        # Never a retry below us: a POST may have been billed.
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
