"""Fields in the names of one contract: a request of April has ``mode``, one of November ``resolution``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...service.contract.frames import FRAME_FIELDS, Frames, frames_of
from ...service.contract.models import declared, home_of
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Model, Models
from ...service.contract.switching import switched
from ...service.secrets.known_keys import hide_in

__all__ = ["Named", "hidden_in", "images_left", "in_names_of"]


@dataclass(frozen=True)
class Named:
    """Fields in the names of one contract.

    Attributes:
        fields: the fields that have a place in the contract.
        homeless: the others, under the names that they were given under.
        images: the images among the others, by what they mean.
    """

    fields: dict[str, Any]
    homeless: dict[str, Any]
    images: Frames


def in_names_of(models: Models, fields: Mapping[str, Any]) -> Named:
    """Return the fields in the names of a contract, and those that have no place in it.

    Fields that are in its names already are returned unchanged. No API key remains in either.
    """
    fields = {name: hide_in(value) for name, value in fields.items()}
    unknown = {name: value for name, value in fields.items() if name not in declared()}
    known = {name: value for name, value in fields.items() if name not in unknown}
    if all(name in models.parameters for name in known):
        return Named(known, unknown, Frames())
    model = known.pop("model", models.parameters["model"].default)
    request = VideoRequest(**{"model": model, **known})
    change = switched(request, model, models)
    own, homeless = dict(change.request.given), unknown
    for name, value in change.set_aside.items():
        # A value that the model does not take is a problem to show, unless it is among the images moved.
        (own if name in models.parameters and name not in FRAME_FIELDS else homeless)[name] = value
    if "model" not in fields:
        del own["model"]
    old = home_of(request.given).of(model)
    return Named(own, homeless, images_left(request, old, change.request, models.of(model)))


def images_left(before: VideoRequest, old: Model, after: VideoRequest, new: Model) -> Frames:
    """Return the images of a request for a model that its successor for another model lacks."""
    given, kept = frames_of(before.given, old), frames_of(after.given, new)
    return Frames(
        given.first if kept.first is None else None,
        given.last if kept.last is None else None,
        () if kept.references else given.references,
    )


def hidden_in(models: Models, names: Iterable[str]) -> frozenset[str]:
    """Return the names of fields together with those that replace them in a contract."""
    spellings = models.spellings
    return frozenset(
        new for name in names for new in (name, spellings[name].means if name in spellings else "") if new
    )
