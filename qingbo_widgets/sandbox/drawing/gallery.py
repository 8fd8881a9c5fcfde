"""The pictures and the video that an order refers to, framed, in front of the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .film import Frame
from .lettering import wrap
from .overlay import Overlay
from .picture import fit
from .typeface import Face, writable

_PAPER = (250, 247, 240)
_ASPECTS = 0.5, 2.0  # narrower and wider pictures are cropped to these
_SMALLEST = 6.0  # pixels
_LARGEST = 0.42  # height of a picture, in fractions of the short side of the film


class Box(NamedTuple):
    """A rectangle, in pixels."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Exhibit:
    """One thing to show.

    Attributes:
        shape: width and height, of which only the ratio counts.
        picture: the picture, or None for the source video.
        label: the text beneath it; may be empty.
    """

    shape: tuple[int, int]
    picture: Image.Image | None = None
    label: str = ""


class Gallery:
    """Framed pictures between the mark and the prompt.

    Args:
        size: width and height of the film in pixels.
        exhibits: the things to show, at most one of them the source video.
        bottom: the row above which they stand, in pixels.
        is_beside: True to leave most of the film free, for a picture of the user.
    """

    def __init__(
        self, size: tuple[int, int], exhibits: Sequence[Exhibit], bottom: int, *, is_beside: bool
    ) -> None:
        unit = math.sqrt(size[0] * size[1]) / 960
        face = Face(round(15 * unit))
        mat = max(round(5 * unit), 1)
        label = 1.6 * face.size if any(exhibit.label for exhibit in exhibits) else 0.0
        aspects = [_aspect(exhibit.shape) for exhibit in exhibits]
        boxes = arrange(
            aspects,
            _area(size, bottom, unit, is_beside=is_beside),
            largest=_LARGEST * min(size) * (0.6 if is_beside else 1.0),
            gap=22 * unit,
            foot=label,
            align=(1.0, 0.0) if is_beside else (0.5, 0.5),
        )
        self.screen: tuple[int, int] | None = None
        """Width and height of the source video in the film, or None if it is not shown."""
        self._place = 0, 0
        sheet = _shadows(size, [_frame(box, mat) for box in boxes], unit)
        captions = Image.new("L", size)
        for exhibit, box in zip(exhibits, boxes, strict=False):  # no boxes in a film without room
            left, top, width, height = (round(side / 2) * 2 for side in box)
            ImageDraw.Draw(sheet).rectangle(_frame(box, mat), fill=(*_PAPER, 255))
            if exhibit.picture is None:
                self.screen, self._place = (width, height), (left, top)
            else:
                sheet.paste(fit(exhibit.picture.convert("RGB"), (width, height)), (left, top))
            _write(captions, face, exhibit.label, box, mat)
        halo = captions.filter(ImageFilter.GaussianBlur(3 * unit)).point(lambda value: min(value * 3, 190))
        for mask, tone in ((halo, 0), (captions, 255)):
            layer = Image.new("RGBA", size, (tone, tone, tone, 0))
            layer.putalpha(mask)
            sheet.alpha_composite(layer)
        self._overlay = Overlay(np.asarray(sheet))

    def draw(self, frame: Frame, screen: Frame | None) -> None:
        """Draw the pictures on a frame.

        Args:
            frame: the frame.
            screen: the frame of the source video, of the size ``screen``.
        """
        self._overlay.draw(frame)
        if self.screen is None or screen is None:
            return
        (left, top), (width, height) = self._place, self.screen
        for part, plane, source in zip((1, 2, 2), frame[:3], screen[:3], strict=True):
            plane[top // part : (top + height) // part, left // part : (left + width) // part] = source


def arrange(
    aspects: Sequence[float],
    area: Box,
    *,
    largest: float,
    gap: float,
    foot: float,
    align: tuple[float, float] = (0.5, 0.5),
) -> list[Box]:
    """Return places for pictures in an area, in rows of one height, as large as they fit.

    Args:
        aspects: the width of each picture divided by its height.
        area: the area.
        largest: the maximum height of a picture.
        gap: the space between two pictures.
        foot: the height below each picture that is kept free for its label.
        align: the place of the rows in the area, from 0 (left, top) to 1 (right, bottom).

    Returns:
        The places, or nothing if there is not even room for tiny pictures.
    """
    best, rows = 0.0, [list(aspects)]
    for count in range(1, len(aspects) + 1):
        split = [list(part) for part in np.array_split(np.array(aspects), count)]
        high = (area.height - gap * (count - 1)) / count - foot
        wide = min((area.width - gap * (len(row) - 1)) / sum(row) for row in split)
        if min(high, wide) > best:
            best, rows = min(high, wide), split
    if best < _SMALLEST:
        return []
    height = min(best, largest)
    boxes = []
    top = area.top + (area.height - len(rows) * (height + foot) - (len(rows) - 1) * gap) * align[1]
    for row in rows:
        left = area.left + (area.width - sum(row) * height - gap * (len(row) - 1)) * align[0]
        for aspect in row:
            boxes.append(Box(left, top, aspect * height, height))
            left += aspect * height + gap
        top += height + foot + gap
    return boxes


def sheet_of(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return the pictures of one element as one: the frontal one, the others small in a column beside it."""
    front, *others = (picture.convert("RGB") for picture in pictures)
    if not others:
        return front
    side, gap = 480, 12
    cell = (side - gap * (len(others) - 1)) // len(others)
    column = min(cell, side // 2)
    main = fit(front, (round(side * _aspect(front.size)), side))
    sheet = Image.new("RGB", (main.width + gap + column, side), _PAPER)
    sheet.paste(main, (0, 0))
    for number, other in enumerate(others):
        sheet.paste(fit(other, (column, cell)), (main.width + gap, number * (cell + gap)))
    return sheet


def _area(size: tuple[int, int], bottom: int, unit: float, *, is_beside: bool) -> Box:
    """Return the area for the pictures: between the mark and the prompt, or beside a picture a part."""
    width, height = size
    margin, top = 52 * unit, 104 * unit
    room = Box(margin, top, width - 2 * margin, bottom - 20 * unit - top)
    if not is_beside:
        return room
    if width > height:
        part = 0.3 * width
        return room._replace(left=width - margin - part, width=part)
    return room._replace(height=min(0.26 * height, room.height))


def _aspect(shape: tuple[int, int]) -> float:
    return min(max(shape[0] / shape[1], _ASPECTS[0]), _ASPECTS[1])


def _frame(box: Box, mat: int) -> tuple[int, int, int, int]:
    """Return the corners of the frame around a picture, the last row and column included."""
    left, top, width, height = (round(side / 2) * 2 for side in box)
    return left - mat, top - mat, left + width + mat - 1, top + height + mat - 1


def _shadows(size: tuple[int, int], frames: Sequence[tuple[int, int, int, int]], unit: float) -> Image.Image:
    """Return a transparent sheet with the soft shadows of the frames."""
    drop, shadow = round(4 * unit), Image.new("L", size)
    for left, top, right, bottom in frames:
        ImageDraw.Draw(shadow).rectangle((left, top + drop, right, bottom + drop), fill=170)
    sheet = Image.new("RGBA", size)
    sheet.putalpha(shadow.filter(ImageFilter.GaussianBlur(6 * unit)))
    return sheet


def _write(ink: Image.Image, face: Face, label: str, box: Box, mat: int) -> None:
    """Write a label beneath a picture, cut to its width."""
    text = " ".join(wrap(writable(label), face, max(box.width, 4 * face.size), 1))
    place = box.left + (box.width - face.width(text)) / 2, box.top + box.height + mat + 0.2 * face.size
    face.write(ImageDraw.Draw(ink), place, text, 245)
