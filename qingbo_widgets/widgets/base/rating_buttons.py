"""The buttons that rate a video."""

from __future__ import annotations

from typing import Any

from ...library.judgements import RATINGS
from .dropdown import ToggleButtons

__all__ = ["rating_buttons"]


def rating_buttons(description: str, width: str = "34px") -> Any:
    """Return the buttons ``–`` and 0 to 5.

    Args:
        description: the label of the row.
        width: the width of each.
    """
    return ToggleButtons(
        options=[("–", None), *((str(stars), stars) for stars in RATINGS)],
        value=None,
        description=description,
        style={"button_width": width, "description_width": "52px"},
    )
