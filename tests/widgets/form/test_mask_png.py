"""Painted masks become PNG files that any program reads, and what the page sends is checked."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from qingbo_widgets.service.http.image_probe import Size, size_of
from qingbo_widgets.widgets.form.mask_png import MOST_PIXELS, is_painted, png_of, runs_in


def opened(png: bytes) -> Image.Image:
    """Decode a PNG, with its checksums."""
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image.copy()


@pytest.mark.parametrize(
    ("runs", "rows"),
    [
        ((6,), ["...", "..."]),
        ((0, 6), ["###", "###"]),
        ((1, 1, 4), [".#.", "..."]),
        ((0, 2, 2, 2), ["##.", ".##"]),
        ((2, 2, 2), ["..#", "#.."]),
        ((5, 1), ["...", "..#"]),
    ],
)
def test_a_mask_is_white_and_opaque_where_it_is_painted(runs: tuple[int, ...], rows: list[str]) -> None:
    """The PNG has alpha, and its light and its alpha mark the same pixels, in the picture's size."""
    image = opened(png_of(runs, 3, 2))
    assert (image.mode, image.size) == ("RGBA", (3, 2))
    marks = {(255, 255, 255, 255): "#", (0, 0, 0, 0): "."}
    assert ["".join(marks[image.getpixel((x, y))] for x in range(3)) for y in range(2)] == rows  # type: ignore[index]


def test_a_mask_of_a_4k_picture_is_small() -> None:
    """A mask of 3840 x 2160 pixels takes some kilobytes, so that a stroke is sent and uploaded quickly."""
    width, height = 3840, 2160
    row = (1000, 500, width - 1500)
    runs = (row[0], *(part for _ in range(height - 1) for part in (row[1], row[2] + row[0])), row[1], row[2])
    png = png_of(runs, width, height)
    assert len(png) < 100_000
    assert size_of(png) == Size("PNG", width, height)


def test_runs_are_read() -> None:
    """Run lengths of more than seven bits are read as the page writes them."""
    assert runs_in(bytes([0, 2, 128 + 68, 1, 2]), 20, 10) == (0, 2, 196, 2)
    assert runs_in(bytes([128 + 72, 1]), 20, 10) == (200,)


@pytest.mark.parametrize(
    ("data", "width", "height"),
    [
        (b"", 2, 2),
        (bytes([3]), 2, 2),
        (bytes([5]), 2, 2),
        (bytes([4, 128]), 2, 2),
        (bytes([255] * 50), 2, 2),
        (bytes([0]), 0, 0),
        (bytes([4]), -2, -2),
        (b"\x89PNG\r\n\x1a\n", 2, 2),
        (bytes(5_000_000), 2, 2),
        (bytes([1]), MOST_PIXELS + 1, 1),
    ],
    ids=[
        "nothing",
        "too few",
        "too many",
        "unfinished",
        "endless",
        "no size",
        "negative",
        "png",
        "long",
        "huge",
    ],
)
def test_what_is_no_mask_of_the_picture_is_refused(data: bytes, width: int, height: int) -> None:
    """Only complete runs of an image of a possible size are a mask."""
    with pytest.raises(ValueError, match=r"pixels|run|bytes"):
        runs_in(data, width, height)


def test_a_mask_without_a_painted_pixel_is_none() -> None:
    """An image with unpainted runs only is empty."""
    assert not is_painted((6,))
    assert not is_painted((3, 0, 3))
    assert is_painted((5, 1))
