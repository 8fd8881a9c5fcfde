"""Where the camera looks: the six axes and four presets of `extra.camera_control`, over a shot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from .film import Frame, Plane

# Each preset as the axes that it stands for, in the service's units of -10 to 10.
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
        turn: How far it has turned right and up, as parts of the picture's width and height: all depths shift
            alike.
        shift: How far it has moved right and up, for what is nearest: what is far shifts less.
        zoom: How many times enlarged; at least 1.
        roll: Degrees that it has rolled clockwise.
    """

    turn: tuple[float, float] = (0.0, 0.0)
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    roll: float = 0.0


class Camera:
    """A move that begins and ends gently.

    Args:
        control: The request's `camera_control`, or None for a camera that is left alone.
    """

    def __init__(self, control: Mapping[str, Any] | None) -> None:
        axes = PRESETS.get(control["type"], control.get("config", {})) if control else {}
        self._axes = {axis: float(value) / 10 for axis, value in axes.items()}
        self.moves = any(self._axes.values())

    @property
    def reach(self) -> tuple[float, float]:
        """The furthest that it turns, as parts of the picture's width and height."""
        across, up = self.view(1.0).turn
        return abs(across), abs(up)

    def view(self, moment: float) -> View:
        """Where it looks at a moment from 0, the beginning of the shot, to 1, its end."""
        gone = moment * moment * (3 - 2 * moment)
        # The service's own words: pan turns about X (up is +), tilt turns about Y (right is +), and a longer
        # focal length, which brings the picture nearer, is -.
        zoom = self._axes.get("zoom", 0.0)
        return View(
            turn=(0.24 * gone * self._axes.get("tilt", 0.0), 0.24 * gone * self._axes.get("pan", 0.0)),
            shift=(
                0.5 * gone * self._axes.get("horizontal", 0.0),
                0.3 * gone * self._axes.get("vertical", 0.0),
            ),
            zoom=1.6 ** (abs(zoom) * (gone if zoom < 0 else 1 - gone)),
            roll=14 * gone * self._axes.get("roll", 0.0),
        )


def look(
    plane: Image.Image,
    size: tuple[int, int],
    zoom: float,
    roll: float = 0.0,
    centre: tuple[float, float] = (0.5, 0.5),
) -> Plane:
    """A plane through the lens.

    Args:
        plane: The picture, mode `L`, of any size with the frame's proportions.
        size: Width and height of the result in pixels.
        zoom: How many times enlarged about `centre`. A roll enlarges further: no corner is left empty.
        roll: Degrees that the camera has rolled clockwise; the picture turns the other way.
        centre: What the camera looks at, as parts of the plane's width and height.
    """
    width, height = size
    if roll == 0:
        # The window is kept inside the plane: rounding may put it a hair outside.
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


def through(frame: Frame, view: View) -> None:
    """Enlarge and roll a frame in place, as its view says."""
    if view.zoom == 1 and view.roll == 0:
        return
    for plane in frame[:3]:
        height, width = plane.shape
        plane[:] = look(Image.fromarray(plane), (width, height), view.zoom, view.roll)
