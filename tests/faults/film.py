"""Bytes with the box structure of an mp4."""

from __future__ import annotations

__all__ = ["film"]


def film(pictures: bytes, *, tail: bytes = b"") -> bytes:
    """Return a complete file around these bytes.

    Args:
        pictures: the content of the ``mdat`` box.
        tail: boxes after it.
    """
    head = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
    return head + b"\x00\x00\x00\x08moov" + (8 + len(pictures)).to_bytes(4, "big") + b"mdat" + pictures + tail
