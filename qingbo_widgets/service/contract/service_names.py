"""The name of a service in the journal, the same for every spelling of its address."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

__all__ = ["normalised"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=100)  # a library's rows have few services
def normalised(service: str) -> str:
    """Return a base URL as stored in the journal: lowercase host, no default port, no trailing slash.

    A host with non-ASCII letters is converted to its IDNA form (``xn--…``). A name that is not a URL, such as
    ``sandbox``, is returned unchanged.
    """
    try:
        parts = urlsplit(service.strip())
        host, port = parts.hostname, parts.port
        if not parts.scheme or not host:
            return service
        if not host.isascii():
            import idna  # as requests does

            host = idna.encode(host, uts46=True).decode("ascii")
    except (ValueError, UnicodeError):
        return service
    host = f"[{host}]" if ":" in host else host.removesuffix(".")
    port_suffix = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host}{port_suffix}{parts.path.rstrip('/')}"
