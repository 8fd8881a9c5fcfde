"""Real files of pictures, each odd in one way."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["AVIF", "chunk", "huge_png", "of_16_bits", "photograph", "pixels_of", "saved", "with_chunk"]

Image.init()
#: The format's name, if this version of Pillow writes it.
AVIF = ("AVIF",) if "AVIF" in Image.SAVE else ()


def photograph(width: int = 480, height: int = 360) -> Image.Image:
    """Return an image without sharp edges; its upper left quarter is red, the lower right blue."""
    content = np.zeros((height, width, 3), np.uint8)
    content[..., 1] = np.linspace(0, 120, width).astype(np.uint8)
    content[: height // 2, : width // 2, 0] = 220
    content[height // 2 :, width // 2 :, 2] = 220
    return Image.fromarray(content)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return the image as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def pixels_of(content: bytes) -> Any:
    """Return the decoded pixels of a file as Pillow reads it, without any profile or orientation."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(content: bytes, kind: bytes, data: bytes) -> bytes:
    """Return a PNG with another chunk behind its header."""
    return content[:33] + chunk(kind, data) + content[33:]


def of_16_bits(values: Any) -> bytes:
    """Return a PNG of 16 bits a channel: grey, or RGB if the array has three dimensions."""
    header = struct.pack(
        ">IIBBBBB", values.shape[1], values.shape[0], 16, 0 if values.ndim == 2 else 2, 0, 0, 0
    )
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def huge_png(side: int) -> bytes:
    """Return a black RGB PNG of this width and height in a few hundred kilobytes, without ever having it."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
