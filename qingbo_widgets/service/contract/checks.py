"""The checks of a request: problems that the service would refuse (``check``) and warnings (``advise``).

The rules are data (``models/``); this module applies them to the values of one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import HIDDEN, holds_key, texts_in
from .kinds import KINDS, example
from .limits import is_blank
from .problem import Problem, refused, shown
from .schema import Constraint, Model, Models, Parameter
from .urls import is_private_host, is_web_url
from .values import is_same, is_set

__all__ = ["advise", "check"]

_NAMES = ("name", "choice")
"""Types that are checked first, because the other checks depend on the model and the operation."""


def check(values: Mapping[str, Any], models: Models) -> tuple[Problem, ...]:
    """Return the reasons for which the service would refuse a request.

    Args:
        values: the request's fields, with defaults for those that are not set.
        models: the models of the request's contract.
    """
    return tuple(_problems(values, models))


def advise(values: Mapping[str, Any], models: Models, *, local_service: bool = False) -> tuple[Problem, ...]:
    """Return warnings about a request that the service accepts but that may not do what the user intends.

    Args:
        values: as for ``check``.
        models: as for ``check``.
        local_service: whether the server runs on this machine, where it reaches private addresses too.
    """
    model = models.of(values["model"])
    private = () if local_service else _unreachable(values, model)
    return (*_unknown(values, models), *_not_sent(values, model), *private, *_advice_of_maker(values, model))


def _problems(values: Mapping[str, Any], models: Models) -> Iterator[Problem]:
    model = models.of(values["model"])
    active, unsent = model.active(values), model.unsent(values)
    known = {**models.parameters, **model.parameters}
    checked = [parameter for name, parameter in known.items() if name not in unsent]
    yield from _leaked_keys(values)
    for parameter in checked:
        if parameter.type in _NAMES:
            yield from _checked(parameter, values, model)
    yield from _not_taken(values, model, models)
    yield from _forbidden(values, active, model)
    for parameter in checked:
        if parameter.type not in _NAMES:
            yield from _checked(parameter, values, model)
            yield from _required(parameter, values, active, known)


def _leaked_keys(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each field with an API key: the service and the library store prompts."""
    for name, value in values.items():
        if holds_key(value):
            text = tr("{field}: it contains the API key. Remove it; the request is not sent with it.")
            yield Problem(name, text.format(field=name))
        elif any(HIDDEN in text for text in texts_in(value)):
            text = tr("{field}: {hidden} marks where an API key was removed. Replace it with what you meant.")
            yield Problem(name, text.format(field=name, hidden=HIDDEN))


def _checked(parameter: Parameter, values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    value, is_taken = values.get(parameter.name), parameter.name in model.parameters
    if is_set(value) or (is_taken and (parameter.always or parameter.required)):
        yield from KINDS[parameter.type].check(parameter, value, model)


def _not_taken(values: Mapping[str, Any], model: Model, models: Models) -> Iterator[Problem]:
    for name, value in values.items():
        if not is_set(value) or name in model.parameters:
            continue
        if others := models.taking(name):
            message = tr(
                "{field}: {value} is set, but {model} does not take it ({models} would); leave {field} out."
            )
            names = tr(" and ").join(others)
            message = message.format(field=name, value=shown(value), model=values["model"], models=names)
        else:
            message = tr(
                "{field}: {value} is set, but contract {contract} has no such parameter; leave {field} out."
            )
            message = message.format(field=name, value=shown(value), contract=models.contract)
        yield Problem(name, message)


def _forbidden(values: Mapping[str, Any], active: Iterable[Constraint], model: Model) -> Iterator[Problem]:
    for constraint in active:
        for name in constraint.forbid:
            value, default = values.get(name), model.default(name)
            is_blank_text = isinstance(value, str) and is_blank(value)
            if is_set(value) and not is_blank_text and not is_same(value, default):
                reason = tr(constraint.refusal) if constraint.refusal else _combination(constraint)
                yield refused(name, value, reason, "" if default is None else default)


def _combination(constraint: Constraint) -> str:
    return tr("cannot be combined with {fields}").format(fields=tr(" and ").join(constraint.when))


def _required(
    parameter: Parameter,
    values: Mapping[str, Any],
    active: Iterable[Constraint],
    known: Mapping[str, Parameter],
) -> Iterator[Problem]:
    for constraint in active:
        needed = constraint.require if parameter.name == next(iter(constraint.when)) else ""
        if needed and not is_set(values.get(needed)):
            message = tr("{field}: {value} {reason} (for example {example}), or leave {field} out.")
            reason = (
                tr(constraint.refusal)
                if constraint.refusal
                else tr("needs {field} too; set it").format(field=needed)
            )
            value, example_text = shown(values[parameter.name]), shown(example(known[needed]))
            yield Problem(
                parameter.name,
                message.format(field=parameter.name, value=value, reason=reason, example=example_text),
            )


def _unknown(values: Mapping[str, Any], models: Models) -> Iterator[Problem]:
    name, action = values["model"], values["action"]
    if isinstance(name, str) and name not in models and name.strip():
        message = tr("model: {value} is not in this catalogue; it is sent unchanged.").format(
            value=shown(name)
        )
        if suggestion := models.closest(name):
            message += " " + tr("Did you mean {model}?").format(model=suggestion)
        yield Problem("model", message)
    if not isinstance(action, str) or action != "generate":
        message = tr("action: {value} is not documented; generate is.")
        yield Problem("action", message.format(value=shown(action)))


def _not_sent(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    for constraint in model.active(values):
        for name in constraint.omit:
            if not is_same(values[name], model.default(name)):
                yield Problem(name, tr(constraint.note).format(field=name))


def _unreachable(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    for name, parameter in model.parameters.items():
        for url in KINDS[parameter.type].urls(values.get(name)):
            if is_web_url(url) and is_private_host(url):
                message = tr("{field}: {url} is on a private address that the service cannot reach.")
                yield Problem(name, message.format(field=name, url=shown(url)))


def _advice_of_maker(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    """Yield warnings about limits that only the model's maker documents."""
    for name, parameter in model.parameters.items():
        if is_set(values.get(name)):
            yield from KINDS[parameter.type].advise(parameter, values[name])
    for constraint in model.active(values):
        for name in constraint.avoid:
            if is_set(values.get(name)):
                yield Problem(next(iter(constraint.when)), tr(constraint.note).format(field=name))
