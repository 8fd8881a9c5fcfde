"""The checks of a request: problems that the service would refuse (``check``) and warnings (``advise``).

The rules are data (``models/``); this module applies them to the values of one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import HIDDEN, holds_key, texts_in
from .kinds import KINDS, example, example_of_member, unset
from .limits import is_blank
from .models import contracts, models_of
from .problem import Problem, refused, shown, without
from .resolve import Resolved, resolve
from .rules import RULES
from .schema import Constraint, Model, Models, Parameter
from .urls import is_private_host, is_web_url
from .values import is_same, is_set

__all__ = ["advise", "check"]

_MOST_NAMED = 4
_NAMES = ("name", "choice")
"""Types that are checked first, because the other checks depend on the model and the operation."""


def check(explicit: Mapping[str, Any], models: Models) -> tuple[Problem, ...]:
    """Return the reasons for which the service would refuse a request.

    Args:
        explicit: the fields that are set, including the model.
        models: the models of the request's contract.
    """
    if isinstance(explicit["model"], str) and explicit["model"] in models.retired:
        return _of_retired(explicit, models)
    resolved = resolve(explicit, models)
    return (*resolved.problems, *(_renamed(problem, resolved) for problem in _problems(resolved)))


def advise(
    explicit: Mapping[str, Any], models: Models, *, local_service: bool = False
) -> tuple[Problem, ...]:
    """Return warnings about a request that the service accepts but that may not do what the user intends.

    Args:
        explicit: as for ``check``.
        models: as for ``check``.
        local_service: whether the server runs on this machine, where it reaches private addresses too.
    """
    resolved = resolve(explicit, models)
    values, model = resolved.values, resolved.model
    private = () if local_service else _unreachable(values, model)
    warnings = (
        *_unknown(values, models),
        *_replaced_duration(explicit, resolved),
        *_not_sent(values, model),
        *private,
        *_advice_of_maker(values, model),
    )
    return tuple(_renamed(warning, resolved) for warning in warnings)


def _renamed(problem: Problem, resolved: Resolved) -> Problem:
    """Return a problem under the name that the caller used for the field."""
    name = resolved.names.get(problem.field)
    if name is None:
        return problem
    text = tr("{field}: it is {own} in contract {contract}. {message}")
    contract, own = resolved.models.contract, problem.field
    message = text.format(field=name, own=own, contract=contract, message=problem.message)
    return Problem(name, message, problem.number)


def _problems(resolved: Resolved) -> Iterator[Problem]:
    values, models, model = resolved.values, resolved.models, resolved.model
    active, unsent, limited = model.active(values), model.unsent(values), model.limited(values)
    known = {**models.parameters, **model.parameters}
    checked = [parameter for name, parameter in known.items() if name not in unsent]
    yield from _leaked_keys(values)
    for parameter in checked:
        if parameter.type in _NAMES:
            yield from _checked(parameter, values, model, limited, active)
    yield from _not_taken(values, model, models)
    yield from _forbidden(values, active, model)
    for parameter in checked:
        if parameter.type not in _NAMES:
            yield from _checked(parameter, values, model, limited, active)
        yield from _required(parameter, values, active, known)
    for rule in model.rules:
        yield from RULES[rule](values)


def _of_retired(explicit: Mapping[str, Any], models: Models) -> tuple[Problem, ...]:
    """Return the problems of a request for a model that the service no longer has.

    The first names the models that can do the same. If none can, the others say why the default model cannot.
    """
    name, default = explicit["model"], models.parameters["model"].default
    successor = models.retired[name]
    others = check({**explicit, "model": successor or default}, models)
    if successor:
        limit = tr("is now called {model}").format(model=successor)
        return (refused("model", name, limit, successor), *others)
    able = [other for other in models if not check({**explicit, "model": other}, models)]
    if able:
        able.sort(key=lambda other: other != default)
        limit = tr("is not in contract {contract}; {models} can do the same")
        limit = limit.format(contract=models.contract, models=_named(able))
        return (refused("model", name, limit, able[0]),)
    text = tr("model: {model} is not in contract {contract}, and no model of it can do all of this.")
    return (Problem("model", text.format(model=shown(name), contract=models.contract)), *others)


def _leaked_keys(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each field with an API key: the service and the library store prompts."""
    for name, value in values.items():
        if holds_key(value):
            text = tr("{field}: it contains the API key. Remove it; the request is not sent with it.")
            yield Problem(name, text.format(field=name))
        elif any(HIDDEN in text for text in texts_in(value)):
            text = tr("{field}: {hidden} marks where an API key was removed. Replace it with what you meant.")
            yield Problem(name, text.format(field=name, hidden=HIDDEN))


def _checked(
    parameter: Parameter,
    values: Mapping[str, Any],
    model: Model,
    limited: Mapping[str, Parameter],
    active: Iterable[Constraint],
) -> Iterator[Problem]:
    """Yield the problems of one value, first by itself, then within the limits of the active constraints."""
    name, value, limits = parameter.name, values.get(parameter.name), limited.get(parameter.name, parameter)
    is_taken = name in model.parameters
    if not is_set(value) and is_taken and limits.required and not _reports_blanks(parameter):
        yield unset(parameter, _example_value(limits))
    elif is_set(value) or (is_taken and (parameter.always or parameter.required)):
        yield from _problems_of(value, parameter, limits, model, active)


def _reports_blanks(parameter: Parameter) -> bool:
    """Return whether the check of the type has a message for a missing value: a prompt, a name."""
    return parameter.type in ("text", "name")


def _example_value(parameter: Parameter) -> Any:
    value = example_of_member(parameter)
    return [value] if parameter.type == "urls" and not isinstance(value, list) else value


def _problems_of(
    value: Any, parameter: Parameter, limits: Parameter, model: Model, active: Iterable[Constraint]
) -> Iterator[Problem]:
    """Yield the problems of a value; if only the active constraints refuse it, with their sentence."""
    check = KINDS[parameter.type].check
    problems = tuple(check(limits, value, model))
    sentence = next((one.refusal for one in active if parameter.name in one.limit and one.refusal), "")
    if problems and sentence and not any(check(parameter, value, model)):
        yield refused(parameter.name, value, tr(sentence), _valid_value(limits, value))
    else:
        yield from problems


def _valid_value(limits: Parameter, value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value[: limits.most])
    return limits.choices[0] if limits.choices else limits.default


def _not_taken(values: Mapping[str, Any], model: Model, models: Models) -> Iterator[Problem]:
    for name, value in values.items():
        if not is_set(value) or name in model.parameters:
            continue
        if others := models.taking(name):
            message = tr(
                "{field}: {value} is set, but {model} does not take it ({models} would); leave {field} out."
            )
            message = message.format(
                field=name, value=shown(value), model=values["model"], models=_named(others)
            )
        else:
            message = tr(
                "{field}: {value} is set, but contract {contract} has no such parameter; leave {field} out."
            )
            message = message.format(field=name, value=shown(value), contract=models.contract)
        yield Problem(name, message)


def _named(models: Sequence[str]) -> str:
    """Return the names of models in a sentence, at most four of them."""
    first = (tr(" and ") if len(models) == 2 else ", ").join(models[:_MOST_NAMED])
    more = len(models) - _MOST_NAMED
    return tr("{models} and {count} more").format(models=first, count=more) if more > 0 else first


def _forbidden(values: Mapping[str, Any], active: Iterable[Constraint], model: Model) -> Iterator[Problem]:
    for constraint in active:
        for name in constraint.forbid:
            if name not in model.parameters:
                continue  # reported as a field that the model does not take
            value, default = values.get(name), model.default(name)
            is_text = model.parameters[name].type == "text" and isinstance(value, str)
            is_blank_text = is_text and is_blank(value)
            if is_set(value) and not is_blank_text and not is_same(value, default):
                reason = tr(constraint.refusal) if constraint.refusal else _combination(constraint)
                yield (
                    without(name, value, reason) if default is None else refused(name, value, reason, default)
                )


def _combination(constraint: Constraint) -> str:
    return tr("cannot be combined with {fields}").format(fields=tr(" and ").join(constraint.deciding))


def _required(
    parameter: Parameter,
    values: Mapping[str, Any],
    active: Iterable[Constraint],
    known: Mapping[str, Parameter],
) -> Iterator[Problem]:
    for constraint in active:
        needed = constraint.require if parameter.name == constraint.deciding[0] else ""
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
    if isinstance(name, str) and name not in models and name not in models.retired and name.strip():
        message = tr("model: {value} is not in this catalogue; it is sent unchanged.")
        others = (contract for contract in contracts() if name in models_of(contract))
        if other := next(others, None):
            message = tr(
                "model: {value} is a model of contract {other}, and this is contract {contract}; it is sent "
                "unchanged."
            )
        message = message.format(value=shown(name), other=other, contract=models.contract)
        if not other and (suggestion := models.closest(name)):
            message += " " + tr("Did you mean {model}?").format(model=suggestion)
        yield Problem("model", message)
    is_open = models.parameters["action"].type == "name"
    if is_open and (not isinstance(action, str) or action != "generate"):
        message = tr("action: {value} is not documented; generate is.")
        yield Problem("action", message.format(value=shown(action)))


def _replaced_duration(explicit: Mapping[str, Any], resolved: Resolved) -> Iterator[Problem]:
    """Yield a warning if the shots of April replace a duration that the caller set, as they do in April."""
    given, sent = explicit.get("duration"), resolved.values.get("duration")
    has_shots = "shots" in resolved.models.spellings and "shots" in explicit
    if has_shots and is_set(given) and not is_same(given, sent):
        yield Problem("duration", tr("duration: it is not sent, the durations of the shots decide."))


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
