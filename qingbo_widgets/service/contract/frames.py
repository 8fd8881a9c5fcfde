"""The frames and reference images of a request, which models take in different parameters."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from ...i18n import tr
from .schema import Model
from .values import Item, as_media_list, is_same, is_set

__all__ = [
    "FRAME_FIELDS",
    "IMAGE",
    "IMAGES",
    "Frames",
    "frames_of",
    "set_frames",
    "urls_with_role",
    "with_image",
]

#: The keyword argument for the first frame, in whichever parameter a model takes it.
IMAGE = "image"
#: The parameter that takes images in most models.
IMAGES = "image_urls"

FRAME_FIELDS = ("image_urls", "last_frame", "image_with_roles")
"""The parameters that frames and references are in."""


@dataclass(frozen=True)
class Frames:
    """The images of a request by what they mean.

    Attributes:
        first: the URL of the first frame; ``None`` if there is none.
        last: the URL of the last frame; ``None`` if there is none.
        references: the URLs of images that appear in the video.
    """

    first: Any = None
    last: Any = None
    references: tuple[Any, ...] = ()


def frames_of(fields: Mapping[str, Any], model: Model) -> Frames:
    """Return the images in the fields of a request for this model.

    A second image for the same frame, as one with a role beside another in ``image_urls``, is a reference.
    """
    urls = fields.get("image_urls", ())
    images = urls if isinstance(urls, tuple) else (urls,)
    roles = fields.get("image_with_roles")
    by_role = {role: urls_with_role(role, roles) for role in ("first_frame", "last_frame", "reference")}
    first, last, references = by_role["first_frame"], by_role["last_frame"], by_role["reference"]
    if model.frames == "image_with_roles":
        references += images
    else:
        first, last, references = (*first, *images[:1]), (*last, *images[1:2]), (*references, *images[2:])
    if is_set(fields.get("last_frame")):
        last = (fields["last_frame"], *last)
    return Frames(next(iter(first), None), next(iter(last), None), (*references, *first[1:], *last[1:]))


def set_frames(fields: MutableMapping[str, Any], frames: Frames, model: Model) -> Frames:
    """Set the fields of a request for this model to these images; return those that it does not take."""
    takes_roles = "image_with_roles" in model.parameters
    pair = [url for url in (frames.first, frames.last) if url is not None]
    roles = [Item({"url": url, "role": "reference"}) for url in frames.references]
    if model.frames == "image_with_roles":
        _set(fields, "image_urls", frames.references)
        named = zip((frames.first, frames.last), ("first_frame", "last_frame"), strict=True)
        _set(fields, "image_with_roles", [Item({"url": url, "role": role}) for url, role in named if url])
        return Frames()
    takes_last = model.frames == "image_urls" or "last_frame" in model.parameters
    takes_first = "image_urls" in model.parameters
    if frames.first is None or not takes_first or not takes_last:
        pair = pair[:1] if frames.first is not None and takes_first else []
    _set(fields, "image_urls", pair if model.frames == "image_urls" else pair[:1])
    if "last_frame" in model.parameters and pair[1:]:
        fields["last_frame"] = pair[1]
    if takes_roles:
        _set(fields, "image_with_roles", roles)
    return Frames(
        None if takes_first else frames.first,
        None if pair[1:] else frames.last,
        () if takes_roles else frames.references,
    )


def _set(fields: MutableMapping[str, Any], name: str, values: Any) -> None:
    if values:
        fields[name] = tuple(values)


def with_image(fields: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Return fields with the ``image`` among them in the parameter in which the model takes the first frame.

    A list of two is the first and the last frame; more are references.

    Raises:
        TypeError: that parameter is given too.
    """
    others = {name: value for name, value in fields.items() if name != IMAGE}
    picture = as_media_list(fields.get(IMAGE))
    if not is_set(picture):
        return others
    first, last, *references = (*picture, None) if isinstance(picture, tuple) else (picture, None)
    frames, own = Frames(first, last, tuple(one for one in references if one is not None)), dict[str, Any]()
    left = set_frames(own, frames, model)
    if left != Frames():  # a parameter that refuses them, with the reason
        own = {"image_urls": picture}
    if both := sorted(own.keys() & others.keys()):
        message = tr("image and {names} are the same; leave out one of the two")
        raise TypeError(message.format(names=", ".join(both)))
    return {**others, **own}


def urls_with_role(role: str, items: Any) -> tuple[Any, ...]:
    """Return the URLs of the images with a role; entries of any other shape are left out."""
    images = (item for item in items if isinstance(item, Mapping)) if isinstance(items, tuple) else ()
    return tuple(image["url"] for image in images if is_same(image.get("role"), role) and "url" in image)
