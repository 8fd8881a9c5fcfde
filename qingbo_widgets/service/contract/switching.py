"""A change of the model of a request, which keeps fields by their meaning and not by their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .frames import FRAME_FIELDS, Frames, frames_of, set_frames
from .models import contracts, home_of, models_of
from .objects import completed
from .older_names import in_older_names
from .resolve import resolve, translation_of
from .schema import Models, Parameter
from .spellings import translated
from .values import is_integer, is_same, is_set

if TYPE_CHECKING:
    from .request import VideoRequest

__all__ = ["Switched", "defaults_between", "switched"]


@dataclass(frozen=True)
class Switched:
    """A request for another model.

    Attributes:
        request: the request, in the names of the next model's contract.
        set_aside: the values that the next model does not take: images under the name of the field that they
            were in, others under their name in the next model's contract.
        defaults_changed: the parameters that are not set and whose defaults differ, by their name in the next
            model's contract, each with the value that the old model would have used. Only values that the
            next model takes are included: setting them keeps the video as it would have been.
    """

    request: VideoRequest
    set_aside: Mapping[str, Any]
    defaults_changed: Mapping[str, Any]


def switched(request: VideoRequest, model: str, models: Models, home: Models | None = None) -> Switched:
    """Return a request for another model, of the same contract or of another one.

    A length that the next model does not render becomes the nearest one that it does.

    Args:
        request: the request, in the names of any contract.
        model: the name of the next model.
        models: the models of its contract.
        home: the models of the contract in whose names the request is; by default, it follows from them.
    """
    home = home or home_of(request.given)
    old, new = home.of(request.given["model"]), models.of(model)
    given = {
        name: completed(old.parameters[name], value) if name in old.parameters else value
        for name, value in request.given.items()
    }
    rest = {name: value for name, value in given.items() if name not in (*FRAME_FIELDS, "model")}
    own = _in_names_of(models, rest, model)
    fields: dict[str, Any] = {"model": model}
    set_aside: dict[str, Any] = {}
    if "shots" in own and "shots" not in rest and "prompt" in own:
        set_aside["prompt"] = own.pop("prompt")  # in April, shots take the place of the prompt
    for name, value in own.items():
        if _fits(value, new.parameters.get(name)):
            fields[name] = value
        elif name == "duration" and name in new.parameters:
            fields[name] = _nearest(value, new.parameters[name])
        else:
            set_aside[name] = value
    left = set_frames(fields, frames_of(given, old), new)
    following = type(request)(**fields)
    changes = _defaults_changed(_defaults_used(request.given, home), following.given, models)
    return Switched(following, {**set_aside, **_as_fields(left, given)}, changes)


def defaults_between(request: VideoRequest, origin: str, contract: str) -> Mapping[str, Any]:
    """Return the values to set in a contract for the video that a request without them means in another one.

    None for a contract that this version does not know, or a model that the contract does not have.

    Args:
        request: the request, in the names of any contract.
        origin: the date of the contract in which it has its meaning.
        contract: the date of the contract that will carry it.
    """
    if origin == contract or origin not in contracts():
        return {}
    own, models = request.translated(origin), models_of(contract)
    if own.model not in models:
        return {}
    return switched(own, own.model, models, models_of(origin)).defaults_changed


def _defaults_used(given: Mapping[str, Any], models: Models) -> dict[str, Any]:
    """Return the known values that a model uses for the parameters that are not set."""
    fields, resolved = translation_of(given, models).fields, resolve(given, models)
    model, values = resolved.model, resolved.values
    unset = (name for name in model.parameters if name not in fields and name not in model.unsent(values))
    used = {
        name: values[name] if is_set(values[name]) else model.parameters[name].unless_given for name in unset
    }
    return {name: value for name, value in used.items() if is_set(value)}


def _defaults_changed(used: Mapping[str, Any], given: Mapping[str, Any], models: Models) -> dict[str, Any]:
    """Return the values that a model used, where the next model uses others but takes them too."""
    model, next_used = given["model"], _defaults_used(given, models)
    own = {
        own: meaning
        for name, value in used.items()
        for own, meaning in _in_names_of(models, {name: value}, model).items()
    }
    parameters = models.of(model).parameters
    return {
        name: value
        for name, value in own.items()
        if name in next_used and not is_same(value, next_used[name]) and _fits(value, parameters.get(name))
    }


def _fits(value: Any, parameter: Parameter | None) -> bool:
    """Return whether a model takes a value for a parameter; ``None`` if it has no such parameter."""
    if parameter is None:
        return False
    is_choice = parameter.type in ("choice", "seconds") and bool(parameter.choices)
    return not is_choice or any(is_same(value, choice) for choice in parameter.choices)


def _nearest(seconds: Any, parameter: Parameter) -> Any:
    """Return the nearest length that a model renders; its default for "as long as the input video"."""
    if not is_integer(seconds) or seconds == 0:
        return parameter.default
    return min(parameter.choices, key=lambda choice: (abs(choice - seconds), choice))


def _in_names_of(models: Models, fields: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return the fields in the names of a contract; those without a name in it remain."""
    translation = translated({**fields, "model": model}, models)
    conflicts = {problem.field for problem in translation.problems}.intersection(fields)
    own = {**translation.fields, **{name: fields[name] for name in conflicts}}
    del own["model"]
    if any(name not in models.parameters for name in own):
        own = in_older_names(models, own)
    return own


def _as_fields(left: Frames, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return images under the names that they had in the old request."""
    urls = [url for url in (left.first, left.last, *left.references) if url is not None]
    fields: dict[str, Any] = {}
    for name in FRAME_FIELDS:
        value = given.get(name)
        if isinstance(value, tuple):
            if kept := tuple(part for part in value if _is_among(_url_of(part), urls)):
                fields[name] = kept
        elif _is_among(value, urls):
            fields[name] = value
    return fields


def _url_of(part: Any) -> Any:
    return part.get("url") if isinstance(part, Mapping) else part


def _is_among(value: Any, values: list[Any]) -> bool:
    return any(value is one for one in values)
