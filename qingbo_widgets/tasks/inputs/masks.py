"""The shapes of masks: a mask covers its image, so both have the same one."""

from __future__ import annotations

from collections.abc import Iterator

from ...i18n import N_, tr
from ...library.inputs import InputFiles
from ...service.contract.media import Medium, media_of
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...service.http.image_probe import Size, size_of

__all__ = ["shape_problems"]

_OTHER_SHAPE = N_(
    "{where}: the mask has {width} × {height} pixels, and the image, upright, {across} × {down}. Make a mask "
    "of the image's shape."
)
#: The share by which the ratio of two sides may differ: a side is a whole number of pixels.
_TOLERANCE = 0.02


def shape_problems(request: VideoRequest, files: InputFiles) -> Iterator[Problem]:
    """Yield a problem for each mask whose shape is not that of the image.

    Args:
        request: the request. What is not a file of the library has no known size.
        files: the files of the library.
    """
    media = media_of(request)
    masks = [medium for medium in media if medium.parameter.media == "mask"]
    image = next((one for one in media if one.parameter.media == "image"), None) if masks else None
    picture = None if image is None else _size(image, files)
    for mask in masks if picture is not None else ():
        if (size := _size(mask, files)) is None or picture is None:
            continue
        if abs(size.width * picture.height / (size.height * picture.width) - 1) > _TOLERANCE:
            facts = {"width": size.width, "height": size.height}
            facts |= {"across": picture.width, "down": picture.height}
            yield Problem(mask.field, tr(_OTHER_SHAPE).format(where=mask.where, **facts), mask.number)


def _size(medium: Medium, files: InputFiles) -> Size | None:
    file = files.own(medium.value) if isinstance(medium.value, str) else None
    try:
        return None if file is None else size_of(file.read_bytes())
    except OSError:
        return None
