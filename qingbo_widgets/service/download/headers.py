"""Headers that describe which bytes of a file an answer holds, and how they are encoded (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .validators import matches_validator

__all__ = [
    "UNKNOWN_COMPRESSIONS",
    "ContentRange",
    "content_length",
    "content_range",
    "encoding_of",
    "is_expected_range",
]

_RANGE = re.compile(r"bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII | re.IGNORECASE)
_MOST_DIGITS = 19
#: Compressions that no module of every supported Python can undo.
UNKNOWN_COMPRESSIONS = ("br", "zstd", "compress", "x-compress", "dcb", "dcz")
#: Compressions. Other values of ``Content-Encoding`` change nothing, such as ``aws-chunked`` or ``utf-8``.
_COMPRESSIONS = ("gzip", "x-gzip", "deflate", *UNKNOWN_COMPRESSIONS)


@dataclass(frozen=True)
class ContentRange:
    """A range of a file.

    Attributes:
        start: its first byte.
        end: the byte after its last one.
        total: bytes of the file, ``None`` if the server does not say.
    """

    start: int
    end: int
    total: int | None

    @property
    def is_part(self) -> bool:
        """True if more of the file follows."""
        return self.total is not None and self.end < self.total


def content_range(headers: Mapping[str, str]) -> ContentRange | None:
    """Return the range that an answer holds; ``None`` if it does not say, or contradicts itself."""
    found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if found is None:
        return None
    start, last, total = int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])
    is_valid = start <= last and (total is None or last < total)
    return ContentRange(start, last + 1, total) if is_valid else None


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the announced length of an answer in bytes; ``None`` if there is none."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdecimal() and len(length) <= _MOST_DIGITS else None


def encoding_of(headers: Mapping[str, str]) -> str:
    """Return what the headers call the compression of the body, in lower case."""
    return headers.get("Content-Encoding", "").strip().lower()


class _Part(Protocol):
    """A part of a file that is to be continued."""

    @property
    def overlap(self) -> int:
        """The first byte that was requested."""

    total: int | None
    validator: str | None


def is_expected_range(headers: Mapping[str, str], part: _Part | None) -> bool:
    """Return whether an answer with the status 206 is usable, as far as its headers say.

    Args:
        headers: the headers of the answer.
        part: the part to continue; ``None`` if no range was requested. Some servers send one even then, of
            the whole file or of its beginning.
    """
    found = content_range(headers)
    if part is None:
        return found is None or found.start == 0
    if found is None or found.start != part.overlap or found.total not in (None, part.total):
        return False
    if encoding_of(headers) in _COMPRESSIONS:
        return False
    return part.validator is None or matches_validator(headers, part.validator)
