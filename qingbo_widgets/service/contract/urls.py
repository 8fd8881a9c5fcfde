"""What kind of URL a text is: one the service can fetch, one we may send a key to, one that may be shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from ...i18n import tr
from .addresses import address_in, is_inside

__all__ = [
    "host_of",
    "is_elsewhere",
    "is_loopback",
    "is_private_host",
    "is_web_url",
    "pointed_to",
    "why_no_base_url",
    "why_not_public",
    "without_query",
]


def is_web_url(url: object) -> bool:
    """Return whether it is an http(s) URL of visible letters, with a host that is read alike everywhere."""
    if not isinstance(url, str) or not url.isprintable() or " " in url:
        return False
    parts = _split(url)
    # A backslash ends the host for some readers, for browsers for one, and not for others.
    if parts is None or parts.scheme not in ("http", "https") or "\\" in parts.netloc:
        return False
    return bool(host_of(url))


def host_of(url: str) -> str:
    """Return the host to which a request for this URL would go; empty where there is none.

    It is read by the library that sends the request, which unescapes a host (``127%2e0%2e0%2e1``), translates
    one that is not ASCII (``127。0。0。1``), and has its own idea of where one ends.
    """
    # Not at the top: requests takes longer to load than all the rest of the vocabulary.
    import requests
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        host = parse_url(prepared.url or "").host or ""
        # Both readings are in use there: one for the connection, one for the proxy.
        other = urlsplit(prepared.url or "").hostname or ""
    except ValueError:  # UnicodeError and requests' own are among them
        return ""
    except LocationParseError:
        return ""
    host = host.strip("[]").lower()
    return host if other in (host, host.replace("%", "%25")) else ""


def is_loopback(url: str) -> bool:
    """Return whether the host is surely this machine: ``localhost``, 127.0.0.0/8 in any form, ``::1``."""
    host = host_of(url)
    address = address_in(host)
    return host == "localhost" if address is None else address.is_loopback


def is_private_host(url: str) -> bool:
    """Return whether the URL's host, by its spelling, is this machine or on a network of its own."""
    host = host_of(url)
    address = address_in(host)
    if address is not None:
        return is_inside(address)
    # Most resolvers lead every name below localhost to this machine (RFC 6761).
    name = host.removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def is_elsewhere(path: str) -> bool:
    """Return whether a path names another computer, to which Windows shows the user's login by looking."""
    return path.strip()[:2] in ("\\\\", "//", "\\/", "/\\")


def pointed_to(url: str, location: str) -> str:
    """Where a redirect of ``url`` leads; ``location`` itself where that cannot be read."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def without_query(url: str) -> str:
    """Scheme, host and path: what may be shown of a URL whose query may be a signature."""
    parts = _split(url)
    if parts is None:
        return tr("an unreadable URL")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def why_not_public(url: object) -> str | None:
    """Why the service cannot fetch this (end of a sentence that names it), or ``None`` when it may try."""
    if is_web_url(url):
        return None
    if not isinstance(url, str):
        kind = type(url).__name__
        words = tr("is an {type}, not a URL") if kind[:1] in "aeiou" else tr("is a {type}, not a URL")
        return words.format(type=kind)
    lowered = url.strip().lower()
    if not lowered:
        return tr("is blank")
    if lowered.startswith("data:"):
        return tr("is the data itself, and the service takes public URLs only")
    if lowered.startswith("file:") or _is_file(url):
        return tr("is a file on this machine, and the service takes public URLs only")
    if is_web_url(url.strip()):
        return tr("has blanks around it")
    if lowered.startswith(("http://", "https://")):
        return tr("is not a URL that can be fetched (no blanks, a host after the //)")
    return tr("is not an http(s) URL, and the service takes public URLs only")


def why_no_base_url(url: str) -> str | None:
    """Why the key must not be sent to this address (end of a sentence), or ``None`` when it may be."""
    parts = _split(url)
    if parts is None or not is_web_url(url):
        return tr("is not an http(s) URL")
    if parts.scheme != "https" and not is_loopback(url):
        return tr("is not https, and the key would travel in the clear")
    if "@" in parts.netloc or parts.query or parts.fragment:
        return tr("has more than a host and a path")
    return None


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, ``None`` where it cannot be read as one."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _is_file(text: str) -> bool:
    if is_elsewhere(text):
        return "\\" in text[:2]
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
