"""The camera's view over a shot: the six axes and four presets of ``extra.camera_control``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from .film import Frame, Plane

# The axes that each preset stands for, in the service's units of -10 to 10.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "down_back": {"vertical": -6, "zoom": 7},
    "forward_up": {"vertical": 6, "zoom": -7},
    "right_turn_forward": {"tilt": 7, "zoom": -6},
    "left_turn_forward": {"tilt": -7, "zoom": -6},
}


@dataclass(frozen=True)
class View:
    """The camera at one moment.

    Attributes:
        turn: the turn to the right and up, in fractions of the picture's width and height: all depths shift
            equally.
        shift: the move to the right and up, for the nearest depth: farther depths shift less.
        zoom: the magnification; at least 1.
        roll: the clockwise roll in degrees.
    """

    turn: tuple[float, float] = (0.0, 0.0)
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    roll: float = 0.0


class Camera:
    """A camera move that begins and ends gently.

    Args:
        control: the request's ``camera_control``, or None for a camera that the request does not move.
    """

    def __init__(self, control: Mapping[str, Any] | None) -> None:
        axes = PRESETS.get(control["type"], control.get("config", {})) if control else {}
        self._axes = {axis: float(value) / 10 for axis, value in axes.items()}
        self.moves = any(self._axes.values())

    @property
    def reach(self) -> tuple[float, float]:
        """The maximum turn, in fractions of the picture's width and height."""
        across, up = self.view(1.0).turn
        return abs(across), abs(up)

    def view(self, moment: float) -> View:
        """Return the view at a moment from 0, the beginning of the shot, to 1, its end."""
        eased = moment * moment * (3 - 2 * moment)
        # As the service defines them: pan turns about X (up is +), tilt turns about Y (right is +), and a
        # longer focal length, which brings the picture nearer, is -.
        zoom = self._axes.get("zoom", 0.0)
        return View(
            turn=(0.24 * eased * self._axes.get("tilt", 0.0), 0.24 * eased * self._axes.get("pan", 0.0)),
            shift=(
                0.5 * eased * self._axes.get("horizontal", 0.0),
                0.3 * eased * self._axes.get("vertical", 0.0),
            ),
            zoom=1.6 ** (abs(zoom) * (eased if zoom < 0 else 1 - eased)),
            roll=14 * eased * self._axes.get("roll", 0.0),
        )


def project(
    plane: Image.Image,
    size: tuple[int, int],
    zoom: float,
    roll: float = 0.0,
    centre: tuple[float, float] = (0.5, 0.5),
) -> Plane:
    """Return a plane as the camera sees it.

    Args:
        plane: the picture, mode ``L``, of any size with the frame's proportions.
        size: width and height of the result in pixels.
        zoom: the magnification about ``centre``. A roll enlarges further, so that no corner is left empty.
        roll: the camera's clockwise roll in degrees; the picture turns the other way.
        centre: the centre of the view, in fractions of the plane's width and height.
    """
    width, height = size
    if roll == 0:
        # Clamp the window to the plane, because rounding may put it slightly outside.
        w, h = plane.width / zoom, plane.height / zoom
        left = min(max(centre[0] * plane.width - w / 2, 0), plane.width - w)
        top = min(max(centre[1] * plane.height - h / 2, 0), plane.height - h)
        box = (left, top, min(left + w, plane.width), min(top + h, plane.height))
        return np.asarray(plane.resize(size, Image.Resampling.BILINEAR, box=box))
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    scale = plane.width / width / zoom / (abs(cos) + abs(sin) * max(width / height, height / width))
    a, b = scale * cos, scale * sin
    x = centre[0] * plane.width - a * width / 2 + b * height / 2
    y = centre[1] * plane.height - b * width / 2 - a * height / 2
    matrix = (a, -b, x, b, a, y)
    return np.asarray(plane.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))


def apply_view(frame: Frame, view: View) -> None:
    """Apply the zoom and the roll of a view to a frame, in place."""
    if view.zoom == 1 and view.roll == 0:
        return
    for plane in frame[:3]:
        height, width = plane.shape
        plane[:] = project(Image.fromarray(plane), (width, height), view.zoom, view.roll)
