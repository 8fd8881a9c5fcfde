"""The proxy that the environment sets for a request, and the reasons why it was not used.

requests reads the setting itself, for each request. It is read here once more after a failure, to name the
variable that is wrong. A proxy's user name and password are never shown.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests.utils
import urllib3.exceptions as urllib3_errors
from requests.exceptions import InvalidSchema
from urllib3.util import Url, parse_url

from ...i18n import N_, sentences, tr
from ..contract.urls import is_loopback
from ..secrets.known_keys import hide

__all__ = ["Proxy", "proxies_for", "proxy_failure", "proxy_of", "proxy_refusal"]

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_NEEDS_LOGIN = 407

_NO_ADDRESS = N_("{source} is not the address of a proxy, such as http://127.0.0.1:7890.")
_OTHER_SCHEME = N_("{source} sets a {scheme}:// proxy, which does not work here; try {example}.")
_SOCKS_PACKAGE = N_(
    "{source} sets a SOCKS proxy, for which a Python package is missing: run %pip install "
    '"requests[socks]" and restart the kernel. An http:// proxy needs no package.'
)
_LOOKS_UP = N_("With {example}, the proxy resolves the name instead of this machine.")
_MEND = N_("Start the proxy, or correct or unset {source}.")
_CORRECT = N_("Correct or unset {variable}.")

#: A sentence for each reason why a proxy was not used, the most specific first.
_MESSAGES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (
        urllib3_errors.NameResolutionError,
        N_("{host} was not reached: the name of the proxy {proxy} could not be resolved."),
    ),
    (
        urllib3_errors.NewConnectionError,
        N_("{host} was not reached: the proxy {proxy} refused the connection or cannot be reached."),
    ),
    (
        (TimeoutError, urllib3_errors.TimeoutError),
        N_("{host} was not reached: the proxy {proxy} did not answer in time."),
    ),
    (
        urllib3_errors.SSLError,
        N_(
            "{host} was not reached: the proxy {proxy} could not prove its identity, or does not use TLS. "
            "In that case its address begins with http://, not https://."
        ),
    ),
    (Exception, N_("{host} was not reached: the proxy {proxy} did not connect.")),
)
_ANSWERED = N_("{host} was not reached: the proxy {proxy} answered {status} instead of connecting.")
_LOGIN_MISSING = N_(
    "{host} was not reached: the proxy {proxy} requires a user name and a password (407). Put both into its "
    "address: http://user:password@host:port."
)
_LOGIN_WRONG = N_(
    "{host} was not reached: the proxy {proxy} does not accept the user name and the password in its address "
    "(407)."
)


@dataclass(frozen=True)
class Proxy:
    """A proxy that the environment sets for a request.

    Attributes:
        source: the environment variable, or the operating system's settings.
        scheme: the scheme in lower case; empty if the setting is no address.
        address: host and port, without user name and password; empty likewise.
        has_login: whether the setting has a user name.
    """

    source: str
    scheme: str = ""
    address: str = ""
    has_login: bool = False

    def __str__(self) -> str:
        address = f"{self.scheme}://{self.address}"
        return tr("{address} (set in {source})").format(address=address, source=self.source)

    @property
    def is_socks(self) -> bool:
        """True for a SOCKS proxy of any version."""
        return self.scheme.startswith("socks")

    @property
    def problem(self) -> str:
        """A sentence that says why no request can use this setting; empty if one can."""
        if not self.address:
            return tr(_NO_ADDRESS).format(source=self.source)
        if self.scheme in _SCHEMES:
            return ""
        example = f"{'socks5h' if self.is_socks else 'http'}://{self.address}"
        return tr(_OTHER_SCHEME).format(source=self.source, scheme=self.scheme, example=example)


def proxies_for(url: str) -> dict[str, str] | None:
    """Return the argument ``proxies`` of requests: none for this machine, which no proxy can reach."""
    return {"http": "", "https": ""} if is_loopback(url) else None  # not a constant: requests modifies it


def proxy_of(url: str) -> Proxy | None:
    """Return the proxy that requests uses for a URL; ``None`` if it connects directly."""
    if is_loopback(url):
        return None
    value = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if not value:
        return None
    source = _variable_of(value, urlsplit(url).scheme) or tr("the system's proxy settings")
    parts = _parts_of(value)
    if parts is None or not parts.host:
        return Proxy(source)
    address = parts.host if parts.port is None else f"{parts.host}:{parts.port}"
    return Proxy(source, (parts.scheme or "").lower(), hide(address), has_login=bool(parts.auth))


def proxy_failure(cause: BaseException, host: str, proxy: Proxy) -> str:
    """Return the sentences about a proxy that was not used; empty if the failure came after it."""
    missing = tr(_SOCKS_PACKAGE).format(source=proxy.source) if isinstance(cause, InvalidSchema) else ""
    if proxy.problem or missing:
        return sentences(proxy.problem, missing)
    if isinstance(cause, urllib3_errors.ProxyError):
        reason = cause.original_error
        if refused := re.match(r"Tunnel connection failed: (\d{3})", str(reason)):
            return _refusal(proxy, host, int(refused[1]))
    elif proxy.is_socks and isinstance(cause, urllib3_errors.ConnectTimeoutError):
        reason = Exception()  # PySocks does not tell the proxy's own failure from one behind it
    else:
        return ""
    message = next(tr(message) for kinds, message in _MESSAGES if isinstance(reason, kinds))
    # Where a proxy is needed, this machine often cannot look the name up, or gets a false address.
    remote = {"socks4": "socks4a", "socks5": "socks5h"}.get(proxy.scheme)
    lookup = tr(_LOOKS_UP).format(example=f"{remote}://{proxy.address}") if remote else ""
    return sentences(message.format(host=host, proxy=proxy), tr(_MEND).format(source=proxy.source), lookup)


def proxy_refusal(url: str, status: int) -> str:
    """Return the sentence about a proxy that answered in place of the server; empty if none did.

    Only a request without encryption gets such an answer; for any other, the proxy must connect first.
    """
    proxy = proxy_of(url) if status == _NEEDS_LOGIN and not url.startswith("https:") else None
    return "" if proxy is None else _refusal(proxy, urlsplit(url).hostname or "", status)


def _refusal(proxy: Proxy, host: str, status: int) -> str:
    message = tr(_ANSWERED)
    if status == _NEEDS_LOGIN:
        message = tr(_LOGIN_WRONG) if proxy.has_login else tr(_LOGIN_MISSING)
    message = message.format(host=host, proxy=proxy, status=status)
    return sentences(message, tr(_CORRECT).format(variable=proxy.source))


def _variable_of(value: str, scheme: str) -> str:
    """Return the environment variable with this value; requests prefers the URL's scheme to "all"."""
    names = [name for kind in (scheme, "all") for name in os.environ if name.lower() == f"{kind}_proxy"]
    return next((name for name in names if os.environ[name] == value), "")


def _parts_of(value: str) -> Url | None:
    """Return the parts of a proxy's address as requests reads it; ``None`` if it cannot."""
    try:
        parts = parse_url(requests.utils.prepend_scheme_if_needed(value, "http"))  # type: ignore[no-untyped-call]
    except (urllib3_errors.LocationParseError, ValueError):
        return None
    # A password with / ? or # that was not percent-encoded ends the authority: its host and its port would be
    # the user name and the beginning of the password.
    return None if "@" in "".join(filter(None, (parts.path, parts.query, parts.fragment))) else parts
