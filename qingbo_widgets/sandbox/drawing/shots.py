"""The shots of an order: each with its scene, the pictures in front of it, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from ..order import Order
from .camera import Camera, View
from .film import FPS, Frame
from .gallery import Exhibit, Gallery, sheet_of
from .grade import Grade
from .lettering import Lettering, ShotText
from .media import fetch
from .mood import moods_of
from .motion import motion_of
from .moved import MovedPicture
from .picture import Brush, Pictures, film_size
from .scene import Landscape
from .source import Clip, Source
from .variation import Light

Size = tuple[int, int]


class _Scene(Protocol):
    def paint(self, seconds: float, moment: float, view: View, /) -> Frame: ...


@dataclass(frozen=True)
class Footage:
    """The source video of an order."""

    clip: Clip
    measures: Source

    @property
    def shape(self) -> Size:
        """Width and height of an upright frame, in pixels."""
        return self.measures.width, self.measures.height


@dataclass(frozen=True)
class Shot:
    """One shot, ready to be painted.

    Attributes:
        start: the second of the film at which it begins.
        seconds: its length.
        screen: width and height in which it shows the source video; None if it does not.
    """

    start: int
    seconds: int
    screen: Size | None
    _scene: _Scene | Grade
    _camera: Camera
    _light: Light | None
    _gallery: Gallery | None
    _lettering: Lettering

    def paint(self, seconds: float, source: Frame | None) -> Frame:
        """Return one frame.

        Args:
            seconds: the time since the start of the shot.
            source: the frame of the source video, of the size ``screen``; it may be changed.
        """
        moment = seconds / (self.seconds - 1 / FPS)
        if isinstance(self._scene, Grade):
            assert source is not None
            frame = self._scene.apply(source, seconds)
        else:
            frame = self._scene.paint(seconds, moment, self._camera.view(moment))
        if self._light is not None:
            self._light.shine(frame, moment)
        if self._gallery is not None:
            self._gallery.draw(frame, source)
        self._lettering.draw(frame)
        return frame


def shots_of(order: Order, short: int, footage: Footage | None) -> tuple[Size, list[Shot]]:
    """Return the size of the frames, and the shots.

    Args:
        order: the video to draw.
        short: the short side of the frames, in pixels.
        footage: the source video, if the order has one.

    Raises:
        UnusablePicture: a picture of the order cannot be loaded.
        UnusableVideo: the source video is damaged.
    """
    first = fetch(order.first_frame) if order.first_frame else None
    references = [fetch(url) for url in order.references]
    exhibits = _exhibits(order, references, footage)
    size = _size(order, short, first, references, footage)
    camera = Camera(order.camera_control)
    moods = moods_of([shot.prompt for shot in order.shots], order.seed)
    shots: list[Shot] = []
    start = 0
    for number, (shot, mood) in enumerate(zip(order.shots, moods, strict=True)):
        scene: _Scene | Grade
        if footage is not None and order.source_use == "edit":
            scene = Grade(mood, size, order.seed)
        elif first is not None and number == 0:
            scene = _picture_scene(order, size, first, camera, footage)
        else:
            scene = Landscape(
                size,
                mood,
                order.seed + number,
                camera.reach,
                drifts=not camera.moves,
                variation=order.variation,
            )
        is_landscape = isinstance(scene, Landscape)
        light = Light(order.variation) if order.variation and not is_landscape else None
        lettering = Lettering(size, _text(order, number, is_large=is_landscape))
        gallery = None
        if exhibits:
            gallery = Gallery(size, exhibits, lettering.top, is_beside=not is_landscape)
        screen = size if isinstance(scene, Grade) else gallery.screen if gallery else None
        shots.append(Shot(start, shot.seconds, screen, scene, camera, light, gallery, lettering))
        start += shot.seconds
    return size, shots


def _size(
    order: Order,
    short: int,
    first: Image.Image | None,
    references: Sequence[Image.Image],
    footage: Footage | None,
) -> Size:
    if footage is not None and order.source_use == "edit":
        return film_size(footage.shape, short)
    if first is not None:
        return film_size(first.size, short)
    if order.aspect_ratio:
        width, height = (int(part) for part in order.aspect_ratio.split(":"))
        narrow = min(width, height)
        return short * width // narrow // 2 * 2, short * height // narrow // 2 * 2
    shapes = [picture.size for picture in references] + ([footage.shape] if footage else [])
    return film_size((*shapes, (16, 9))[0], short)


def _exhibits(order: Order, references: Sequence[Image.Image], footage: Footage | None) -> list[Exhibit]:
    exhibits = [Exhibit(picture.size, picture) for picture in references]
    for element in order.elements:
        sheet = sheet_of([fetch(url) for url in element.urls])
        exhibits.append(Exhibit(sheet.size, sheet, f"@{element.name}"))
    if footage is not None and order.source_use != "edit":
        exhibits.insert(0, Exhibit(footage.shape))
    return exhibits


def _picture_scene(
    order: Order, size: Size, first: Image.Image, camera: Camera, footage: Footage | None
) -> _Scene:
    if footage is not None and order.source_use == "motion":
        return MovedPicture(size, first, motion_of(footage.clip, footage.shape, order.seconds))
    last = fetch(order.last_frame) if order.last_frame else None
    static = fetch(order.static_mask) if order.static_mask else None
    brushes = [
        Brush(fetch(mask["mask_url"]), [(point["x"], point["y"]) for point in mask["trajectories"]])
        for mask in order.dynamic_masks
    ]
    return Pictures(size, first, last, static, brushes, moved=camera.moves)


def _text(order: Order, number: int, *, is_large: bool) -> ShotText:
    details = [" · ".join(order.facts)] if order.facts else []
    if order.negative_prompt:
        details.append(f"not: {order.negative_prompt}")
    count = len(order.shots)
    return ShotText(
        order.shots[number].prompt,
        details,
        f"shot {number + 1}/{count}" if count > 1 else "",
        is_large=is_large,
        watermark="watermark" if order.has_watermark else "",
    )
