"""A request as JSON: each parameter at its place in the body, ``prompt`` or ``extra.shot_1_prompt``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .kinds import KINDS
from .schema import Models, Parameter
from .values import is_set

__all__ = ["Places", "write_body"]


def write_body(values: Mapping[str, Any], models: Models) -> dict[str, Any]:
    """Return the body of a request without problems.

    Parameters are sent that are set, or always sent, unless a constraint leaves them out.

    Args:
        values: the request's fields, with the defaults of those that are not set.
        models: the models of the contract that carries it.
    """
    model = models.of(values["model"])
    unsent = model.unsent(values)
    body: dict[str, Any] = {}
    for name, parameter in model.parameters.items():
        value = values[name]
        if name not in unsent and (parameter.always or is_set(value)):
            for place, part in _parts(parameter, KINDS[parameter.type].write(value)):
                _put(body, place.split("."), part)
    return body


def _parts(parameter: Parameter, written: Any) -> Iterator[tuple[str, Any]]:
    """Yield the places of a value: one, or one for each member of each part of a list."""
    if "{number}" not in parameter.place:
        yield parameter.place, written
        return
    for number, part in enumerate(written, 1):
        for key, value in part.items():
            yield parameter.place.format(number=number, key=key), value


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    *folders, last = path
    for folder in folders:
        body = body.setdefault(folder, {})
    body[last] = value


class Places:
    """The parameters of a contract by their place in a body.

    Args:
        parameters: by name.
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        #: The objects of the body that hold parameters of their own, such as ``extra``.
        self.objects = frozenset(
            parameter.place[:dot]
            for parameter in parameters.values()
            for dot, letter in enumerate(parameter.place)
            if letter == "."
        )
        self._whole = {parameter.place: parameter for parameter in parameters.values()}
        self._lists = [
            (_pattern(parameter.place, KINDS[parameter.type].parts), parameter)
            for parameter in parameters.values()
            if "{number}" in parameter.place
        ]

    def at(self, place: str) -> Parameter | None:
        """Return the parameter that stands whole at a place, such as ``extra.mode``."""
        return self._whole.get(place)

    def part_at(self, place: str) -> tuple[Parameter, int, str] | None:
        """Return the parameter, the number and the key of the part of a list that stands at a place."""
        for pattern, parameter in self._lists:
            if found := pattern.fullmatch(place):
                return parameter, int(found["number"]), found["key"]
        return None


def _pattern(place: str, keys: Iterable[str]) -> re.Pattern[str]:
    pattern = re.escape(place).replace(r"\{number\}", "(?P<number>[1-9][0-9]{0,2})")
    return re.compile(pattern.replace(r"\{key\}", f"(?P<key>{'|'.join(keys)})"))
