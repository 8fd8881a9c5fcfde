"""Rules that the descriptions of models name, because data cannot express them: sums, tokens, counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from .problem import Problem, listed, refused
from .schema import Model
from .values import is_integer, is_same, is_set

__all__ = ["DERIVED", "RULES", "named_elements", "named_images"]

Values = Mapping[str, Any]
Sources = Callable[[str], tuple[str, ...]]
"""Returns the fields of the caller from which the value of a parameter comes."""
Rule = Callable[[Values, Model, Sources], Iterator[Problem]]
_IMAGE_NAME = re.compile(r"<<<image_([0-9]{1,9})>>>")
#: Not the middle of an address such as a@b.example. The name may go on: it may contain blanks.
_ELEMENT_NAME = re.compile(r"(?<![\w.])@\w+")
_MOST_REFERENCES = 7


def _objects(values: Values, name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list; values of another shape are reported by the check of the list."""
    parts = values.get(name)
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, tuple) else []


def _seconds_of_shots(values: Values) -> int | None:
    shots = _objects(values, "multi_prompt")
    lengths = [shot["duration"] for shot in shots if is_integer(shot.get("duration"))]
    return sum(lengths) if shots and len(lengths) == len(shots) else None


def _shots_add_up(values: Values, model: Model, sources: Sources) -> Iterator[Problem]:
    """Yield a problem if the seconds of the shots do not add up to the duration (page "Kling")."""
    total, duration = _seconds_of_shots(values), values.get("duration")
    choices = model.limited(values).get("duration", model.parameters["duration"]).choices
    if total is None:
        return
    if choices == (0,):  # an edited video
        text = tr(
            "{field}: the shots add up to {total} s, but the input video sets the length; leave {field} out."
        )
        (field,) = sources("multi_prompt")
        yield Problem(field, text.format(field=field, total=total))
    elif choices and total not in choices:
        text = tr("multi_prompt: the shots add up to {total} s; {model} renders {lengths} s.")
        yield Problem("multi_prompt", text.format(total=total, model=model.name, lengths=_lengths(choices)))
    elif is_integer(duration) and total != duration:
        text = tr("multi_prompt: the shots add up to {total} s, but duration is {duration} s; try {example}.")
        message = text.format(total=total, duration=duration, example=f"duration={total}")
        yield Problem("multi_prompt", message)


def _lengths(choices: tuple[int, ...]) -> str:
    """Return lengths in seconds as text: a range, or if some are missing, a list."""
    if choices == tuple(range(choices[0], choices[-1] + 1)):
        return tr("{shortest} to {longest}").format(shortest=choices[0], longest=choices[-1])
    return listed(choices)


def _prompts(values: Values) -> Iterator[tuple[str, str]]:
    """Yield each prompt of a request with its field."""
    shots = [("multi_prompt", shot.get("prompt")) for shot in _objects(values, "multi_prompt")]
    for field, prompt in (("prompt", values.get("prompt")), *shots):
        if isinstance(prompt, str):
            yield field, prompt


def named_images(values: Values) -> Iterator[tuple[str, str, int]]:
    """Yield the field, the text and the number of each ``<<<image_N>>>`` in a prompt."""
    for field, prompt in _prompts(values):
        for match in _IMAGE_NAME.finditer(prompt):
            yield field, match[0], int(match[1])


def named_elements(values: Values) -> Iterator[tuple[str, str]]:
    """Yield the field and the text of each ``@name`` in a prompt that is not the name of an element."""
    names = tuple(str(element.get("name")) for element in _objects(values, "element_list"))
    for field, prompt in _prompts(values):
        for match in _ELEMENT_NAME.finditer(prompt):
            if not prompt.startswith(names, match.start() + 1):
                yield field, match[0]


def _named_images_exist(values: Values, model: Model, sources: Sources) -> Iterator[Problem]:
    """Yield a problem for a ``<<<image_N>>>`` in a prompt without an N-th image (page "Kling")."""
    del sources
    are_sent = "image_urls" not in model.unsent(values)
    count = _count(values.get("image_urls")) if are_sent else 0
    for field, name, number in named_images(values):
        if 1 <= number <= count:
            continue
        if not are_sent:
            text = tr(
                "{field}: '{name}' names an image, but no image is sent with these settings; remove "
                "'{name}' from the prompt."
            )
            yield Problem(field, text.format(field=field, name=name))
        elif count:
            limit = tr("names an image that does not exist: image_urls has {count}").format(count=count)
            yield refused(field, name, limit, "<<<image_1>>>")
        else:
            text = tr(
                "{field}: '{name}' names an image, but image_urls is empty; add an image, or remove "
                "'{name}' from the prompt."
            )
            yield Problem(field, text.format(field=field, name=name))
        return


def _one_image_a_frame(values: Values, model: Model, sources: Sources) -> Iterator[Problem]:
    """Yield a problem if two images have the role of the same frame."""
    del model, sources
    for role in ("first_frame", "last_frame"):
        if (count := _count_of_role(values, role)) > 1:
            text = tr("image_with_roles: {count} images have the role {role}, but a video has one; try 1.")
            yield Problem("image_with_roles", text.format(count=count, role=role))


def _one_image_beside_a_video(values: Values, model: Model, sources: Sources) -> Iterator[Problem]:
    """Yield a problem if images with and without roles are more than one beside a video (page "Kling")."""
    del model
    plain, with_roles = _count(values.get("image_urls")), _count(values.get("image_with_roles"))
    if not is_set(values.get("video_urls")) or not plain <= 1 < plain + with_roles:
        return
    fields = dict.fromkeys((*(sources("image_urls") if plain else ()), *sources("image_with_roles")))
    text = tr("image_with_roles: {count} images given, but an input video allows one; try 1.")
    if len(fields) > 1:
        text = tr("{field}: {count} images given, but an input video allows one; leave {fields} out.")
    field, together = list(fields)[-1], tr(" or ").join(fields)
    yield Problem(field, text.format(field=field, count=plain + with_roles, fields=together))


def _seven_references(values: Values, model: Model, sources: Sources) -> Iterator[Problem]:
    """Yield a problem if there are too many reference images and elements together (page "Kling")."""
    del model, sources
    elements, roles = _count(values.get("element_list")), _count_of_role(values, "reference")
    images = _count(values.get("image_urls")) + roles
    if (elements or roles) and elements + images > _MOST_REFERENCES:
        text = tr(
            "{field}: {images} reference images and {elements} elements exceed the limit of {most} in total."
        )
        field = "element_list" if elements else "image_with_roles"
        message = text.format(field=field, images=images, elements=elements, most=_MOST_REFERENCES)
        yield Problem(field, message)


def _count(value: Any) -> int:
    return len(value) if isinstance(value, tuple) else 0


def _count_of_role(values: Values, role: str) -> int:
    return sum(is_same(item.get("role"), role) for item in _objects(values, "image_with_roles"))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "shots_add_up": _shots_add_up,
        "named_images_exist": _named_images_exist,
        "one_image_a_frame": _one_image_a_frame,
        "one_image_beside_a_video": _one_image_beside_a_video,
        "seven_references": _seven_references,
    }
)
"""The rules that a model's description may name in ``rules``."""

DERIVED: Mapping[str, Callable[[Values], Any]] = MappingProxyType({"length_of_shots": _seconds_of_shots})
"""The functions that a parameter's description may name in ``derived``; ``None`` if nothing follows."""
