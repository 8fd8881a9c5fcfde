"""Bytes with the structure of videos, in each container."""

from __future__ import annotations

__all__ = ["CONTAINERS", "ebml", "film"]


def film(pictures: bytes, *, tail: bytes = b"") -> bytes:
    """Return a complete file around these bytes.

    Args:
        pictures: the content of the ``mdat`` box.
        tail: boxes after it.
    """
    head = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
    return head + b"\x00\x00\x00\x08moov" + (8 + len(pictures)).to_bytes(4, "big") + b"mdat" + pictures + tail


def ebml(kind: bytes, length: int | None, content: bytes = b"." * 40) -> bytes:
    """Return a WebM or Matroska file that announces this length; ``None`` for an unknown one."""
    head = b"\x42\x82" + bytes((0x80 | len(kind),)) + kind
    announced = b"\x01" + (b"\xff" * 7 if length is None else length.to_bytes(7, "big"))
    return b"\x1aE\xdf\xa3" + bytes((0x80 | len(head),)) + head + b"\x18\x53\x80\x67" + announced + content


#: A whole video by the suffix of its container.
CONTAINERS = {
    ".mp4": film(b"." * 99),
    ".webm": ebml(b"webm", 40),
    ".mov": film(b"." * 99).replace(b"isom", b"qt  "),
    ".mkv": ebml(b"matroska", 40),
    ".gif": b"GIF89a" + bytes(30) + b";",
    ".avi": b"RIFF" + (34).to_bytes(4, "little") + b"AVI " + bytes(30),
    ".flv": b"FLV\x01" + bytes(30),
    ".ogv": b"OggS" + bytes(30),
    ".wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(30),
    ".mpg": b"\x00\x00\x01\xba" + bytes(30),
}
