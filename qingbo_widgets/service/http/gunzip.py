"""Decompression of a body that a server has compressed although the request forbids it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

__all__ = ["Gunzip"]

#: First bytes of gzip, and of zlib, which HTTP calls deflate. No video begins with these.
_MAGIC = (b"\x1f", b"\x78")
#: Largest piece of output in bytes, however small the input.
_LARGEST_PIECE = 1024**2
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Gunzip:
    """A streaming decompressor. A body that only its header declares compressed passes through unchanged.

    Attributes:
        is_complete: True once the end of the compressed body has arrived; True if it is not compressed.
    """

    def __init__(self) -> None:
        self._decoder: zlib._Decompress | None = None
        self._has_begun = False

    @property
    def is_compressed(self) -> bool:
        """True if the body begins as a compressed one that can be decompressed here."""
        return self._decoder is not None

    @property
    def is_complete(self) -> bool:
        """True if nothing is missing at the end."""
        return self._decoder is None or self._decoder.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed content of a piece of the body.

        Raises:
            zlib.error: the body is damaged.
        """
        if not self._has_begun:
            self._has_begun = True
            self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB) if chunk.startswith(_MAGIC) else None
        if self._decoder is None:
            yield chunk
            return
        while chunk and not self._decoder.eof:
            if piece := self._decoder.decompress(chunk, _LARGEST_PIECE):
                yield piece
            chunk = self._decoder.unconsumed_tail
