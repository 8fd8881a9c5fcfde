"""The path of a mask as JSON text, typed by the user or copied from the service's documentation."""

from __future__ import annotations

import json
from typing import Any

from ...i18n import N_, tr
from ...service.contract.values import DynamicMask, is_pair

__all__ = ["NOT_POINTS", "is_point", "points_in", "points_text", "without_blank"]

NOT_POINTS = N_("This is not a list of points such as [[120, 80], [300, 200]].")


def points_text(points: Any) -> str:
    """Return a trajectory as JSON on one line."""
    if not isinstance(points, tuple) or not points:
        return ""
    return json.dumps([list(point) if isinstance(point, tuple) else point for point in points], default=str)


def points_in(text: str) -> tuple[tuple[float, float], ...]:
    """Parse the points in a text from the user: a list, or the service's ``trajectories``.

    Raises:
        ValueError: the text is neither.
    """
    text = text.strip().rstrip(",")
    if not text:
        return ()
    if text.startswith('"'):
        text = "{" + text + "}"
    read = json.loads(text)
    if isinstance(read, dict):
        read = read.get("trajectories")
    points = DynamicMask("", tuple(read)).trajectories if isinstance(read, list) else ()
    if not points or not all(map(is_point, points)):
        raise ValueError(tr(NOT_POINTS))
    return points


def is_point(value: object) -> bool:
    """Return True if the value is a pair of numbers."""
    return is_pair(value) and all(_is_number(part) for part in value)  # type: ignore[attr-defined]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def without_blank(masks: Any) -> Any:
    """Return the masks without those at the end that nothing was put into yet: they are none."""
    while isinstance(masks, tuple) and masks and masks[-1] == DynamicMask("", ()):
        masks = masks[:-1]
    return masks


def field_of(number: int) -> str:
    """Return the name of the field of a mask."""
    return "dynamic_masks" if number else "static_mask"
