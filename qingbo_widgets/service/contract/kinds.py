"""The types of parameters: how a value of each is read, checked, and written to JSON.

A value of a wrong type is a problem like any other; nothing here raises.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from . import compound
from .limits import (
    EXAMPLE_PROMPT,
    EXAMPLE_SECONDS,
    EXAMPLE_URL,
    NO_NUMBER,
    NOT_ONE_OF,
    is_blank,
    is_finite,
    is_length,
    is_within,
    length,
    public,
    says_nothing,
)
from .problem import Problem, listed, refused
from .schema import Model, Parameter
from .values import (
    as_camera,
    as_mask,
    as_plain,
    as_shot,
    as_tuple,
    is_integer,
    is_same,
)

__all__ = ["KINDS", "Kind", "Part", "example", "parsed", "unset"]

#: A value of each type that would do where the description has none.
_USUAL: Mapping[str, Any] = MappingProxyType(
    {"name": "default", "text": EXAMPLE_PROMPT, "boolean": True, "integer": 1, "number": 0.5, "seconds": 5}
)
_NO_PARTS: Mapping[str, Any] = MappingProxyType({})
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _same(value: Any) -> Any:
    return value


def _no_urls(value: Any) -> tuple[Any, ...]:  # noqa: ARG001 - one of several
    return ()


def _no_change(value: Any, change: Callable[[Any], Any]) -> Any:
    del change
    return value


def _no_advice(parameter: Parameter, value: Any) -> Iterator[Problem]:  # noqa: ARG001 - one of several
    return iter(())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


@dataclass(frozen=True)
class Part:
    """One member of the objects in a list, where each stands at a place of its own in the body.

    Attributes:
        fits: returns whether a value of a JSON body can be read.
        missing: stands for one that a body lacks.
    """

    fits: Callable[[Any], bool]
    missing: Any


@dataclass(frozen=True)
class Kind:
    """One type of parameter.

    Attributes:
        check: yields the reasons for which the service would refuse a value.
        advise: yields what may not work out as meant, although the service takes it.
        read: returns the value out of the forms in which callers and the service write it.
        write: returns the value as JSON.
        fits: returns whether a value of a JSON body can be read.
        urls: returns the URLs in a value that the service is going to fetch.
        with_urls: returns a value with what a function makes of each URL in it, of what is none too.
        parse: returns the value of a text, such as a cell of a CSV file. Raises ValueError.
        parts: the members of each object, of a list of objects.
        empty: the value of a field that is not set and has no default.
        is_list: whether one value is a list.
    """

    check: Callable[[Parameter, Any, Model], Iterator[Problem]]
    advise: Callable[[Parameter, Any], Iterator[Problem]] = _no_advice
    read: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same
    fits: Callable[[Any], bool] = _is_text
    urls: Callable[[Any], tuple[Any, ...]] = _no_urls
    with_urls: Callable[[Any, Callable[[Any], Any]], Any] = _no_change
    parse: Callable[[str], Any] = _same
    parts: Mapping[str, Part] = field(default_factory=lambda: _NO_PARTS)
    empty: Any = None
    is_list: bool = False


def _name(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if is_blank(value):
        yield refused(parameter.name, value, _blank(parameter), example(parameter))


def _text(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if parameter.required and says_nothing(value):
        yield refused(parameter.name, value, _blank(parameter), tr(EXAMPLE_PROMPT))
    else:
        yield from length(parameter.name, value, parameter.most)


def _choice(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if not any(is_same(value, choice) for choice in parameter.choices):
        limit = tr(NOT_ONE_OF).format(values=listed(parameter.choices))
        yield refused(parameter.name, value, limit, example(parameter))


def _seconds(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    choices = parameter.choices
    if not choices:
        if not is_length(value):
            yield refused(parameter.name, value, tr("is not a whole number of seconds"), EXAMPLE_SECONDS)
    elif not is_integer(value) or value not in choices:
        limit = tr("is not one of {values} (whole seconds) that {model} renders")
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
        limit = tr(NO_NUMBER).format(low=low, high=high)
        yield refused(parameter.name, value, limit, example(parameter))


def _boolean(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    if not isinstance(value, bool):
        yield refused(parameter.name, value, tr("is neither True nor False"), parameter.example is not False)


def _url(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    del model
    yield from public(parameter.name, value, str(parameter.example))


def _urls(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    if not isinstance(value, tuple):
        yield refused(parameter.name, value, tr("is not a URL"), example(parameter))
        return
    for url in value:
        yield from public(parameter.name, url, str(parameter.example))
    if parameter.most and len(value) > parameter.most:
        many = tr("{field}: {count} given, and {model} takes at most {most}.")
        message = (tr(parameter.refusal) if parameter.refusal else many).format(
            field=parameter.name, count=len(value), model=model.name, most=parameter.most
        )
        yield Problem(parameter.name, message)


def _blank(parameter: Parameter) -> str:
    return tr(parameter.refusal) if parameter.refusal else tr("is blank")


def example(parameter: Parameter) -> Any:
    """Return a value that would do."""
    if parameter.type in ("url", "urls"):
        return f"{EXAMPLE_URL}{parameter.example or parameter.name}"
    known = (
        parameter.example,
        parameter.default,
        *parameter.choices,
        *parameter.range,
        _USUAL.get(parameter.type),
    )
    return next((value for value in known if value not in (None, "")), None)


def parsed(parameter: Parameter, text: str) -> Any:
    """Return the value of a text, such as a cell of a CSV file or an option of a magic.

    Raises:
        ValueError: it cannot be read.
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


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(url, str) for url in value))


def _is_named_or_object(value: object) -> bool:
    return isinstance(value, str | dict)


def _is_objects(value: object) -> bool:
    return isinstance(value, dict | list)


def _truth(text: str) -> bool:
    try:
        return _TRUTH[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _json(text: str) -> Any:
    """Return the parts that JSON names; another text is the name of a preset, or a problem."""
    try:
        return json.loads(text) if text[:1] in ("[", "{") else text
    except RecursionError:
        raise ValueError(text[:80]) from None


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
        "boolean": Kind(_boolean, read=as_plain, fits=_is_truth, parse=_truth),
        "url": Kind(_url, urls=lambda value: (value,), with_urls=lambda value, change: change(value)),
        "urls": Kind(
            _urls,
            read=as_tuple,
            write=list,
            fits=_is_texts,
            parse=str.split,
            urls=lambda value: value if isinstance(value, tuple) else (),
            with_urls=compound.with_urls,
            empty=(),
            is_list=True,
        ),
        "camera": Kind(
            compound.check_camera,
            compound.advise_camera,
            read=as_camera,
            write=_as_dict,
            fits=_is_named_or_object,
            parse=_json,
        ),
        "masks": Kind(
            compound.check_masks,
            read=lambda value: as_tuple(value, as_mask),
            write=_as_dicts,
            fits=_is_objects,
            parse=_json,
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
            fits=_is_objects,
            parse=_json,
            parts={"prompt": Part(_is_text, ""), "duration": Part(is_integer, 0)},
            empty=(),
            is_list=True,
        ),
    }
)
"""Every type that a description may name."""


def unset(parameter: Parameter, default: Any) -> Any:
    """Return the value of a field that is not set: the default, or what is empty for its type."""
    return KINDS[parameter.type].empty if default is None else default
