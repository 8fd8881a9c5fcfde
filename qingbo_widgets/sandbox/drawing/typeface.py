"""The typeface of the titles: the one in the package, and the system's for characters that it lacks."""

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
_UNASSIGNED = "\U0010fffe"  # a code point that no typeface may draw
_PROBE_SIZE = 16


class Face:
    """The typeface in one size, with the system's typefaces for characters that it lacks.

    Args:
        size: the size in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = max(size, 5)

    def width(self, text: str) -> float:
        """Return the width of a line, in pixels."""
        return sum(_font(path, self.size).getlength(part) for path, part in _runs(text))

    def write(self, pen: ImageDraw.ImageDraw, place: tuple[float, float], text: str, strength: int) -> None:
        """Write a line with its upper left corner at a place, with an opacity of 0 to 255."""
        x, y = place
        for path, part in _runs(text):
            font = _font(path, self.size)
            # Align the baselines, because the typefaces differ in height.
            pen.text((x, y + 0.88 * self.size), part, fill=strength, font=font, anchor="ls")
            x += font.getlength(part)


def writable(text: str) -> str:
    """Return the text that can be drawn: of the other characters, symbols vanish and letters become a dot."""
    drawable = []
    for character in unicodedata.normalize("NFC", text):
        if character.isspace():
            drawable.append("\n" if character == "\n" else " ")
        elif _path_for(character):
            drawable.append(character)
        elif all(map(_path_for, plain := unicodedata.normalize("NFKC", character))):
            drawable.append(plain)
        elif unicodedata.category(character)[0] == "L":
            drawable.append("·")
    return "\n".join(" ".join(line.split()) for line in "".join(drawable).split("\n"))


def _runs(text: str) -> list[tuple[str, str]]:
    """Return the text, split where the typeface changes."""
    runs = groupby(text, lambda character: _path_for(character) or str(_OWN))
    return [(path, "".join(characters)) for path, characters in runs]


@cache
def _path_for(character: str) -> str | None:
    """Return the first available typeface that can write a character; None if there is none."""
    return next((path for path in _paths() if _has(path, character)), None)


@cache
def _paths() -> tuple[str, ...]:
    return (str(_OWN), *(path for path in _SYSTEM if Path(path).exists()))


def _has(path: str, character: str) -> bool:
    if len(character) != 1 or not character.isprintable():
        return False
    # Pillow does not report the characters of a typeface, but all missing characters look alike.
    return character == " " or bytes(_font(path, _PROBE_SIZE).getmask(character)) != _missing(path)


@cache
def _missing(path: str) -> bytes:
    return bytes(_font(path, _PROBE_SIZE).getmask(_UNASSIGNED))


@cache
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    # The basic layout is enough for prompts, and not every build of Pillow has the other one.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
