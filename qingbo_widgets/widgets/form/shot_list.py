"""What can be done with a list of shots. Pure functions: each returns a new tuple and loses no word."""

from __future__ import annotations

import re
from typing import Any

from ...service.contract.models import declared
from ...service.contract.values import Shot, is_integer

__all__ = [
    "FEWEST",
    "LONGEST",
    "MOST",
    "Shots",
    "add",
    "can_split",
    "duplicate",
    "move",
    "remove",
    "split",
    "total",
]

Shots = tuple[Any, ...]

_LIMITS = declared()["shots"].limits
FEWEST, MOST = _LIMITS["count"]
#: Seconds that all shots together may last.
LONGEST = _LIMITS["seconds"][1]

#: Where a text can be cut, the better places first: after a sentence, after a part of one.
_CUTS = (r"(?<=[。！？!?；;\n])|(?<=\.)(?=\s)", r"(?<=[，,、])")


def seconds(shot: object) -> int:
    """The length of a shot; 0 where what is given is no length."""
    length = getattr(shot, "duration", 0)
    return length if is_integer(length) and length > 0 else 0


def total(shots: Shots) -> int:
    """The seconds that all of them last."""
    return sum(seconds(shot) for shot in shots)


def add(shots: Shots) -> Shots:
    """One more shot at the end, of the seconds that are left, at most 5."""
    return (*shots, Shot("", min(5, max(1, LONGEST - total(shots)))))


def remove(shots: Shots, index: int) -> Shots:
    """All but one."""
    return (*shots[:index], *shots[index + 1 :])


def move(shots: Shots, index: int, by: int) -> Shots:
    """One of them ``by`` places further down; the others close up."""
    rest = remove(shots, index)
    place = min(max(index + by, 0), len(rest))
    return (*rest[:place], shots[index], *rest[place:])


def duplicate(shots: Shots, index: int) -> Shots:
    """The same shot once more, right after itself."""
    return (*shots[: index + 1], *shots[index:])


def can_split(shots: Shots, index: int) -> bool:
    """Whether there is room for one more shot, and this one is long enough for two."""
    return len(shots) < MOST and isinstance(shots[index], Shot) and seconds(shots[index]) >= 2


def split(shots: Shots, index: int) -> Shots:
    """Two shots instead of one: the seconds are halved, the text is cut where a sentence ends.

    A text without such a place stays with the first of the two.
    """
    shot = shots[index]
    first, second = _halves(str(shot.prompt))
    length = seconds(shot)
    halves = (Shot(first, length - length // 2), Shot(second, length // 2))
    return (*shots[:index], *halves, *shots[index + 1 :])


def _halves(text: str) -> tuple[str, str]:
    for pattern in _CUTS:
        places = [found.start() for found in re.finditer(pattern, text)]
        places = [place for place in places if text[:place].strip() and text[place:].strip()]
        if places:
            place = min(places, key=lambda place: abs(2 * place - len(text)))
            return text[:place].strip(), text[place:].strip()
    return text, ""
