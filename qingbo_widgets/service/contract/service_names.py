"""The name of a service in the journal: one, however its address was spelt."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["normalised"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalised(service: str) -> str:
    """Return a base URL as the journal has it: no capitals in the host, no default port, no slash at the end.

    A host of other letters than ASCII is written as the network knows it (``xn--…``). What is no URL, such as
    ``sandbox``, stays as it is.
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
    own_port = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host}{own_port}{parts.path.rstrip('/')}"
