"""``Shape``: how much of a video a file contains, judged by its own structure."""

from __future__ import annotations

from enum import Enum, auto

__all__ = ["Shape"]


class Shape(Enum):
    """The shape of a file.

    Attributes:
        whole: the file contains all of a video, and nothing else.
        odd: the file can be played, but its end is not where its structure says.
        cut: something is missing.
    """

    whole = auto()
    odd = auto()
    cut = auto()
