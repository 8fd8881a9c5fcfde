"""Fields in the names of one contract: a request of April has ``mode``, one of November ``resolution``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...service.contract.frames import FRAME_FIELDS, Frames, frames_of
from ...service.contract.models import contracts, declared, home_of, models_of
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Model, Models
from ...service.contract.switching import switched
from ...service.secrets.known_keys import hide_in

__all__ = ["NO_IMAGES", "Named", "Unsent", "both", "hidden_in", "images_left", "in_names_of", "split_unsent"]


NO_IMAGES = Frames()


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


@dataclass(frozen=True)
class Unsent:
    """Values that were not part of the request in their contract, and so are not sent in another one.

    Attributes:
        values: the values, by the name that they have in their contract.
        images: the images among them, by what they mean.
    """

    values: Mapping[str, Any]
    images: Frames = NO_IMAGES


def split_unsent(models: Models, fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split fields in the names of another contract into those that it would send, and the others.

    In another contract, the others could turn into something that is sent: shots are switched on by a
    parameter of their own in 2026-11, and by their presence in 2026-04.
    """
    foreign = {name for name in fields if name in declared()} - models.parameters.keys()
    if not foreign:
        return dict(fields), {}
    others = (models_of(contract) for contract in contracts() if contract != models.contract)
    home = next((other for other in others if foreign <= other.parameters.keys()), None)
    if home is None:
        return dict(fields), {}
    known = {name: fields[name] for name in fields if name in home.parameters}
    request = VideoRequest(**{"model": models.parameters["model"].default, **known})
    inactive = home.of(request.model).unsent(request.values(home))
    inactive |= home.parameters.keys() - home.of(request.model).parameters.keys()
    if any(name in models.parameters and name not in home.parameters for name in fields):
        inactive &= foreign  # the names are mixed, and those that both have may be meant as here
    unsent = {name: value for name, value in known.items() if name in inactive}
    return {name: value for name, value in fields.items() if name not in unsent}, unsent


def in_names_of(models: Models, fields: Mapping[str, Any], home: Models | None = None) -> Named:
    """Return the fields in the names of a contract, and those that have no place in it.

    No API key remains in either.

    Args:
        models: the models of the contract.
        fields: the fields.
        home: the models of the contract in whose names the fields are. By default, it follows from them, and
            fields that are all in the names of ``models`` are returned unchanged.
    """
    fields = {name: hide_in(value) for name, value in fields.items()}
    unknown = {name: value for name, value in fields.items() if name not in declared()}
    known = {name: value for name, value in fields.items() if name not in unknown}
    is_own = all(name in models.parameters for name in known) if home is None else home is models
    if is_own:
        return Named(known, unknown, Frames())
    model = known.pop("model", models.parameters["model"].default)
    request = VideoRequest(**{"model": model, **known})
    home = home or home_of(request.given)
    change = switched(request, model, models, home)
    own, homeless = dict(change.request.given), unknown
    for name, value in change.set_aside.items():
        # A value that the model does not take is a problem to show, unless it is among the images moved.
        (own if name in models.parameters and name not in FRAME_FIELDS else homeless)[name] = value
    if "last_frame" in homeless and "last_frame" in models.of(model).parameters and "image_urls" not in own:
        own["last_frame"] = homeless.pop(
            "last_frame"
        )  # it waits for the first frame, which the form asks for
        change = replace(change, request=VideoRequest(**own))
    if "model" not in fields:
        del own["model"]
    return Named(own, homeless, images_left(request, home.of(model), change.request, models.of(model)))


def images_left(before: VideoRequest, old: Model, after: VideoRequest, new: Model) -> Frames:
    """Return the images of a request for a model that its successor for another model lacks."""
    given, kept = frames_of(before.given, old), frames_of(after.given, new)
    return Frames(
        given.first if kept.first is None else None,
        given.last if kept.last is None else None,
        () if kept.references else given.references,
    )


def both(images: Frames, others: Frames) -> Frames:
    """Return images together with others, which fill the gaps."""
    return Frames(
        others.first if images.first is None else images.first,
        others.last if images.last is None else images.last,
        images.references or others.references,
    )


def hidden_in(models: Models, names: Iterable[str]) -> frozenset[str]:
    """Return the names of fields together with those that replace them in a contract."""
    spellings = models.spellings
    return frozenset(
        new for name in names for new in (name, spellings[name].means if name in spellings else "") if new
    )
