"""The typeface of the titles: one that comes with the package, and the system's own for what that lacks."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

_OWN = Path(__file__).parent / "fonts" / "NotoSansSC-subset.otf"
_SYSTEM = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)
_NOBODY = "\U0010fffe"  # a code point that no typeface may draw
_PROBE_SIZE = 16


class Face:
    """The typeface in one size; what it cannot write itself it borrows from the system.

    Args:
        size: In pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = max(size, 5)

    def width(self, text: str) -> float:
        """How long a line is, in pixels."""
        return sum(_font(path, self.size).getlength(part) for path, part in _runs(text))

    def write(self, pen: ImageDraw.ImageDraw, place: tuple[float, float], text: str, strength: int) -> None:
        """Write a line with its upper left corner at a place, 0 to 255 strong."""
        x, y = place
        for path, part in _runs(text):
            font = _font(path, self.size)
            # On one baseline: the faces differ in height.
            pen.text((x, y + 0.88 * self.size), part, fill=strength, font=font, anchor="ls")
            x += font.getlength(part)


def writable(text: str) -> str:
    """The text without what no typeface at hand can draw: symbols vanish, letters become a dot."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if character.isspace():
            kept.append("\n" if character == "\n" else " ")
        elif _path_for(character):
            kept.append(character)
        elif all(map(_path_for, plain := unicodedata.normalize("NFKC", character))):
            kept.append(plain)
        elif unicodedata.category(character)[0] == "L":
            kept.append("·")
    return "\n".join(" ".join(line.split()) for line in "".join(kept).split("\n"))


def _runs(text: str) -> list[tuple[str, str]]:
    """The text cut where the typeface changes."""
    runs = groupby(text, lambda character: _path_for(character) or str(_OWN))
    return [(path, "".join(characters)) for path, characters in runs]


@cache
def _path_for(character: str) -> str | None:
    """The first typeface at hand that can write a character."""
    return next((path for path in _paths() if _has(path, character)), None)


@cache
def _paths() -> tuple[str, ...]:
    return (str(_OWN), *(path for path in _SYSTEM if Path(path).exists()))


def _has(path: str, character: str) -> bool:
    if len(character) != 1 or not character.isprintable():
        return False
    # Pillow does not tell which characters a typeface has, but those it lacks all look alike.
    return character == " " or bytes(_font(path, _PROBE_SIZE).getmask(character)) != _missing(path)


@cache
def _missing(path: str) -> bytes:
    return bytes(_font(path, _PROBE_SIZE).getmask(_NOBODY))


@cache
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    # The basic layout: no prompt needs more, and not every Pillow has the other.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
