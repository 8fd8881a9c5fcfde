"""The film of an order's own pictures: the first frame, the last frame, and the masks between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from .camera import View, project
from .film import Frame, blank, planes

_PUSH = 0.08  # relative zoom of a camera that the request does not move
_SCALE = 1.25  # pictures are this much larger than the film, so that the camera can zoom in

Planes = tuple[Image.Image, Image.Image, Image.Image]


@dataclass(frozen=True)
class Brush:
    """A moving part of the first picture.

    Attributes:
        mask: the mask of the moving part.
        path: its path in pixels of the first picture, from the lower left corner, as Kling counts them.
    """

    mask: Image.Image
    path: Sequence[tuple[float, float]]


def film_size(shape: tuple[int, int], short: int) -> tuple[int, int]:
    """Return the size of a film with the shape of a picture: even, and no larger than a 16:9 film.

    Args:
        shape: width and height of the picture.
        short: the short side of a 16:9 film in pixels, such as 720.
    """
    scale = min(short / min(shape), short * 16 / 9 / max(shape))
    width, height = (max(round(side * scale / 2) * 2, 16) for side in shape)
    return width, height


class Pictures:
    """A film of one or two pictures.

    Args:
        size: width and height of the film in pixels.
        first: the first frame.
        last: the last frame, into which the first one fades, or None.
        static: the mask of the part that stands still, or None.
        brushes: the parts that move along a path.
        moved: True if the order moves the camera; otherwise the camera zooms in slowly.
    """

    def __init__(
        self,
        size: tuple[int, int],
        first: Image.Image,
        last: Image.Image | None = None,
        static: Image.Image | None = None,
        brushes: Sequence[Brush] = (),
        moved: bool = False,
    ) -> None:
        self._size = size
        self._moved = moved
        whole = fit(first.convert("RGB"), size)
        self._still = planes_of(whole)
        self._static = None if static is None else fit(_area(static), size)
        self._brushes = [_Moving(brush, whole, first.size) for brush in brushes]
        behind = whole
        for cut in [brush.mask for brush in self._brushes] + ([self._static] if self._static else []):
            behind = _without(behind, cut)
        fine = round(size[0] * _SCALE / 2) * 2, round(size[1] * _SCALE / 2) * 2
        # Unless a part is cut out, scale the original picture, because it has more pixels.
        self._first = planes_of(
            behind.resize(fine, Image.Resampling.BICUBIC)
            if behind is not whole
            else fit(first.convert("RGB"), fine)
        )
        self._last = None if last is None else planes_of(fit(last.convert("RGB"), fine))

    def paint(self, _: float, moment: float, view: View) -> Frame:
        """Return one frame; see ``Landscape.paint``. Without depth, a move and a turn shift it equally."""
        shift = view.turn[0] + 0.5 * view.shift[0], -view.turn[1] - 0.5 * view.shift[1]
        # Zoom in as much as the camera shifts, so that the edge of the picture stays out of sight.
        zoom = view.zoom / (1 - 2 * max(abs(shift[0]), abs(shift[1])))
        centre = 0.5 + shift[0], 0.5 + shift[1]
        push = 0.0 if self._moved else _PUSH
        frame = self._project(self._first, zoom * (1 + push * moment), view.roll, centre)
        if self._last is not None:
            weight = min(max((moment - 0.25) / 0.5, 0.0), 1.0)
            weight = round(256 * weight * weight * (3 - 2 * weight))
            other = self._project(self._last, zoom * (1 + push * (1 - moment)), view.roll, centre)
            # Sixteen bits in the array: before numpy 2 a scalar's type did not widen the product.
            mixed = frame.i420.astype(np.uint16) * (256 - weight) + other.i420.astype(np.uint16) * weight
            frame.i420[:] = mixed >> 8
        for brush in self._brushes:
            brush.paint(frame, moment)
        if self._static is not None:
            _composite(frame, self._still, self._static)
        return frame

    def _project(self, picture: Planes, zoom: float, roll: float, centre: tuple[float, float]) -> Frame:
        frame = blank(*self._size)
        for plane, target in zip(picture, frame[:3], strict=True):
            target[:] = project(plane, (target.shape[1], target.shape[0]), zoom, roll, centre)
        return frame


class _Moving:
    """A part of the picture that moves along its path."""

    def __init__(self, brush: Brush, whole: Image.Image, original: tuple[int, int]) -> None:
        self.mask = fit(_area(brush.mask), whole.size)
        self._whole = planes_of(whole)
        scale = whole.width / original[0], whole.height / original[1]
        path = np.clip(np.array(brush.path, np.float64), -1e5, 1e5)
        self._path = (path - path[0]) * np.array([scale[0], -scale[1]])  # y points down in a picture
        steps = np.hypot(*np.diff(self._path, axis=0).T)
        self._along = np.concatenate([[0.0], np.cumsum(steps)])

    def paint(self, frame: Frame, moment: float) -> None:
        travelled = self._along[-1] * moment * moment * (3 - 2 * moment)
        x, y = (float(np.interp(travelled, self._along, self._path[:, axis])) for axis in range(2))
        matrix = (1, 0, -x, 0, 1, -y)
        bilinear = Image.Resampling.BILINEAR
        mask = self.mask.transform(self.mask.size, Image.Transform.AFFINE, matrix, bilinear)
        moved = []
        for part, plane in zip((1, 2, 2), self._whole, strict=True):
            matrix = (1, 0, -x / part, 0, 1, -y / part)
            moved.append(plane.transform(plane.size, Image.Transform.AFFINE, matrix, bilinear))
        _composite(frame, (moved[0], moved[1], moved[2]), mask)


def _composite(frame: Frame, picture: Planes, mask: Image.Image) -> None:
    """Draw a picture on a frame through a mask."""
    box = mask.getbbox()
    if box is None:
        return
    left, top, right, bottom = box[0] & ~1, box[1] & ~1, (box[2] + 1) & ~1, (box[3] + 1) & ~1
    cover = np.asarray(mask)[top:bottom, left:right].astype(np.int16) + 1
    for step, plane, source in zip((1, 2, 2), frame[:3], picture, strict=True):
        cut = slice(top // step, bottom // step), slice(left // step, right // step)
        under, over = plane[cut].astype(np.int16), np.asarray(source)[cut].astype(np.int16)
        plane[cut] = under + ((over - under) * cover[::step, ::step] >> 8)


def _area(mask: Image.Image) -> Image.Image:
    """Return the area that a mask marks: its opaque part or, if it has no transparency, its light part."""
    if mask.has_transparency_data:
        return mask.convert("RGBA").getchannel("A")
    return mask.convert("L")


def _without(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """Return the picture with the marked part filled from its surroundings."""
    wide = mask.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.GaussianBlur(2))
    unmasked = np.asarray(ImageOps.invert(wide), np.float32)[..., None] / np.float32(255)
    small = max(picture.width // 8, 1), max(picture.height // 8, 1)
    colours, weights = _spread(np.asarray(picture, np.float32) * unmasked, small), _spread(unmasked, small)
    around = np.clip(colours / np.maximum(weights, 1e-9), 0, 255).astype(np.uint8)
    filling = Image.fromarray(around).resize(picture.size, Image.Resampling.BICUBIC)
    return Image.composite(filling, picture, wide)


def _spread(values: NDArray[np.float32], small: tuple[int, int]) -> NDArray[np.float32]:
    """Return the colours spread around: near ones dominate, far ones fill where there are no others."""
    spread = []
    for channel in map(Image.fromarray, np.moveaxis(values, -1, 0)):
        total = np.zeros((small[1], small[0]), np.float32)
        for coarse in (1, 2, 4, 8, 16):
            cells = max(small[0] // coarse, 1), max(small[1] // coarse, 1)
            blurred = channel.resize(cells, Image.Resampling.BOX).resize(small, Image.Resampling.BILINEAR)
            total += np.asarray(blurred) / coarse**3
        spread.append(total)
    return np.stack(spread, axis=-1)


def fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture in another size, cropped if the shape differs."""
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def planes_of(picture: Image.Image) -> Planes:
    """Return the Y, U and V planes of an RGB picture of even size."""
    y, u, v = (Image.fromarray(np.round(plane).astype(np.uint8)) for plane in planes(np.asarray(picture)))
    half = picture.width // 2, picture.height // 2
    return y, u.resize(half, Image.Resampling.BOX), v.resize(half, Image.Resampling.BOX)
