"""Bytes that are an mp4 as far as its boxes go."""

from __future__ import annotations

__all__ = ["film"]


def film(pictures: bytes, *, tail: bytes = b"") -> bytes:
    """A whole file around these bytes.

    Args:
        pictures: what stands for the pictures.
        tail: boxes behind them.
    """
    head = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
    return head + b"\x00\x00\x00\x08moov" + (8 + len(pictures)).to_bytes(4, "big") + b"mdat" + pictures + tail
