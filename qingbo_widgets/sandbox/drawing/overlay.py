"""Overlays: transparent pictures that are prepared once and drawn over many frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .film import Floats, Frame, planes


class Overlay:
    """A transparent picture, ready to be drawn over frames of its size.

    Args:
        sheet: the picture as RGBA, of even width and height.
    """

    def __init__(self, sheet: NDArray[np.uint8]) -> None:
        self._patches = [_Patch(sheet, rows) for rows in _inked_rows(sheet)]

    def draw(self, frame: Frame) -> None:
        """Draw the picture on a frame."""
        for patch in self._patches:
            patch.draw(frame)


class _Patch:
    """Some rows of the sheet, in YUV and premultiplied by their opacity: drawing is one multiply-and-add."""

    def __init__(self, sheet: NDArray[np.uint8], rows: slice) -> None:
        self._rows = rows
        inked = np.flatnonzero(sheet[rows, :, 3].any(axis=0))
        self._columns = slice(int(inked[0]) & ~1, (int(inked[-1]) + 2) & ~1)
        part = sheet[rows, self._columns]
        cover = part[..., 3].astype(np.float32) / 255
        self._layers = []
        for step, plane in zip((1, 2, 2), planes(part[..., :3]), strict=True):
            ink = _halved(plane * cover, step)
            left = 256 * (1 - _halved(cover, step))
            self._layers.append(
                (step, np.round(left).astype(np.uint16), np.round(256 * ink).astype(np.uint16))
            )

    def draw(self, frame: Frame) -> None:
        for (step, left, ink), plane in zip(self._layers, frame[:3], strict=True):
            rows, columns = (
                slice(cut.start // step, cut.stop // step) for cut in (self._rows, self._columns)
            )
            plane[rows, columns] = (plane[rows, columns] * left + ink) >> 8


def _inked_rows(sheet: NDArray[np.uint8]) -> list[slice]:
    """Return the bands of rows with any ink, with even limits because of the half-size planes."""
    inked = sheet[..., 3].any(axis=1)
    inked = np.repeat(inked.reshape(-1, 2).any(axis=1), 2)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(np.int8), [0]])))
    return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _halved(plane: NDArray[np.floating], step: int) -> Floats:
    """Return the means of squares of ``step`` by ``step`` pixels."""
    height, width = plane.shape
    return np.asarray(plane.reshape(height // step, step, width // step, step).mean(axis=(1, 3)), np.float32)
