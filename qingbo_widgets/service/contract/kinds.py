"""The parameter types, each with its reader, its check and its JSON writer.

A value of a wrong type is a problem like any other; checks never raise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from . import compound
from .limits import (
    EXAMPLE_PROMPT,
    EXAMPLE_SECONDS,
    EXAMPLE_URL,
    NOT_IN_RANGE,
    NOT_ONE_OF,
    check_public_url,
    check_text,
    is_blank,
    is_blank_prompt,
    is_duration,
    is_finite,
    is_within,
)
from .problem import Problem, listed, numbered, part_of, refused, shown
from .schema import Model, Parameter
from .values import (
    Item,
    Shot,
    as_camera,
    as_item,
    as_mask,
    as_plain,
    as_shot,
    as_tuple,
    is_integer,
    is_same,
    is_set,
)

__all__ = [
    "KINDS",
    "Kind",
    "Part",
    "completed",
    "example",
    "example_of_member",
    "parsed",
    "unset",
    "value_if_unset",
    "with_gaps",
]

#: An example value for each type, used if the description has none.
_EXAMPLES: Mapping[str, Any] = MappingProxyType(
    {"name": "default", "text": EXAMPLE_PROMPT, "boolean": True, "integer": 1, "number": 0.5, "seconds": 5}
)
_NO_PARTS: Mapping[str, Any] = MappingProxyType({})
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _unchanged(value: Any) -> Any:
    return value


def _no_urls(value: Any) -> tuple[Any, ...]:  # noqa: ARG001 - signature of Kind
    return ()


def _ignore_change(value: Any, change: Callable[[Any], Any]) -> Any:
    del change
    return value


def _no_advice(parameter: Parameter, value: Any) -> Iterator[Problem]:  # noqa: ARG001 - signature of Kind
    return iter(())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


@dataclass(frozen=True)
class Part:
    """One member of the objects in a list, if each member has its own place in the body.

    Attributes:
        fits: returns whether a value of a JSON body can be read.
        missing: the value for a member that a body lacks.
    """

    fits: Callable[[Any], bool]
    missing: Any


@dataclass(frozen=True)
class Kind:
    """One type of parameter.

    Attributes:
        check: yields the reasons for which the service would refuse a value.
        advise: yields warnings about a value that the service accepts but that may not do what the user
            intends.
        read: returns the value, converted from the forms that callers and the service write.
        write: returns the value as JSON.
        fits: returns whether a value of a JSON body can be read.
        urls: returns the URLs in a value that the service will fetch.
        with_urls: returns the value with a function applied to each URL in it, including invalid ones.
        parse: returns the value that a text represents, such as a cell of a CSV file. Raises ValueError.
        parts: the members of each object, for a list of objects.
        empty: the value of a field that is not set and has no default.
        is_list: whether a value is a list.
    """

    check: Callable[[Parameter, Any, Model], Iterator[Problem]]
    advise: Callable[[Parameter, Any], Iterator[Problem]] = _no_advice
    read: Callable[[Any], Any] = _unchanged
    write: Callable[[Any], Any] = _unchanged
    fits: Callable[[Any], bool] = _is_text
    urls: Callable[[Any], tuple[Any, ...]] = _no_urls
    with_urls: Callable[[Any, Callable[[Any], Any]], Any] = _ignore_change
    parse: Callable[[str], Any] = _unchanged
    parts: Mapping[str, Part] = field(default_factory=lambda: _NO_PARTS)
    empty: Any = None
    is_list: bool = False


def _name(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if is_blank(value):
        yield refused(parameter.name, value, _blank_refusal(parameter), example(parameter))


def _text(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if parameter.required and is_blank_prompt(value):
        yield refused(parameter.name, value, _blank_refusal(parameter), example(parameter))
    else:
        yield from check_text(parameter.name, value, parameter.most)


def _choice(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    if not parameter.choices:  # of an unlisted model
        yield from _name(parameter, value, model)
    elif not any(is_same(value, choice) for choice in parameter.choices):
        limit = tr(NOT_ONE_OF).format(values=listed(parameter.choices))
        yield refused(parameter.name, value, limit, _meant(parameter, value) or example(parameter))


def _meant(parameter: Parameter, value: object) -> Any:
    """Return the choice that was written otherwise, such as ``4K`` or 1080 for a resolution, or ``None``."""
    typed = str(value).strip().casefold() if isinstance(value, str | int) else ""
    spelt = {choice: str(choice).casefold() for choice in parameter.choices}
    exact = (choice for choice, text in spelt.items() if text == typed)
    longer = (choice for choice, text in spelt.items() if typed and text.startswith(typed))
    return next(chain(exact, longer), None)


def _choices(parameter: Parameter, values: object, model: Model) -> Iterator[Problem]:
    if not isinstance(values, tuple):
        yield refused(parameter.name, values, tr("is not a list"), [example(parameter)])
        return
    for value in values:
        yield from _choice(parameter, value, model)
    if len(set(map(str, values))) < len(values):
        yield refused(parameter.name, values, tr("has an entry twice"), [example(parameter)])


def _seconds(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    choices = parameter.choices
    if not choices:
        if not is_duration(value):
            yield refused(parameter.name, value, tr("is not a whole number of seconds"), EXAMPLE_SECONDS)
    elif not is_integer(value) or value not in choices:
        limit = tr("is not a length that {model} renders ({values}, in whole seconds)")
        if choices == (0,):
            limit = tr("is not {values}: the input video decides the length")
        limit = limit.format(values=listed(choices), model=model.name)
        yield refused(
            parameter.name, value, limit, EXAMPLE_SECONDS if EXAMPLE_SECONDS in choices else choices[0]
        )


def _integer(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    low, high = parameter.range or (-math.inf, math.inf)
    if not parameter.range and not is_integer(value):
        yield refused(parameter.name, value, tr("is not a whole number"), example(parameter))
    elif not is_integer(value) or not is_within(value, low, high):
        limit = tr("is not a whole number from {low:g} to {high:g}").format(low=low, high=high)
        yield refused(parameter.name, value, limit, example(parameter))


def _number(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    low, high = parameter.range or (-math.inf, math.inf)
    if not parameter.range and not is_finite(value):
        yield refused(parameter.name, value, tr("is not a number"), example(parameter))
    elif not is_within(value, low, high):
        limit = tr(NOT_IN_RANGE).format(low=low, high=high)
        yield refused(parameter.name, value, limit, example(parameter))


def _boolean(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if not isinstance(value, bool):
        yield refused(parameter.name, value, tr("is neither True nor False"), example(parameter))
    elif parameter.choices and value not in parameter.choices:
        limit = tr(NOT_ONE_OF).format(values=listed(parameter.choices))
        yield refused(parameter.name, value, limit, parameter.choices[0])


def _url(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    yield from check_public_url(parameter.name, value, str(parameter.example))


def _urls(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    if not isinstance(value, tuple):
        yield refused(parameter.name, value, tr("is not a URL"), example(parameter))
        return
    for number, url in enumerate(value, 1):
        for problem in check_public_url(parameter.name, url, str(parameter.example)):
            yield replace(problem, number=number)
    fewest, most = parameter.limits.get("count") or (0, parameter.most or math.inf)
    if not fewest <= len(value) <= most:
        text = tr("{field}: {count} given, but {model} takes at most {most}.")
        if parameter.refusal:
            text = tr(parameter.refusal)
        elif fewest:
            text = tr("{field}: {count} given, but {model} takes {fewest} to {most}.")
        message = text.format(
            field=parameter.name, count=len(value), model=model.name, fewest=fewest, most=most
        )
        yield Problem(parameter.name, message)


def _objects(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    name = parameter.name
    if not isinstance(value, tuple):
        text = tr("is not a list of objects with {members}").format(members=listed(parameter.members))
        yield refused(name, value, text, [_example_item(parameter)])
        return
    fewest, most = parameter.limits.get("count") or (0, math.inf)
    if not fewest <= len(value) <= most:
        text = tr("{field}: {count} given, but the service takes {fewest} to {most}; try {example}.")
        example = fewest if len(value) < fewest else most
        message = text.format(field=name, count=len(value), fewest=fewest, most=most, example=example)
        yield Problem(name, message)
    for number, item in enumerate(value, 1):
        for problem in _item(parameter, item, numbered(name, number), model):
            yield Problem(name, problem.message, number)
    yield from _numbers(parameter, value)


def _item(parameter: Parameter, item: object, where: str, model: Model) -> Iterator[Problem]:
    """Yield the problems of one object, whose members are named after ``where``."""
    members = parameter.members
    if not isinstance(item, Mapping):
        text = tr("is not an object with {members}").format(members=listed(members))
        yield refused(parameter.name, item, text, _example_item(parameter), where)
        return
    for key in item.keys() - members.keys():
        text = tr("{where}: {value} is not a member ({members}); leave it out.")
        message = text.format(where=where, value=shown(key), members=listed(members))
        yield Problem(parameter.name, message)
    for key, member in members.items():
        place = replace(member, name=part_of(where, key))
        if is_set(item.get(key)):
            yield from KINDS[member.type].check(place, item[key], model)
        elif member.required:
            yield unset(place, example_of_member(member))


def _numbers(parameter: Parameter, items: tuple[Any, ...]) -> Iterator[Problem]:
    """Yield a problem if the numbers of the objects have a gap, or do not start at 1."""
    for key in (key for key, member in parameter.members.items() if member.numbered):
        numbers: list[Any] = [item.get(key) for item in items if isinstance(item, Mapping)]
        expected = list(range(1, len(items) + 1))
        if all(map(is_integer, numbers)) and sorted(numbers) != expected:
            limit = tr("are not consecutive numbers from 1")
            yield refused(parameter.name, numbers, limit, expected, part_of(parameter.name, key))


def _example_item(parameter: Parameter) -> dict[str, Any]:
    """Return an example of one object of a list."""
    return {key: example_of_member(member) for key, member in parameter.members.items()}


def example_of_member(member: Parameter) -> Any:
    """Return an example of a member of an object; for several URLs, as many as the service takes at least."""
    if member.type == "urls":
        fewest, _ = member.limits.get("count", (1, 1))
        return [example(member)] * fewest
    return example(member)


def unset(parameter: Parameter, value: Any) -> Problem:
    """Return the problem of a required field that is not set, with a valid value."""
    text = tr("{field}: it is required; try {example}.")
    return Problem(parameter.name, text.format(field=parameter.name, example=shown(value)))


def completed(parameter: Parameter, value: Any) -> Any:
    """Return a list of objects with the members that the caller may leave out: their numbers, their names."""
    if parameter.type != "objects" or not isinstance(value, tuple):
        return value
    return tuple(_completed(parameter.members, item, number) for number, item in enumerate(value, 1))


def with_gaps(parameter: Parameter, value: Any) -> Any:
    """Return a list of objects whose missing numbers ``completed`` will not fill in."""
    numbers = dict.fromkeys(key for key, member in parameter.members.items() if member.numbered)
    if not numbers or not isinstance(value, tuple):
        return value
    return tuple(Item({**numbers, **item}) if isinstance(item, Mapping) else item for item in value)


def _completed(members: Mapping[str, Parameter], item: Any, number: int) -> Any:
    numbers = {key: number for key, member in members.items() if member.numbered}
    if isinstance(item, tuple) and len(item) == len(members) - len(numbers):
        item = dict(zip((key for key in members if key not in numbers), item, strict=True))
    if not isinstance(item, Mapping):
        return item
    return Item({**{key: number for key, number in numbers.items() if key not in item}, **item})


def _blank_refusal(parameter: Parameter) -> str:
    return tr(parameter.refusal) if parameter.refusal else tr("is blank")


def example(parameter: Parameter) -> Any:
    """Return an example of a valid value; of a text, in the current language."""
    if parameter.type in ("url", "urls"):
        return f"{EXAMPLE_URL}{parameter.example or parameter.name}"
    candidates = (
        parameter.example,
        parameter.default,
        *parameter.choices,
        *parameter.range,
        _EXAMPLES.get(parameter.type),
    )
    valid = (value for value in candidates if value not in (None, ""))
    value = next((one for one in valid if not parameter.choices or one in parameter.choices), None)
    return tr(value) if parameter.type == "text" and isinstance(value, str) else value


def parsed(parameter: Parameter, text: str) -> Any:
    """Return the value that a text represents, such as a cell of a CSV file or an option of a magic.

    Raises:
        ValueError: the text cannot be parsed.
    """
    for choice in parameter.choices:
        if str(choice) == text:
            return choice
    return KINDS[parameter.type].parse(text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text_or_number(value: object) -> bool:
    return isinstance(value, str) or _is_number(value)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_text_or_texts(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(url, str) for url in value))


def _is_name_or_object(value: object) -> bool:
    return isinstance(value, str | dict)


def _is_object_or_list(value: object) -> bool:
    return isinstance(value, dict | list)


def _parse_boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _parse_json(text: str) -> Any:
    """Return the value of a JSON list or object; any other text, such as a preset's name, unchanged."""
    try:
        return json.loads(text) if text[:1] in ("[", "{") else text
    except RecursionError:
        raise ValueError(text[:80]) from None


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _as_object(value: Any) -> Any:
    return Item(value.as_dict()) if isinstance(value, Shot) else as_item(value)


def _plain_items(value: Any) -> Any:
    return [item.as_dict() if isinstance(item, Item) else item for item in value]


def _as_dict(value: Any) -> Any:
    return value.as_dict()


def _as_dicts(value: Any) -> Any:
    return [part.as_dict() for part in value]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "name": Kind(_name),
        "text": Kind(_text),
        "choice": Kind(_choice, read=as_plain, fits=_is_text_or_number),
        "seconds": Kind(_seconds, read=as_plain, fits=is_integer, parse=int),
        "integer": Kind(_integer, read=as_plain, fits=is_integer, parse=int),
        "number": Kind(_number, read=as_plain, fits=_is_number, parse=float),
        "boolean": Kind(_boolean, read=as_plain, fits=_is_boolean, parse=_parse_boolean),
        "url": Kind(
            _url, read=as_plain, urls=lambda value: (value,), with_urls=lambda value, change: change(value)
        ),
        "urls": Kind(
            _urls,
            read=lambda value: as_tuple(value, as_plain),
            write=list,
            fits=_is_text_or_texts,
            parse=str.split,
            urls=lambda value: value if isinstance(value, tuple) else (),
            with_urls=compound.with_urls,
            empty=(),
            is_list=True,
        ),
        "choices": Kind(
            _choices,
            read=as_tuple,
            write=list,
            fits=_is_list_of_texts,
            parse=str.split,
            empty=(),
            is_list=True,
        ),
        "objects": Kind(
            _objects,
            read=lambda value: as_tuple(value, _as_object),
            write=_plain_items,
            fits=_is_list_of_objects,
            parse=_parse_json,
            urls=compound.item_urls,
            with_urls=compound.with_item_urls,
            empty=(),
            is_list=True,
        ),
        "camera": Kind(
            compound.check_camera,
            compound.advise_camera,
            read=as_camera,
            write=_as_dict,
            fits=_is_name_or_object,
            parse=_parse_json,
        ),
        "masks": Kind(
            compound.check_masks,
            read=lambda value: as_tuple(value, as_mask),
            write=_as_dicts,
            fits=_is_object_or_list,
            parse=_parse_json,
            urls=compound.mask_urls,
            with_urls=compound.with_mask_urls,
            parts={"mask_url": Part(_is_text, ""), "trajectories": Part(_is_list, [])},
            empty=(),
            is_list=True,
        ),
        "shots": Kind(
            compound.check_shots,
            compound.advise_shots,
            read=lambda value: as_tuple(value, as_shot),
            write=_as_dicts,
            fits=_is_object_or_list,
            parse=_parse_json,
            parts={"prompt": Part(_is_text, ""), "duration": Part(is_integer, 0)},
            empty=(),
            is_list=True,
        ),
    }
)
"""Every type that a description may use, by name."""


def value_if_unset(parameter: Parameter, default: Any) -> Any:
    """Return the value of a field that is not set: the default, or the empty value of its type."""
    return KINDS[parameter.type].empty if default is None else default
