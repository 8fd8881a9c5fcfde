"""Tests of the decompression of bodies that should not be compressed."""

from __future__ import annotations

import gzip
import zlib

import pytest

from qingbo_widgets.service.http.gunzip import Gunzip, is_compressed
from tests.faults.film import CONTAINERS

TEXT = b"twelve bytes" * 50_000


def inflated(body: bytes, size: int, *, raw: bool = False) -> tuple[bytes, bool]:
    """Return the content of a body that arrives in pieces, and whether it is complete."""
    gunzip = Gunzip(raw=raw)
    pieces = [piece for at in range(0, len(body), size) for piece in gunzip.pieces(body[at : at + size])]
    assert max(map(len, pieces)) <= 2**20
    return b"".join(pieces), gunzip.is_complete


@pytest.mark.parametrize("size", [1, 1000, 10**9])
@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(TEXT),
        zlib.compress(TEXT, 1),
        gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:]),
        gzip.compress(TEXT) + b"\r\n",
    ],
    ids=["gzip", "zlib", "two members", "a line end behind it"],
)
def test_a_compressed_body(body: bytes, size: int) -> None:
    """A body is decompressed, however it is cut, and is complete at its end only."""
    assert is_compressed(body[:2])
    assert inflated(body, size) == (TEXT, True)
    assert inflated(body[: len(body) // 2], size)[1] is False


def test_a_body_without_a_header() -> None:
    """Some servers omit the header of deflate."""
    assert inflated(zlib.compress(TEXT)[2:-4], 1000, raw=True) == (TEXT, True)


@pytest.mark.parametrize("head", [b"", b"x", b"{}", b"<!doctype html>", *CONTAINERS.values()])
def test_what_is_not_compressed(head: bytes) -> None:
    """No video, page or answer of a program looks compressed."""
    assert not is_compressed(head)


@pytest.mark.parametrize("size", [1, 1000])
def test_a_body_that_is_not_compressed_passes_through(size: int) -> None:
    """A body that only its header declares compressed is complete as it is."""
    body = CONTAINERS[".mp4"]
    assert inflated(body, size) == (body, True)
