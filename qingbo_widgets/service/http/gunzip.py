"""A body that a server has compressed although it was asked not to."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

__all__ = ["Gunzip"]

#: First bytes of gzip, and of what HTTP calls deflate. No video begins so.
_MARKS = (b"\x1f", b"\x78")
#: Bytes that come out at a time, however little goes in.
_MOST = 1024**2
_EITHER = 32 + zlib.MAX_WBITS


class Gunzip:
    """Decompresses a body piece by piece; one that only its header calls compressed stays as it is.

    Attributes:
        is_complete: whether the end of the compressed body has come; true of one that is not compressed.
    """

    def __init__(self) -> None:
        self._decoder: zlib._Decompress | None = None
        self._has_begun = False

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is missing at the end."""
        return self._decoder is None or self._decoder.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a piece of the body holds.

        Raises:
            zlib.error: it is damaged.
        """
        if not self._has_begun:
            self._has_begun = True
            self._decoder = zlib.decompressobj(_EITHER) if chunk.startswith(_MARKS) else None
        if self._decoder is None:
            yield chunk
            return
        while chunk and not self._decoder.eof:
            if piece := self._decoder.decompress(chunk, _MOST):
                yield piece
            chunk = self._decoder.unconsumed_tail
