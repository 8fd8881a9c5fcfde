"""Operations on a list of shots: pure functions that return a new tuple and lose no text."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ...service.contract.values import Shot, is_integer

__all__ = ["ShotLimits", "Shots", "duplicate", "move", "remove", "seconds", "split", "total"]

Shots = tuple[Any, ...]

#: Places to split a text, the best first: after a sentence, after a clause.
_CUTS = (r"(?<=[。！？!?；;\n])|(?<=\.)(?=\s)", r"(?<=[，,、])")


def seconds(shot: object) -> int:
    """Return the duration of a shot in seconds; 0 if it is not valid."""
    length = getattr(shot, "duration", 0)
    return length if is_integer(length) and length > 0 else 0


def total(shots: Shots) -> int:
    """Return the total duration of the shots in seconds."""
    return sum(seconds(shot) for shot in shots)


def remove(shots: Shots, index: int) -> Shots:
    """Remove one shot."""
    return (*shots[:index], *shots[index + 1 :])


def move(shots: Shots, index: int, by: int) -> Shots:
    """Move one shot down by ``by`` places, or up if ``by`` is negative."""
    rest = remove(shots, index)
    place = min(max(index + by, 0), len(rest))
    return (*rest[:place], shots[index], *rest[place:])


def duplicate(shots: Shots, index: int) -> Shots:
    """Insert a copy of a shot right after it."""
    return (*shots[: index + 1], *shots[index:])


def split(shots: Shots, index: int) -> Shots:
    """Split a shot into two: the seconds are halved, the text is cut at the end of a sentence or clause.

    A text without such a place stays in the first shot.
    """
    shot = shots[index]
    first, second = _halves(str(shot.prompt))
    length = seconds(shot)
    halves = (Shot(first, length - length // 2), Shot(second, length // 2))
    return (*shots[:index], *halves, *shots[index + 1 :])


def _halves(text: str) -> tuple[str, str]:
    for pattern in _CUTS:
        places = [match.start() for match in re.finditer(pattern, text)]
        places = [place for place in places if text[:place].strip() and text[place:].strip()]
        if places:
            place = min(places, key=lambda place: abs(2 * place - len(text)))
            return text[:place].strip(), text[place:].strip()
    return text, ""


class ShotLimits(NamedTuple):
    """The limits of a list of shots.

    Attributes:
        fewest: the minimum number of shots.
        most: the maximum number of shots.
        longest: the longest total duration, in seconds.
    """

    fewest: int
    most: int
    longest: int

    def add(self, shots: Shots) -> Shots:
        """Append a shot with the remaining seconds, from 1 to 5."""
        return (*shots, Shot("", min(5, max(1, self.longest - total(shots)))))

    def can_split(self, shots: Shots, index: int) -> bool:
        """Return True if another shot is allowed and this shot is long enough to split."""
        return len(shots) < self.most and isinstance(shots[index], Shot) and seconds(shots[index]) >= 2
