"""Decompression of a body that a server has compressed although the request forbids it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

__all__ = ["Gunzip", "is_compressed"]

#: First bytes of gzip.
_GZIP = b"\x1f\x8b"
#: Bytes that show whether a body is compressed.
_ENOUGH = 2
#: Largest piece of output in bytes, however small the input.
_LARGEST_PIECE = 1024**2
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


def is_compressed(head: bytes) -> bool:
    """Return whether a body begins like gzip, or like zlib, which HTTP calls deflate.

    So does a video whose first box is larger than 128 MB, about one in 250 of them.
    """
    is_zlib = len(head) > 1 and head[0] & 0x8F == 0x08 and int.from_bytes(head[:2], "big") % 31 == 0
    return is_zlib or head.startswith(_GZIP)


class Gunzip:
    """A streaming decompressor. A body that only its header declares compressed passes through unchanged.

    Args:
        raw: whether the body is a deflate stream without the zlib header that HTTP requires.

    Attributes:
        is_complete: True once the end of the compressed body has arrived; True if it is not compressed.
    """

    def __init__(self, *, raw: bool = False) -> None:
        self._is_raw = raw
        self._decoder: zlib._Decompress | None = None
        self._head = b""
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
            self._head = chunk = self._head + chunk
            if len(chunk) < _ENOUGH:
                return
            self._has_begun = True
            if self._is_raw or is_compressed(chunk):
                self._decoder = self._new_decoder()
        if self._decoder is None:
            yield chunk
            return
        while chunk:
            if self._decoder.eof:
                if not chunk.startswith(_GZIP[:1]):
                    return  # not compressed: of no use behind the end
                self._decoder = self._new_decoder()  # gzip may come in several members
            if piece := self._decoder.decompress(chunk, _LARGEST_PIECE):
                yield piece
            chunk = self._decoder.unconsumed_tail or self._decoder.unused_data

    def _new_decoder(self) -> zlib._Decompress:
        return zlib.decompressobj(_RAW if self._is_raw else _GZIP_OR_ZLIB)
