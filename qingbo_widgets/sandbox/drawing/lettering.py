"""The words on a video: set once for each shot, then laid over every frame.

Chinese may break between any two characters, but no line may begin with a closing mark or end with an opening
one; Latin breaks between words. Lines are made about equally long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .film import Floats, Frame, planes
from .typeface import Face, writable

_NO_START = frozenset("，。、；：！？）】》」』”’…—～·,.;:!?)]}%")
_NO_END = frozenset("（【《「『“‘([{")
_STRAIGHT = ("'", '"')
_ELLIPSIS = "…"
_LONGEST = 600  # characters of a title that are looked at: more never find room


@dataclass(frozen=True)
class Words:
    """What is written on one shot.

    Attributes:
        title: The prompt.
        details: Small lines below it.
        corner: What stands in the upper right corner, such as the number of the shot; may be empty.
        is_large: Whether the title is the main thing to see, or a caption to somebody's picture.
    """

    title: str
    details: Sequence[str]
    corner: str
    is_large: bool = True


class Lettering:
    """The words of a shot, ready to be laid over its frames.

    Args:
        size: Width and height of the picture in pixels.
        words: What is written.
    """

    def __init__(self, size: tuple[int, int], words: Words) -> None:
        sheet = _set(size, words)
        self._patches = [_Patch(sheet, rows) for rows in _inked_rows(sheet)]

    def lay(self, frame: Frame) -> None:
        """Write the words on a frame."""
        for patch in self._patches:
            patch.lay(frame)


class _Patch:
    """Some rows of the sheet, in YUV and multiplied by their cover: laying them is one multiply-and-add."""

    def __init__(self, sheet: NDArray[np.uint8], rows: slice) -> None:
        self._rows = rows
        inked = np.flatnonzero(sheet[rows, :, 3].any(axis=0))
        self._columns = slice(int(inked[0]) & ~1, (int(inked[-1]) + 2) & ~1)
        part = sheet[rows, self._columns]
        cover = part[..., 3].astype(np.float32) / 255
        self._layers = []
        for step, plane in zip((1, 2, 2), planes(part[..., :3]), strict=True):
            ink = _halved(plane * cover, step)
            left = 256 * (1 - _halved(cover, step))
            self._layers.append(
                (step, np.round(left).astype(np.uint16), np.round(256 * ink).astype(np.uint16))
            )

    def lay(self, frame: Frame) -> None:
        for (step, left, ink), plane in zip(self._layers, frame[:3], strict=True):
            rows, columns = (
                slice(cut.start // step, cut.stop // step) for cut in (self._rows, self._columns)
            )
            plane[rows, columns] = (plane[rows, columns] * left + ink) >> 8


class _Piece(NamedTuple):
    text: str
    width: float  # in pixels
    bare: float  # without the blanks at its end


def wrap(text: str, face: Face, width: float, most: int) -> list[str]:
    """Break a text into lines of about equal length.

    Args:
        text: What is written; line breaks in it are kept.
        face: The typeface in its size.
        width: Room for a line, in pixels.
        most: How many lines may stand; what is left over becomes an ellipsis.
    """
    paragraphs = [line for line in text.splitlines() if line.strip()]
    lines = [line for paragraph in paragraphs for line in _balanced(paragraph, face, width)]
    if len(lines) > most:
        last = lines[most - 1]
        while last and face.width(last + _ELLIPSIS) > width:
            last = last[:-1]
        lines = [*lines[: most - 1], last.rstrip("，。、；：,.;: ") + _ELLIPSIS]
    return lines


def _balanced(text: str, face: Face, width: float) -> list[str]:
    """The lines of a paragraph, none much shorter than the others."""
    pieces = _pieces(text, face, width)
    lines = _filled(pieces, width)
    low, high = width / 2, width
    for _ in range(6):
        middle = (low + high) / 2
        if len(_filled(pieces, middle)) == len(lines):
            high = middle
        else:
            low = middle
    return _filled(pieces, high)


def _filled(pieces: list[_Piece], width: float) -> list[str]:
    lines, used = [""], 0.0
    for piece in pieces:
        if used and used + piece.bare > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            used = 0.0
        lines[-1] += piece.text
        used += piece.width
    return lines


def _pieces(text: str, face: Face, width: float) -> list[_Piece]:
    """The least parts that a line is never broken within; a word is cut only if no line would hold it."""
    pieces: list[str] = []
    for character in text.strip():
        before = pieces[-1] if pieces else ""
        # A straight quotation mark opens after a blank, and closes after anything else.
        joins = before and (
            character.isspace()
            or character in _NO_START
            or (character in _STRAIGHT and not before[-1].isspace())
            or before[-1] in _NO_END
            or before.strip() in _STRAIGHT
            or (_is_latin(character) and _is_latin(before[-1]))
        )
        if joins and face.width((before + character).rstrip()) <= width:
            pieces[-1] += character
        else:
            pieces.append(character)
    return [_Piece(piece, face.width(piece), face.width(piece.rstrip())) for piece in pieces]


def _is_latin(character: str) -> bool:
    return (character.isalnum() and ord(character) < 0x2E80) or character in "'’-_/&@#+"


def _set(size: tuple[int, int], words: Words) -> NDArray[np.uint8]:
    """All words on a transparent sheet, with a soft shadow that keeps them legible on any ground."""
    width, height = size
    unit = math.sqrt(width * height) / 960
    margin = round(52 * unit)
    ink = Image.new("L", size, 0)
    pen = ImageDraw.Draw(ink)
    small = Face(round(16 * unit))
    y = height - round(46 * unit)
    for detail in reversed(words.details):
        y -= round(25 * unit)
        small.write(
            pen, (margin, y), " ".join(wrap(writable(detail[:_LONGEST]), small, width - 2 * margin, 1)), 190
        )
    y -= round(12 * unit)
    face, lines = _fitted(writable(words.title[:_LONGEST]), unit, width - 2 * margin, words.is_large)
    for line in reversed(lines):
        y -= round(face.size * 1.42)
        face.write(pen, (margin, y), line, 255)
    y -= round(18 * unit)
    pen.rectangle((margin, y, margin + round(46 * unit), y + max(round(2 * unit), 1)), fill=220)
    _mark(pen, margin, unit)
    if words.corner:
        face = Face(round(17 * unit))
        face.write(pen, (width - margin - face.width(words.corner), margin), words.corner, 215)
    shadow = ink.filter(ImageFilter.GaussianBlur(5 * unit)).point(lambda value: min(value * 2, 150))
    if words.is_large:
        return _sheet(_parts(ink), _parts(shadow))
    # Nobody knows what is behind a caption to somebody's own picture: it gets some dusk of its own.
    foot = height - y + 120 * unit
    dusk = 0.6 * np.clip((np.arange(height) - (height - foot)) / foot, 0, 1) ** 1.3
    return _sheet(_parts(ink), np.maximum(_parts(shadow), dusk[:, None].astype(np.float32)))


def _fitted(title: str, unit: float, width: float, is_large: bool) -> tuple[Face, list[str]]:
    """The largest size in which the title fits its lines."""
    sizes = ((46, 2), (38, 3), (31, 4), (25, 5), (21, 6)) if is_large else ((26, 2), (21, 3))
    room = min(width, 920 * unit)
    for size, most in sizes:
        face = Face(round(size * unit))
        lines = wrap(title, face, room, most + 1)
        if len(lines) <= most:
            return face, lines
    return face, wrap(title, face, room, most)


def _mark(pen: ImageDraw.ImageDraw, margin: int, unit: float) -> None:
    """The word that says what this is, on every video."""
    face = Face(round(15 * unit))
    x = margin + 14 * unit
    for letter in "SANDBOX":
        face.write(pen, (x, margin + 2 * unit), letter, 235)
        x += face.width(letter) + 3.2 * unit
    box = (margin, margin - 5 * unit, x + 10.8 * unit, margin + 27 * unit)
    pen.rounded_rectangle(box, radius=16 * unit, outline=200, width=max(round(1.4 * unit), 1))


def _sheet(ink: Floats, shadow: Floats) -> NDArray[np.uint8]:
    cover = ink + shadow * (1 - ink)
    white = 255 * np.divide(ink, cover, out=np.zeros_like(ink), where=cover > 0)
    return np.round(np.stack([white, white, white, 255 * cover], axis=-1)).astype(np.uint8)


def _parts(mask: Image.Image) -> Floats:
    return np.asarray(mask, np.float32) / np.float32(255)


def _inked_rows(sheet: NDArray[np.uint8]) -> list[slice]:
    """The bands of rows that hold anything, with even limits for the sake of the half planes."""
    inked = sheet[..., 3].any(axis=1)
    inked = np.repeat(inked.reshape(-1, 2).any(axis=1), 2)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(np.int8), [0]])))
    return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _halved(plane: NDArray[np.floating], step: int) -> Floats:
    """The means of squares of `step` by `step` pixels."""
    height, width = plane.shape
    return np.asarray(plane.reshape(height // step, step, width // step, step).mean(axis=(1, 3)), np.float32)
