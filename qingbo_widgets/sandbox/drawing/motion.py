"""Estimation of the motion in a video: how its content shifts and grows over time.

The shift between two frames is the peak of their phase correlation. The shifts of the four quarters show
whether the content grows: away from the middle on all sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .reel import scaled
from .source import Clip

_STEP = 1 / 12  # seconds between two compared frames
_SIDE = 128  # pixels of the longer side of a compared frame
_FAR = 0.08  # shift, in fractions of the size, and growth since the compared picture, after which it is
_GROWN = 0.03  # replaced
_MAX_GROWTH = 0.1  # since the compared picture
_CLEAR = 0.12  # the lowest peak, of 1, at which the shift of a quarter counts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """The motion of a video's content since its first frame.

    Attributes:
        times: seconds, increasing.
        shifts: the shifts to the right and down by then, in fractions of the width and height; shape (n, 2).
        zooms: the magnifications by then.
    """

    times: Floats
    shifts: Floats
    zooms: Floats

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Return the shifts to the right and down and the magnification; after the end, those of the end."""
        x, y, zoom = (np.interp(seconds, self.times, part) for part in (*self.shifts.T, self.zooms))
        return float(x), float(y), float(zoom)


def motion_of(clip: Clip, shape: tuple[int, int], length: float) -> Motion:
    """Estimate the motion of the beginning of a video.

    Args:
        clip: the video.
        shape: width and height of its upright frames.
        length: the seconds after which the rest is not read.

    Raises:
        UnusableVideo: the video is damaged.
    """
    size = tuple(max(round(side * _SIDE / max(shape) / 4) * 4, 16) for side in shape)
    times, shifts, growths = [0.0], [np.zeros(2)], [0.0]
    key: Floats | None = None  # the picture to compare with, and its own motion
    key_shift, key_growth = shifts[0], growths[0]
    for seconds, frame in clip.frames():
        if key is not None and seconds < times[-1] + _STEP - 1e-3:
            continue
        if seconds > length:
            break
        picture = scaled(frame, (size[0], size[1])).y.astype(np.float64)
        if key is None:
            key = picture
            continue
        shift, growth = _shift(key, picture)[0] / size, _growth(key, picture)
        times.append(seconds)
        shifts.append(key_shift + shift)
        growths.append(key_growth + growth)
        # The errors add up with each new key, so it is replaced only when its content is about to leave.
        if np.abs(shift).max() > _FAR or abs(growth) > _GROWN:
            key, key_shift, key_growth = picture, shifts[-1], growths[-1]
    return Motion(np.array(times), np.array(shifts), np.exp(growths))


def _shift(before: Floats, after: Floats) -> tuple[Floats, float]:
    """Return the shift to the right and down between two pictures, in pixels, and its clarity, 0 to 1."""
    height, width = before.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    first, second = (np.fft.rfft2((picture - picture.mean()) * window) for picture in (before, after))
    cross = second * np.conj(first)
    strength = np.abs(cross)
    if strength.max() < 1e-6:  # one of the pictures is plain
        return np.zeros(2), 0.0
    # Weak frequencies are noise of the compression, so they are not raised to the strength of the others.
    scale = strength + 1e-3 * strength.max()
    correlation = np.fft.irfft2(cross / scale, before.shape) * (cross.size / (strength / scale).sum())
    y, x = (int(index) for index in np.unravel_index(correlation.argmax(), correlation.shape))
    row, column = correlation[:, x], correlation[y]
    return np.array([_peak(column, x), _peak(row, y)]), float(correlation[y, x])


def _peak(values: Floats, index: int) -> float:
    """Return the place of a peak between the samples, negative in the second half of the period."""
    count = len(values)
    left, middle, right = values[index - 1], values[index], values[(index + 1) % count]
    bend = left - 2 * middle + right
    place = index + (0.5 * (left - right) / bend if bend < 0 else 0.0)
    return float(place - count if place > count / 2 else place)


def _growth(before: Floats, after: Floats) -> float:
    """Return the relative growth of the content between two pictures, from the shifts of the quarters."""
    height, width = (side // 2 for side in before.shape)
    places, shifts, weights = [], [], []
    for down, across in product((0, 1), repeat=2):
        cut = slice(down * height, (down + 1) * height), slice(across * width, (across + 1) * width)
        shift, clarity = _shift(before[cut], after[cut])
        places.append(((across - 0.5) * width, (down - 0.5) * height))
        shifts.append(shift)
        weights.append(clarity if clarity > _CLEAR else 0.0)
    if min(weights) == 0:
        return 0.0
    place, weight = np.array(places), np.array(weights)[:, None]
    apart = np.array(shifts) - np.average(shifts, axis=0, weights=weights)
    growth = float((weight * apart * place).sum() / (weight * place**2).sum())
    return float(np.clip(growth, -_MAX_GROWTH, _MAX_GROWTH))
