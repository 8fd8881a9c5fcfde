"""Checks of URLs: which the service can fetch, which may receive the key, which parts may be shown."""

from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from ...i18n import N_, tr
from .addresses import address_in, is_private_address
from .values import LocalMedia

__all__ = [
    "NOT_A_PUBLIC_URL",
    "base_url_refusal",
    "host_of",
    "is_local_file",
    "is_loopback",
    "is_network_path",
    "is_private_host",
    "is_web_url",
    "public_url_refusal",
    "redirect_target",
    "request_target",
    "web_link",
    "without_queries",
    "without_query",
]

#: The refusal of a text that is nothing like a URL.
NOT_A_PUBLIC_URL = N_("is not a public http(s) URL")
#: Characters that a request line can contain. A signature may cover their exact spelling.
_VISIBLE = "".join(filter(str.isprintable, string.printable)).replace(" ", "")
#: Characters that browsers remove from a URL, because a long one may have been wrapped.
_LINE_ENDS = str.maketrans("", "", "\t\r\n")
#: A URL in a text: its scheme, its login, its host and path, and its query, which is in ASCII.
_IN_TEXT = re.compile(r"(https?://)(?:[^\s\"'<>/?#]*@)?([^\s\"'<>?#]*)(?:[?#][!#-&(-;=?-~]*)?", re.IGNORECASE)
#: A URL's scheme, its authority, and the remainder without the fragment.
_PARTS = re.compile(r"([a-z][a-z0-9+.-]*:)(//[^/?#]*)([^#]*)", re.IGNORECASE)


def is_web_url(url: object) -> bool:
    """Return whether a value is an http(s) URL of visible characters with an unambiguous host."""
    if not isinstance(url, str) or not url.isprintable() or " " in url:
        return False
    parts = _split(url)
    # A backslash ends the host for some parsers, such as those of browsers, but not for others.
    if parts is None or parts.scheme not in ("http", "https") or "\\" in parts.netloc:
        return False
    return bool(host_of(url))


def web_link(text: object) -> str | None:
    """Return the http(s) URL in a text of the service or of a file server; ``None`` if there is none.

    The path and the query keep their spelling: percent-encoding, dots and brackets may be covered by a
    signature. Only what a request line cannot contain is percent-encoded; blanks and control characters
    around the URL, and line ends, are removed.
    """
    if not isinstance(text, str):
        return None
    parts = _PARTS.match(_stripped(text))
    if parts is None:
        return None
    try:
        link = f"{parts[1].lower()}{parts[2]}{quote(parts[3], safe=_VISIBLE)}"
    except UnicodeEncodeError:  # half a surrogate pair
        return None
    return link if is_web_url(link) else None


def request_target(link: str) -> str:
    """Return the path and the query of a web link, exactly as the link spells them."""
    parts = _PARTS.match(link)
    target = "" if parts is None else parts[3]
    return target if target.startswith("/") else f"/{target}"


def host_of(url: str) -> str:
    """Return the host to which a request for this URL would go; empty if there is none.

    The library that sends the request parses the host: it unescapes it (``127%2e0%2e0%2e1``), converts
    non-ASCII characters (``127。0。0。1``), and has its own rules for where the host ends.
    """
    # Not at the top: importing requests takes longer than importing all the rest of this package.
    import requests
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        host = parse_url(prepared.url or "").host or ""
        # requests uses both results: one for the connection, one for the proxy.
        other = urlsplit(prepared.url or "").hostname or ""
    except ValueError:  # includes UnicodeError and the errors of requests
        return ""
    except LocationParseError:
        return ""
    host = host.strip("[]").lower()
    return host if other in (host, host.replace("%", "%25")) else ""


def is_loopback(url: str) -> bool:
    """Return whether the host is certainly this machine: ``localhost``, 127.0.0.0/8 in any form, ``::1``."""
    host = host_of(url)
    address = address_in(host)
    return host == "localhost" if address is None else address.is_loopback


def is_private_host(url: str) -> bool:
    """Return whether the URL's host, judged by its spelling only, is this machine or in a private network."""
    host = host_of(url)
    address = address_in(host)
    if address is not None:
        return is_private_address(address)
    # Most resolvers map every name below localhost to this machine (RFC 6761).
    name = host.removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def is_network_path(path: str) -> bool:
    """Return whether a path is on another computer, to which Windows sends the user's login on access."""
    return path.strip()[:2] in ("\\\\", "//", "\\/", "/\\")


def is_local_file(path: str) -> bool:
    """Return whether a path is a file on this machine. A path on another computer is not accessed."""
    if is_network_path(path):
        return False
    try:
        return Path(path).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def redirect_target(url: str, location: str) -> str:
    """Return the target of a redirect of ``url``; ``location`` itself if it cannot be parsed.

    Args:
        url: the URL that is redirected.
        location: the header as http.client decodes it: a character for each byte.
    """
    location = _stripped(_decoded(location))
    try:
        if (target := web_link(location)) is not None:
            return target  # spelled exactly as given
        if location.startswith(("//", "/", "?")) and (base := _PARTS.match(url)) is not None:
            path = base[3].partition("?")[0] if location.startswith("?") else ""
            target = f"{base[1]}{'' if location.startswith('//') else base[2]}{path}{location}"
        else:
            target = urljoin(url, location)
    except ValueError:
        return location
    return web_link(target) or target


def _decoded(header: str) -> str:
    """Return the text of a header whose bytes are not ASCII: UTF-8, or else each byte percent-encoded."""
    try:
        content = header.encode("latin-1")
    except UnicodeEncodeError:  # not from the wire: a part of it was masked
        return header
    try:
        return content.decode()
    except UnicodeDecodeError:
        return quote(content, safe=_VISIBLE + " \t")


def _stripped(text: str) -> str:
    """Return the text without line ends, and without blanks and invisible characters around it."""
    text = text.translate(_LINE_ENDS)
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start])[0] in "CZ":
        start += 1
    while end > start and unicodedata.category(text[end - 1])[0] in "CZ":
        end -= 1
    return text[start:end]


def without_query(url: str) -> str:
    """Return the parts of a URL that may be shown: scheme, host and path; its query may be a signature."""
    parts = _split(url)
    if parts is None:
        return tr("an unreadable URL")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def without_queries(text: str) -> str:
    """Return a text without queries and logins in its URLs: they may be signatures of the user's links."""
    return _IN_TEXT.sub(r"\1\2", text)


def public_url_refusal(url: object) -> str | None:
    """Return the reason why the service cannot fetch a URL, as a predicate; ``None`` if it can try."""
    if is_web_url(url):
        return None
    if isinstance(url, LocalMedia):
        return tr("has no URL: only submit() of a manager can upload it")
    if not isinstance(url, str):
        kind = type(url).__name__
        message = tr("is an {type}, not a URL") if kind[:1] in "aeiou" else tr("is a {type}, not a URL")
        return message.format(type=kind)
    lowercase = url.strip().lower()
    if not lowercase:
        return tr("is blank")
    if lowercase.startswith("data:"):
        return tr("is a data: URL, but the service needs a public URL")
    if lowercase.startswith("file:") or is_local_file(url):
        return tr("is a file on this machine, but the service needs a public URL")
    if is_web_url(url.strip()):
        return tr("has blanks at its ends")
    if lowercase.startswith(("http://", "https://")):
        return tr("is not a valid URL (no blanks, a host after //)")
    return tr(NOT_A_PUBLIC_URL)


def base_url_refusal(url: str) -> str | None:
    """Return the reason not to send the key to an address, as a predicate; ``None`` if it may be sent."""
    parts = _split(url)
    if parts is None or not is_web_url(url):
        return tr("is not an http(s) URL")
    if parts.scheme != "https" and not is_loopback(url):
        return tr("is not https: the key would be sent unencrypted")
    if "@" in parts.netloc or parts.query or parts.fragment:
        return tr("must have only a host and a path")
    return None


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; ``None`` if it cannot be parsed."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a number
    except ValueError:
        return None
    return parts
