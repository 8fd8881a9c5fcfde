"""Names of other contracts for the parameters of this one, such as ``mode="pro"`` for a resolution of 1080p.

A request may use them wherever a model can do what they say; ``translated`` replaces them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from .frames import urls_with_role
from .problem import Problem, assigned, listed, models_in_words, numbered, refused, shown, without
from .schema import Model, Models, Spelling
from .values import Item, Shot, is_integer, is_same, is_set

__all__ = ["READERS", "Translated", "translated"]

Fields = MutableMapping[str, Any]
Reader = Callable[[str, Any, Fields, Models], Iterator[Problem]]
"""Moves the value of a field to the fields of the contract, and yields the problems of doing so."""


@dataclass(frozen=True)
class Translated:
    """The fields of a request in the names of one contract.

    Attributes:
        fields: the values that are set, by parameter.
        names: the names that the caller used, by parameter, where they differ.
        problems: the reasons why a name could not be replaced.
        origins: the names that the caller used for parts of lists, by parameter and number from 1, where
            they differ.
    """

    fields: Mapping[str, Any]
    names: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    origins: Mapping[tuple[str, int], str] = field(default_factory=dict)


def translated(explicit: Mapping[str, Any], models: Models) -> Translated:
    """Return the set fields of a request in the names of a contract; names that it lacks remain."""
    if not any(name in explicit for name in models.spellings):
        return Translated(explicit, {})
    fields = dict(explicit)
    names: dict[str, str] = {}
    problems: list[Problem] = []
    origins: dict[tuple[str, int], str] = {}
    for name, spelling in models.spellings.items():
        if name not in explicit:
            continue
        value, before = fields.pop(name), dict(fields)
        read = READERS[spelling.read] if spelling.read else _renamed(spelling)
        problems += read(name, value, fields, models)
        new = (own for own in fields if own not in before or fields[own] is not before[own])
        names |= {own: name for own in new if own not in explicit}
        if spelling.read == "last_frame":
            origins = _origins_of_frames(name, before, fields)
    return Translated(fields, names, tuple(problems), origins)


def _renamed(spelling: Spelling) -> Reader:
    def read(name: str, value: Any, fields: Fields, models: Models) -> Iterator[Problem]:
        if spelling.values and not (isinstance(value, str) and value in spelling.values):
            limit = tr("is not one of {values}").format(values=listed(spelling.values))
            yield refused(name, value, limit, next(iter(spelling.values)))
            return
        meaning = spelling.values.get(value, value) if isinstance(value, str) else value
        if value is False and spelling.means not in models.of(fields["model"]).parameters:
            return  # the model cannot do it anyway
        yield from _put(fields, spelling.means, meaning, name, value)

    return read


def _put(fields: Fields, own: str, meaning: Any, name: str, value: Any) -> Iterator[Problem]:
    """Set a field, or yield a problem if the caller has set it to something else."""
    if own in fields and not is_same(fields[own], meaning):
        message = tr(
            "{field}: {value} means {own} {meaning}, but {own} is {other}; leave one of the two out."
        )
        message = message.format(
            field=name, value=shown(value), own=own, meaning=shown(meaning), other=shown(fields[own])
        )
        yield Problem(name, message)
    else:
        fields.setdefault(own, meaning)


def _last_frame(name: str, value: Any, fields: Fields, models: Models) -> Iterator[Problem]:
    """Move a last frame to the parameter in which the model takes it."""
    model, images = models.of(fields["model"]), fields.get("image_urls", ())
    if not model.frames:
        if model.name:
            text = tr(
                "{field}: {value} is set, but {model} does not take a last frame; leave {field} out. Models "
                "that take it: {models}."
            )
            others = models_in_words([other.name for other in models.values() if other.frames])
            message = text.format(field=name, value=shown(value), model=model.name, models=others)
            yield Problem(name, message)
        else:
            fields[name] = value
    elif model.frames == "image_with_roles":
        yield from _with_role(name, value, fields, images)
    elif not images and not _takes_two_images(model, fields):
        reason = tr("needs an input image too, which the other fields do not allow")
        yield without(name, value, reason)
    elif not images:
        limit = tr("needs an input image; put one into image_urls")
        text = tr("{field}: {value} {reason} (for example {example}), or leave {field} out.")
        example = assigned({"image_urls": "https://example.com/first.png"})
        yield Problem(name, text.format(field=name, value=shown(value), reason=limit, example=example))
    elif isinstance(images, tuple) and len(images) == 1:
        fields["image_urls"] = (*images, value)
    elif not isinstance(images, tuple) or not is_same(images[1], value):
        text = tr(
            "{field}: {value} is the last frame, but so is the second of {count} images in image_urls; "
            "leave one of the two out."
        )
        count = len(images) if isinstance(images, tuple) else 1
        yield Problem(name, text.format(field=name, value=shown(value), count=count))


def _takes_two_images(model: Model, fields: Mapping[str, Any]) -> bool:
    """Return whether a model whose frames are in ``image_urls`` takes two of them beside other fields."""
    values = {**{name: model.default(name) for name in model.parameters}, **fields}
    most = model.limited(values).get("image_urls", model.parameters["image_urls"]).most
    is_refused = "image_urls" in model.unsent(values)
    has_remedy = any(one.suggest for one in model.active(values) if "image_urls" in one.limit)
    return not is_refused and (most > 1 or has_remedy)


def _with_role(name: str, value: Any, fields: Fields, images: Any) -> Iterator[Problem]:
    """Move a first and a last frame to a list of images with roles."""
    roles = fields.get("image_with_roles", ())
    roles = roles if isinstance(roles, tuple) else (roles,)
    others = urls_with_role("last_frame", roles)
    if others and not (len(others) == 1 and is_same(others[0], value)):
        text = tr(
            "{field}: {value} is the last frame, but so is {other} in image_with_roles; leave one of the "
            "two out."
        )
        yield Problem(name, text.format(field=name, value=shown(value), other=shown(others[0])))
        return
    if not others:
        roles = (*roles, Item({"url": value, "role": "last_frame"}))
    has_first = bool(urls_with_role("first_frame", roles))
    is_first = isinstance(images, tuple) and len(images) == 1 and not _names_images(fields.get("prompt"))
    if is_first and not has_first:  # several images, or one that the prompt names, are references
        roles = (Item({"url": images[0], "role": "first_frame"}), *roles)
        del fields["image_urls"]
    fields["image_with_roles"] = roles


def _origins_of_frames(
    name: str, before: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[tuple[str, int], str]:
    """Return the name that the caller used for each image that ``_last_frame`` has moved."""
    origins = {}
    images = fields.get("image_urls")
    if isinstance(images, tuple) and images is not before.get("image_urls"):
        origins["image_urls", len(images)] = name
    roles, kept = fields.get("image_with_roles"), before.get("image_with_roles")
    if isinstance(roles, tuple) and roles is not kept:
        former = kept if isinstance(kept, tuple) else (kept,)
        for number, item in enumerate(roles, 1):
            if isinstance(item, Item) and not any(item is one for one in former):
                is_last = is_same(item["role"], "last_frame")
                origins["image_with_roles", number] = name if is_last else "image_urls"
    return origins


def _names_images(prompt: Any) -> bool:
    return isinstance(prompt, str) and "<<<image_" in prompt


def _shots(name: str, shots: Any, fields: Fields, models: Models) -> Iterator[Problem]:
    """Move shots to ``multi_prompt``; the prompt, which is required beside them, repeats theirs."""
    own = [shot for shot in shots if isinstance(shot, Shot)] if isinstance(shots, tuple) else []
    if own and not is_set(fields.get("prompt")):
        fields["prompt"] = " ".join(str(shot.prompt) for shot in own)
    model = models.of(fields["model"])
    if model.name and "multi_prompt" not in model.parameters:
        fields.setdefault("multi_prompt", shots)  # reported as a field that the model does not take
        return
    if not isinstance(shots, tuple) or len(own) < len(shots):
        yield from _unlike_shots(name, shots)
        return
    prompts = tuple(
        Item({"index": number, "prompt": shot.prompt, "duration": shot.duration})
        for number, shot in enumerate(shots, 1)
    )
    yield from _put(fields, "multi_prompt", prompts, name, shots)
    yield from _put(fields, "multi_shot", True, name, shots)
    yield from _put(fields, "shot_type", "customize", name, shots)
    if all(is_integer(shot.duration) for shot in shots):
        fields["duration"] = sum(shot.duration for shot in shots)


def _unlike_shots(name: str, shots: Any) -> Iterator[Problem]:
    """Yield the problems of a value that is not a list of shots, or of those parts that are none."""
    example = (tr("A koi in a pond"), 5)
    if not isinstance(shots, tuple):
        yield refused(name, shots, tr("is not a list of shots"), [example])
        return
    for number, shot in enumerate(shots, 1):
        if not isinstance(shot, Shot):
            limit = tr("is not a prompt and a duration")
            yield replace(refused(name, shot, limit, example, numbered(name, number)), number=number)


READERS: Mapping[str, Reader] = MappingProxyType({"last_frame": _last_frame, "shots": _shots})
"""The functions that a description may name in ``read``."""
