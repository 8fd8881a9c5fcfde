"""The film of a picture that moves as a source video does."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .camera import View, project
from .film import Frame, blank
from .motion import Motion
from .picture import fit, planes_of

_REACH = 0.25  # the largest shift, in fractions of the picture
_EDGE = 0.3125  # the mirrored edge on each side, which a shift brings into view; a multiple of 1/16
_ZOOMS = 0.9, 1.6


class MovedPicture:
    """A film of one picture, shifted and magnified as the content of a video.

    Args:
        size: width and height of the film in pixels.
        picture: the first frame.
        motion: the motion to apply. One that leads further than the mirrored edge is reduced as a whole.
    """

    def __init__(self, size: tuple[int, int], picture: Image.Image, motion: Motion) -> None:
        self._size = size
        self._motion = motion
        self._scale = _REACH / max(float(np.abs(motion.shifts).max()), _REACH)
        pixels = np.asarray(fit(picture.convert("RGB"), size))
        self._edge = round(_EDGE * size[0] / 2) * 2, round(_EDGE * size[1] / 2) * 2
        across, down = self._edge
        wide = np.pad(pixels, ((down, down), (across, across), (0, 0)), "symmetric")
        self._planes = planes_of(Image.fromarray(wide))

    def paint(self, seconds: float, _moment: float, _view: View) -> Frame:
        """Return one frame; see ``Landscape.paint``."""
        x, y, zoom = self._motion.at(seconds)
        width, height = self._planes[0].size
        shares = self._size[0] / width, self._size[1] / height
        centre = 0.5 - self._scale * x * shares[0], 0.5 - self._scale * y * shares[1]
        frame = blank(*self._size)
        zoom = float(np.clip(zoom, *_ZOOMS)) / shares[0]
        for plane, target in zip(self._planes, frame[:3], strict=True):
            target[:] = project(plane, (target.shape[1], target.shape[0]), zoom, 0.0, centre)
        return frame
