"""The parameter types, each with its reader, its check and its JSON writer.

A value of a wrong type is a problem like any other; checks never raise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from . import compound, objects, simple
from .problem import Problem
from .schema import Model, Parameter
from .text import urls_in
from .values import as_camera, as_mask, as_media, as_medias, as_plain, as_shot, as_tuple, is_integer

__all__ = ["KINDS", "Kind", "Part", "parsed", "value_if_unset"]

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


def _as_dict(value: Any) -> Any:
    return value.as_dict()


def _as_dicts(value: Any) -> Any:
    return [part.as_dict() for part in value]


def _check_objects(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    return objects.check_objects(parameter, value, model, _check_member)


def _check_member(member: Parameter, value: object, model: Model) -> Iterator[Problem]:
    return KINDS[member.type].check(member, value, model)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "name": Kind(simple.check_name),
        "text": Kind(simple.check_text),
        "choice": Kind(simple.check_choice, read=as_plain, fits=_is_text_or_number),
        "seconds": Kind(simple.check_seconds, read=as_plain, fits=is_integer, parse=int),
        "integer": Kind(simple.check_integer, read=as_plain, fits=is_integer, parse=int),
        "number": Kind(simple.check_number, read=as_plain, fits=_is_number, parse=float),
        "boolean": Kind(simple.check_boolean, read=as_plain, fits=_is_boolean, parse=_parse_boolean),
        "url": Kind(
            simple.check_url,
            read=as_media,
            urls=lambda value: (value,),
            with_urls=lambda value, change: change(value),
        ),
        "urls": Kind(
            simple.check_urls,
            read=as_medias,
            write=list,
            fits=_is_text_or_texts,
            parse=urls_in,
            urls=lambda value: value if isinstance(value, tuple) else (),
            with_urls=compound.with_urls,
            empty=(),
            is_list=True,
        ),
        "choices": Kind(
            simple.check_choices,
            read=as_tuple,
            write=list,
            fits=_is_list_of_texts,
            parse=str.split,
            empty=(),
            is_list=True,
        ),
        "objects": Kind(
            _check_objects,
            read=lambda value: as_tuple(value, objects.as_object),
            write=objects.plain_items,
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
