"""Lists of objects with described members, such as the elements of a request."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...i18n import tr
from .examples import example_item, example_of_member, unset
from .problem import Problem, listed, numbered, part_of, refused, shown
from .schema import Model, Parameter
from .values import Item, Shot, as_item, is_integer, is_set

__all__ = ["as_object", "check_objects", "completed", "plain_items", "with_gaps"]

#: Yields the problems of a member's value, by the type of the member.
Check = Callable[[Parameter, Any, Model], Iterator[Problem]]


def check_objects(parameter: Parameter, value: object, model: Model, check: Check) -> Iterator[Problem]:
    """Yield the problems of a list of objects: of its length, of each member, of the objects' numbers.

    Args:
        parameter: the parameter, whose members are described.
        value: the list.
        model: the model.
        check: yields the problems of a member.
    """
    name = parameter.name
    if not isinstance(value, tuple):
        text = tr("is not a list of objects with {members}").format(members=listed(parameter.members))
        yield refused(name, value, text, [example_item(parameter)])
        return
    fewest, most = parameter.limits.get("count") or (0, math.inf)
    if not fewest <= len(value) <= most:
        text = tr("{field}: {count} given, but the service takes {fewest} to {most}; try {example}.")
        example = fewest if len(value) < fewest else most
        message = text.format(field=name, count=len(value), fewest=fewest, most=most, example=example)
        yield Problem(name, message)
    for number, item in enumerate(value, 1):
        for problem in _item(parameter, item, numbered(name, number), model, check):
            yield Problem(name, problem.message, number)
    yield from _numbers(parameter, value)


def _item(parameter: Parameter, item: object, where: str, model: Model, check: Check) -> Iterator[Problem]:
    """Yield the problems of one object, whose members are named after ``where``."""
    members = parameter.members
    if not isinstance(item, Mapping):
        text = tr("is not an object with {members}").format(members=listed(members))
        yield refused(parameter.name, item, text, example_item(parameter), where)
        return
    for key in item.keys() - members.keys():
        text = tr("{where}: {value} is not a member ({members}); leave it out.")
        message = text.format(where=where, value=shown(key), members=listed(members))
        yield Problem(parameter.name, message)
    for key, member in members.items():
        place = replace(member, name=part_of(where, key))
        if is_set(item.get(key)):
            yield from check(place, item[key], model)
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


def as_object(value: Any) -> Any:
    """Return an immutable copy of a JSON value; a ``Shot`` becomes an ``Item``."""
    return Item(value.as_dict()) if isinstance(value, Shot) else as_item(value)


def plain_items(value: Any) -> Any:
    """Return the objects of a list as dictionaries."""
    return [item.as_dict() if isinstance(item, Item) else item for item in value]
