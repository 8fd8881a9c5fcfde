"""Requests as JSON: each parameter has a place in the body, such as ``prompt`` or ``extra.shot_1_prompt``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .kinds import KINDS
from .schema import Models, Parameter
from .values import is_set

__all__ = ["Places", "place_of", "write_body"]

#: The maximum number of parts read from a list; a form marks those over the model's limit.
_MOST_PARTS = 20


def write_body(values: Mapping[str, Any], models: Models) -> dict[str, Any]:
    """Return the body of a request without problems.

    The body contains the parameters that are set or always sent, unless a constraint omits them.

    Args:
        values: the request's fields, with defaults for those that are not set.
        models: the models of the request's contract.
    """
    model = models.of(values["model"])
    unsent = model.unsent(values)
    body: dict[str, Any] = {}
    for name, generic in models.parameters.items():
        value, own = values[name], model.parameters.get(name)
        parameter = own or generic
        if name not in unsent and (is_set(value) or (own is not None and own.always)):
            for place, part in _parts(parameter, KINDS[parameter.type].write(value)):
                _put(body, place.split("."), part)
    return body


def _parts(parameter: Parameter, written: Any) -> Iterator[tuple[str, Any]]:
    """Yield each place of a value with its content: one, or one per member of each part of a list."""
    if "{number}" not in parameter.place:
        yield parameter.place, written
        return
    for number, part in enumerate(written, 1):
        for key, value in part.items():
            yield parameter.place.format(number=number, key=key), value


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def place_of(container: str, name: object) -> str:
    """Return the place of a member of an object; empty for a name that contains a dot."""
    return "" if "." in str(name) else f"{container}.{name}" if container else str(name)


class Places:
    """The parameters of a contract by their place in a body.

    Args:
        models: the models of the contract.
        model: the model of the body, whose places take precedence.
    """

    def __init__(self, models: Models, model: object = None) -> None:
        parameters = {**models.parameters, **models.of(model).parameters}.values()
        #: The objects of the body that contain parameters, such as ``extra``.
        self.objects = frozenset(
            parameter.place[:dot]
            for parameter in parameters
            for dot, letter in enumerate(parameter.place)
            if letter == "."
        )
        self._by_place = {parameter.place: parameter for parameter in parameters}
        self._lists = [
            (_pattern(parameter.place, KINDS[parameter.type].parts), parameter)
            for parameter in parameters
            if "{number}" in parameter.place
        ]

    def fits(self, place: str, value: Any) -> bool:
        """Return whether a parameter, or a part of one, has this place and accepts the value."""
        parameter, part = self._by_place.get(place), self._part_at(place)
        return (parameter is not None and _fits(parameter, value)) or (part is not None and part.fits(value))

    def members(self, place: str) -> frozenset[str]:
        """Return the names of the members of the objects at this place; none if it has no parameter."""
        parameter = self._by_place.get(place)
        return frozenset((*parameter.members, *KINDS[parameter.type].parts) if parameter else ())

    def read(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
        """Return the values of a body by parameter, and the (name, value) pairs without a place in a request.

        An incomplete shot is included: the form shows the missing part.
        """
        fields: dict[str, Any] = {}
        unknown: list[tuple[str, Any]] = []
        lists: dict[str, dict[int, dict[str, Any]]] = {}
        for name, place, value in self._walk(body, ""):
            parameter, part = self._by_place.get(place), self._part_at(place)
            if value is None and (parameter or part):
                continue
            if part is not None and part.fits(value):
                lists.setdefault(part.name, {}).setdefault(part.number, {})[part.key] = value
            elif parameter is not None and _fits(parameter, value):
                fields[parameter.name] = value
            else:
                unknown.append((name, value))
        for parameter in (one for _, one in self._lists if one.name in lists):
            missing = {key: part.missing for key, part in KINDS[parameter.type].parts.items()}
            numbered = sorted(lists[parameter.name].items())
            fields[parameter.name] = [missing | part for _, part in numbered[:_MOST_PARTS]]
            for number, rest in numbered[_MOST_PARTS:]:
                unknown.append((parameter.place.format(number=number, key="…"), rest))
        return fields, unknown

    def _walk(self, body: Mapping[str, Any], container: str) -> Iterator[tuple[str, str, Any]]:
        """Yield each value in the body as its display name, its place and the value."""
        for name, value in body.items():
            place = place_of(container, name)
            if isinstance(value, Mapping) and (
                place in self.objects or not (value or place in self._by_place)
            ):
                yield from self._walk(value, place)
            else:
                yield f"{container}.{name}" if container else str(name), place, value

    def _part_at(self, place: str) -> _PartOfBody | None:
        for pattern, parameter in self._lists:
            if match := pattern.fullmatch(place):
                return _PartOfBody(parameter, int(match["number"]), match["key"])
        return None


def _fits(parameter: Parameter, value: Any) -> bool:
    """Return whether a value in a JSON body can be read; for a choice, whether its type is right."""
    choices = parameter.choices
    if parameter.type == "choice" and choices and not any(isinstance(value, type(one)) for one in choices):
        return False
    return KINDS[parameter.type].fits(value)


class _PartOfBody(NamedTuple):
    """A member of one object in a list, with its own place in the body."""

    parameter: Parameter
    number: int
    key: str

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    def fits(self, value: Any) -> bool:
        """Return whether the member accepts this value."""
        return KINDS[self.parameter.type].parts[self.key].fits(value)


def _pattern(place: str, keys: Iterable[str]) -> re.Pattern[str]:
    pattern = re.escape(place).replace(r"\{number\}", "(?P<number>[1-9][0-9]{0,2})")
    return re.compile(pattern.replace(r"\{key\}", f"(?P<key>{'|'.join(keys)})"))
