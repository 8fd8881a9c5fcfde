"""Pictures that a request names by URL: limits of size, pixels and time."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.sandbox.drawing import media
from qingbo_widgets.sandbox.drawing.media import UnusablePicture, decode, fetch
from tests.faults.server import FaultServer, drip


def png_of(width: int, height: int) -> bytes:
    """Return a black PNG of any size in a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    squeeze = zlib.compressobj(9)
    row = b"\0" * (1 + 4 * width)
    rows = b"".join(squeeze.compress(row) for _ in range(min(height, 50))) + squeeze.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    """Return a grey JPEG."""
    file = io.BytesIO()
    Image.new("L", (width, height), 128).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("size", [(12_000, 12_000), (60_000, 60_000), (7100, 7100)])
def test_a_picture_of_too_many_pixels_is_not_decoded(size: tuple[int, int]) -> None:
    """A PNG of a few kilobytes that would need gigabytes is not decoded."""
    with pytest.raises(ValueError, match="more than 50 million pixels"):
        decode(png_of(*size))


@pytest.mark.slow
def test_a_large_photograph_is_decoded_small() -> None:
    """A phone's photograph of 48 million pixels is decoded at a smaller size and keeps its shape."""
    picture = decode(jpeg_of(8000, 6000))
    assert picture.width >= 2048
    assert picture.width < 8000
    assert picture.width / picture.height == pytest.approx(4 / 3, abs=0.01)


def test_a_small_picture_stays_as_it_is() -> None:
    """A small picture keeps its size."""
    assert decode(jpeg_of(640, 480)).size == (640, 480)


def test_a_file_that_is_too_large_is_not_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """A file of a terabyte is rejected after ten megabytes."""
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ValueError, match="over 10 MB"):
        sandbox.publish(path)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no pipes in folders")
def test_a_pipe_is_rejected_without_waiting(sandbox: Sandbox, tmp_path: Path) -> None:
    """A pipe is not opened, because that would wait for a writer forever."""
    os.mkfifo(tmp_path / "koi.png")
    with pytest.raises(ValueError, match="not a file"):
        sandbox.publish(tmp_path / "koi.png")


def test_a_picture_that_arrives_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a byte now and then does not block the drawing forever."""
    monkeypatch.setattr(media, "PATIENCE", 0.3)
    slow = drip(png_of(400, 400) * 1000, 0.05)
    with FaultServer(slow) as server, pytest.raises(UnusablePicture, match="too long"):
        fetch(f"{server.url}/koi.png")
