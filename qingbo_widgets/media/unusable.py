"""The error for a picture or video that the service would refuse, or that cannot be read."""

from __future__ import annotations

__all__ = ["UnusableMedia"]


class UnusableMedia(ValueError):
    """A picture or video that cannot be used: why, and what to do. The text names no field of a request."""
