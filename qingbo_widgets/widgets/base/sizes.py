"""Numbers of bytes as text."""

from __future__ import annotations

__all__ = ["size_text"]


def size_text(size: int) -> str:
    """Format a number of bytes for the user, such as 9.8 MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
