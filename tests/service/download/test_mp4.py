"""Tests of the completeness check of mp4 files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.download.mp4 import shape_of_mp4
from qingbo_widgets.service.download.shape import Shape
from tests.faults.film import film

FTYP = b"\0\0\0\x10ftypisom\0\0\0\0"
MOOV = b"\0\0\0\x0cmoov...."
MDAT = b"\0\0\0\x0cmdat...."


def shape(data: bytes) -> Shape:
    """Return the shape of a file of these bytes."""
    return shape_of_mp4(io.BytesIO(data), len(data))


def whole(data: bytes) -> bool:
    """Return whether these bytes are a complete file."""
    return shape(data) is Shape.whole


@pytest.mark.parametrize(
    "data",
    [
        FTYP + MOOV + MDAT,
        FTYP + b"\0\0\0\x08free" + MDAT + MOOV,
        FTYP + MOOV + b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"....",
        FTYP + MOOV + b"\0\0\0\0mdat" + b"." * 99,
        FTYP + MOOV + MDAT + bytes(100),
        film(b"." * 99, tail=b"\0\0\0\x08moof" + MDAT),
    ],
    ids=["plain", "moov last", "64 bits", "to the end", "filled up", "fragments"],
)
def test_a_whole_file(data: bytes) -> None:
    """A file whose boxes fill it is complete."""
    assert whole(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FTYP,
        FTYP + MOOV,
        FTYP + MDAT,
        FTYP + MOOV + MDAT + b"\0\0\0\7free",
        FTYP + MOOV + MDAT + b"\0\0\0\x09free",
        FTYP + MOOV + b"\0\0\0\x08moof" + MDAT + b"\0\0\0",
        FTYP + MOOV + b"\0\0\0\1mdat" + (15).to_bytes(8, "big") + b"....",
        FTYP + MOOV + b"\0\0\0\1mdat" + (2**64 - 1).to_bytes(8, "big"),
        FTYP + MOOV + MDAT + b"\0\0\0\x08free" * 100_001,
    ],
    ids=[
        *("nothing", "no more", "no pictures", "no index", "too short a box", "half a box"),
        *("half the head of a fragment", "too short a long box", "an endless box", "endless boxes"),
    ],
)
def test_an_incomplete_file(data: bytes) -> None:
    """A file is incomplete if a box is missing or extends beyond the end."""
    assert shape(data) is Shape.cut


@pytest.mark.parametrize(
    "tail",
    [b"\0", b"\r\n", b"\r\n\r\n<!-- served by edge-7 -->", b"\xff" * 100, b"\0\0\0\x10XMP_"],
    ids=["a byte", "a line end", "a comment", "filled up", "half a foreign box"],
)
def test_bytes_behind_the_last_box(tail: bytes) -> None:
    """A file with other bytes behind its last box can be played, but may still be incomplete."""
    assert shape(FTYP + MOOV + MDAT + tail) is Shape.odd
    assert shape(FTYP + MOOV + MDAT[:-1]) is Shape.cut


def test_a_truncated_file() -> None:
    """A file truncated at any byte is incomplete."""
    data = FTYP + MOOV + MDAT
    assert [end for end in range(len(data) + 1) if shape(data[:end]) is not Shape.cut] == [len(data)]


@pytest.mark.slow
def test_a_real_video(tmp_path: Path) -> None:
    """An encoder's file is complete, and half of it is not."""
    with Sandbox(speed=100, draft=True) as sandbox, Client(sandbox.api_key, sandbox.base_url) as client:
        task_id = client.submit(VideoRequest(prompt="一条锦鲤", duration=3)).task_id
        while not (videos := client.status(task_id).videos):
            pass
        data = client.download(videos[0].url, tmp_path / "v.mp4").read_bytes()
    assert whole(data)
    assert not whole(data[: len(data) // 2])
