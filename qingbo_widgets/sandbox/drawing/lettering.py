"""The text on a video: typeset once per shot, then drawn over every frame.

Chinese may break between any two characters, but no line may begin with a closing mark or end with an opening
one; Latin breaks between words. All lines have about the same length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .film import Floats, Frame
from .overlay import Overlay
from .typeface import Face, writable

_NO_START = frozenset("，。、；：！？）】》」』”’…—～·,.;:!?)]}%")
_NO_END = frozenset("（【《「『“‘([{")
_STRAIGHT = ("'", '"')
_ELLIPSIS = "…"
_LONGEST = 600  # maximum characters of a title to typeset: more never fit


@dataclass(frozen=True)
class ShotText:
    """The text on one shot.

    Attributes:
        title: the prompt.
        details: small lines below the title.
        corner: the text in the upper right corner, such as the number of the shot; may be empty.
        is_large: True if the title is the main content, False if it is a caption to the user's picture.
        watermark: the text in the lower right corner; may be empty.
    """

    title: str
    details: Sequence[str]
    corner: str
    is_large: bool = True
    watermark: str = ""


class Lettering:
    """The typeset text of a shot, ready to be drawn over its frames.

    Args:
        size: width and height of the picture in pixels.
        text: the text of the shot.
    """

    def __init__(self, size: tuple[int, int], text: ShotText) -> None:
        sheet, self.top = _typeset(size, text)
        """The highest row of the prompt, in pixels; above it only the corners have text."""
        self._overlay = Overlay(sheet)

    def draw(self, frame: Frame) -> None:
        """Draw the text on a frame."""
        self._overlay.draw(frame)


class _Piece(NamedTuple):
    text: str
    width: float  # in pixels
    bare: float  # without trailing blanks


def wrap(text: str, face: Face, width: float, max_lines: int) -> list[str]:
    """Break a text into lines of about equal length.

    Args:
        text: the text; its line breaks are kept.
        face: the typeface in its size.
        width: the maximum width of a line, in pixels.
        max_lines: the maximum number of lines; the remaining text becomes an ellipsis.
    """
    paragraphs = [line for line in text.splitlines() if line.strip()]
    lines = [line for paragraph in paragraphs for line in _balanced(paragraph, face, width)]
    if len(lines) > max_lines:
        last = lines[max_lines - 1]
        while last and face.width(last + _ELLIPSIS) > width:
            last = last[:-1]
        lines = [*lines[: max_lines - 1], last.rstrip("，。、；：,.;: ") + _ELLIPSIS]
    return lines


def _balanced(text: str, face: Face, width: float) -> list[str]:
    """Return the lines of a paragraph, none much shorter than the others."""
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
    """Return the smallest unbreakable pieces of a text; a word is split only if it fits no line."""
    pieces: list[str] = []
    for character in text.strip():
        before = pieces[-1] if pieces else ""
        # A straight quotation mark opens after a blank and closes after any other character.
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


def _typeset(size: tuple[int, int], text: ShotText) -> tuple[NDArray[np.uint8], int]:
    """Return all text on a transparent sheet, and the highest row of the prompt.

    A soft shadow keeps the text legible on any background.
    """
    width, height = size
    unit = math.sqrt(width * height) / 960
    margin = round(52 * unit)
    ink = Image.new("L", size, 0)
    pen = ImageDraw.Draw(ink)
    small = Face(round(16 * unit))
    y = height - round(46 * unit)
    for detail in reversed(text.details):
        y -= round(25 * unit)
        small.write(
            pen, (margin, y), " ".join(wrap(writable(detail[:_LONGEST]), small, width - 2 * margin, 1)), 190
        )
    y -= round(12 * unit)
    face, lines = _fitted(writable(text.title[:_LONGEST]), unit, width - 2 * margin, text.is_large)
    for line in reversed(lines):
        y -= round(face.size * 1.42)
        face.write(pen, (margin, y), line, 255)
    y -= round(18 * unit)
    pen.rectangle((margin, y, margin + round(46 * unit), y + max(round(2 * unit), 1)), fill=220)
    _mark(pen, margin, unit)
    if text.corner:
        face = Face(round(17 * unit))
        face.write(pen, (width - margin - face.width(text.corner), margin), text.corner, 215)
    if text.watermark:
        face = Face(round(14 * unit))
        place = width - margin - face.width(text.watermark), height - round(38 * unit)
        face.write(pen, place, text.watermark, 150)
    shadow = ink.filter(ImageFilter.GaussianBlur(5 * unit)).point(lambda value: min(value * 2, 150))
    if text.is_large:
        return _sheet(_parts(ink), _parts(shadow)), y
    # The user's picture behind a caption may be bright, so it gets a dark gradient there.
    foot = height - y + 120 * unit
    dusk = 0.6 * np.clip((np.arange(height) - (height - foot)) / foot, 0, 1) ** 1.3
    return _sheet(_parts(ink), np.maximum(_parts(shadow), dusk[:, None].astype(np.float32))), y


def _fitted(title: str, unit: float, width: float, is_large: bool) -> tuple[Face, list[str]]:
    """Return the largest size in which the title fits its maximum number of lines, and the lines."""
    sizes = ((46, 2), (38, 3), (31, 4), (25, 5), (21, 6)) if is_large else ((26, 2), (21, 3))
    room = min(width, 920 * unit)
    for size, max_lines in sizes:
        face = Face(round(size * unit))
        lines = wrap(title, face, room, max_lines + 1)
        if len(lines) <= max_lines:
            return face, lines
    return face, wrap(title, face, room, max_lines)


def _mark(pen: ImageDraw.ImageDraw, margin: int, unit: float) -> None:
    """Draw the label SANDBOX, which marks every video."""
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
