"""The checks of simple values: names, texts, choices, numbers, URLs, and lists of choices and URLs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from ...i18n import tr
from . import limits
from .examples import example
from .problem import Problem, listed, refused
from .schema import Model, Parameter
from .values import is_integer, is_same

__all__ = [
    "check_boolean",
    "check_choice",
    "check_choices",
    "check_integer",
    "check_name",
    "check_number",
    "check_seconds",
    "check_text",
    "check_url",
    "check_urls",
]


def check_name(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a name: it is blank."""
    del model
    if limits.is_blank(value):
        yield refused(parameter.name, value, _blank_refusal(parameter), example(parameter))


def check_text(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a text: it is required and blank, or too long."""
    del model
    if parameter.required and limits.is_blank_prompt(value):
        yield refused(parameter.name, value, _blank_refusal(parameter), example(parameter))
    else:
        yield from limits.check_text(parameter.name, value, parameter.most)


def check_choice(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a value that is none of the choices."""
    if not parameter.choices:  # of an unlisted model
        yield from check_name(parameter, value, model)
    elif not any(is_same(value, choice) for choice in parameter.choices):
        limit = tr(limits.NOT_ONE_OF).format(values=listed(parameter.choices))
        yield refused(parameter.name, value, limit, _meant(parameter, value) or example(parameter))


def check_choices(parameter: Parameter, values: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a list of choices."""
    if not isinstance(values, tuple):
        yield refused(parameter.name, values, tr("is not a list"), [example(parameter)])
        return
    for value in values:
        yield from check_choice(parameter, value, model)
    if len(set(map(str, values))) < len(values):
        yield refused(parameter.name, values, tr("has an entry twice"), [example(parameter)])


def check_seconds(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a number of seconds that the model does not render."""
    choices, usual = parameter.choices, limits.EXAMPLE_SECONDS
    if not choices:
        if not limits.is_duration(value):
            yield refused(parameter.name, value, tr("is not a whole number of seconds"), usual)
    elif not is_integer(value) or value not in choices:
        limit = tr("is not a length that {model} renders ({values}, in whole seconds)")
        if choices == (0,):
            limit = tr("is not {values}: the input video decides the length")
        limit = limit.format(values=listed(choices), model=model.name)
        yield refused(parameter.name, value, limit, usual if usual in choices else choices[0])


def check_integer(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a whole number that is out of range."""
    del model
    low, high = parameter.range or (-math.inf, math.inf)
    if not parameter.range and not is_integer(value):
        yield refused(parameter.name, value, tr("is not a whole number"), example(parameter))
    elif not is_integer(value) or not limits.is_within(value, low, high):
        limit = tr("is not a whole number from {low:g} to {high:g}").format(low=low, high=high)
        yield refused(parameter.name, value, limit, example(parameter))


def check_number(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a number that is out of range."""
    del model
    low, high = parameter.range or (-math.inf, math.inf)
    if not parameter.range and not limits.is_finite(value):
        yield refused(parameter.name, value, tr("is not a number"), example(parameter))
    elif not limits.is_within(value, low, high):
        limit = tr(limits.NOT_IN_RANGE).format(low=low, high=high)
        yield refused(parameter.name, value, limit, example(parameter))


def check_boolean(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a value that is neither True nor False, or is not among the choices."""
    del model
    if not isinstance(value, bool):
        yield refused(parameter.name, value, tr("is neither True nor False"), example(parameter))
    elif parameter.choices and value not in parameter.choices:
        limit = tr(limits.NOT_ONE_OF).format(values=listed(parameter.choices))
        yield refused(parameter.name, value, limit, parameter.choices[0])


def check_url(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a URL that the service cannot fetch."""
    del model
    yield from limits.check_public_url(parameter.name, value, str(parameter.example))


def check_urls(parameter: Parameter, value: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a list of URLs: of each URL, and of their number."""
    if not isinstance(value, tuple):
        yield refused(parameter.name, value, tr("is not a URL"), example(parameter))
        return
    for number, url in enumerate(value, 1):
        for problem in limits.check_public_url(parameter.name, url, str(parameter.example)):
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


def _meant(parameter: Parameter, value: object) -> Any:
    """Return the choice that was written otherwise, such as ``4K`` or 1080 for a resolution, or ``None``."""
    typed = str(value).strip().casefold() if isinstance(value, str | int) else ""
    spelt = {choice: str(choice).casefold() for choice in parameter.choices}
    exact = (choice for choice, text in spelt.items() if text == typed)
    longer = (choice for choice, text in spelt.items() if typed and text.startswith(typed))
    return next(chain(exact, longer), None)


def _blank_refusal(parameter: Parameter) -> str:
    return tr(parameter.refusal) if parameter.refusal else tr("is blank")
