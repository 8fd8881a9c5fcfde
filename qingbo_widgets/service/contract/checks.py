"""``check``: the reasons for which the service would refuse a request.

The rules are data (``models/``); this module applies them to the values of one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import HIDDEN, holds_key, texts_in
from .examples import example, example_of_member, unset
from .kinds import KINDS
from .limits import is_blank
from .not_taken import not_taken
from .problem import Problem, assigned, models_in_words, refused, refused_as, shown, without
from .resolve import Resolved, resolve
from .rules import RULES
from .schema import Constraint, Models, Parameter, changed
from .values import is_same, is_set

__all__ = ["check"]

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
    return (*resolved.problems, *(resolved.as_given_in(problem) for problem in _problems(resolved)))


def _problems(resolved: Resolved) -> Iterator[Problem]:
    values, models, model = resolved.values, resolved.models, resolved.model
    active, limited = model.active(values), model.limited(values)
    # A value that is valid beside others has its own problems too; one that is to be left out has not.
    kept = {name for constraint in active if constraint.suggest for name in constraint.forbid}
    unchecked = model.unsent(values) - kept
    checked = [parameter for name, parameter in model.parameters.items() if name not in unchecked]
    yield from _leaked_keys(values)
    for parameter in checked:
        if parameter.type in _NAMES:
            yield from _checked(parameter, resolved, limited, active)
    yield from not_taken(resolved)
    yield from _forbidden(resolved, active)
    for parameter in checked:
        if parameter.type not in _NAMES:
            yield from _checked(parameter, resolved, limited, active)
        yield from _required(parameter, values, active, models)
    for rule in model.rules:
        yield from RULES[rule](values, model, resolved.sources)


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
        limit = limit.format(contract=models.contract, models=models_in_words(able))
        return (refused("model", name, limit, able[0]),)
    text = tr(
        "model: {model} is not in contract {contract}, and none of its models supports the whole request."
    )
    return (Problem("model", text.format(model=shown(name), contract=models.contract)), *others)


def _leaked_keys(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each field with an API key: the service and the library store prompts."""
    for name, value in values.items():
        if holds_key(value):
            text = tr("{field}: it contains the API key, so the request is not sent. Remove the key.")
            yield Problem(name, text.format(field=name))
        elif any(HIDDEN in text for text in texts_in(value)):
            text = tr("{field}: {hidden} marks where an API key was removed. Replace it with what you meant.")
            yield Problem(name, text.format(field=name, hidden=HIDDEN))


def _checked(
    parameter: Parameter, resolved: Resolved, limited: Mapping[str, Parameter], active: Iterable[Constraint]
) -> Iterator[Problem]:
    """Yield the problems of one value, first by itself, then within the limits of the active constraints."""
    name, value = parameter.name, resolved.values.get(parameter.name)
    limits, is_taken = limited.get(name, parameter), name in resolved.model.parameters
    if not is_set(value) and is_taken and limits.required and not _reports_blanks(parameter):
        yield unset(parameter, _example_value(limits))
    elif is_set(value) or (is_taken and (parameter.always or parameter.required)):
        yield from _problems_of(parameter, limits, resolved, active)


def _reports_blanks(parameter: Parameter) -> bool:
    """Return whether the check of the type has a message for a missing value: a prompt, a name."""
    return parameter.type in ("text", "name")


def _example_value(parameter: Parameter) -> Any:
    value = example_of_member(parameter)
    return [value] if parameter.type == "urls" and not isinstance(value, list) else value


def _problems_of(
    parameter: Parameter, limits: Parameter, resolved: Resolved, active: Iterable[Constraint]
) -> Iterator[Problem]:
    """Yield the problems of a value; if only active constraints refuse it, with their sentences."""
    name, value, model = parameter.name, resolved.values.get(parameter.name), resolved.model
    check = KINDS[parameter.type].check
    problems = tuple(check(limits, value, model))
    if name in resolved.derived:
        return  # a problem of the values that it follows from
    if any(check(parameter, value, model)):
        yield from (_with_other_models(problem, value, resolved) for problem in problems)
    elif problems:
        refusing = [
            one
            for one in active
            if one.refusal
            and name in one.limit
            and any(check(changed(parameter, one.limit[name]), value, model))
        ]
        # What one of them suggests does not help against the others.
        final = [one for one in refusing if not one.suggest] or refusing
        yield from (_limited_by(constraint, limits, resolved) for constraint in final)
        yield from () if final else problems


def _with_other_models(problem: Problem, value: Any, resolved: Resolved) -> Problem:
    """Return a problem of a value together with the models that take it and everything else that is set."""
    accepting, fields = resolved.models.accepting(problem.field, value), resolved.set_fields
    others = [name for name in accepting if fields <= resolved.models[name].parameters.keys()]
    if not others or not resolved.model.name:
        return problem
    text = tr("{sentence} Models that take it: {models}.")
    message = text.format(sentence=problem.message, models=models_in_words(others))
    return Problem(problem.field, message, problem.number)


def _limited_by(constraint: Constraint, limits: Parameter, resolved: Resolved) -> Problem:
    """Return the problem of a value that is valid except for a constraint, in the constraint's sentence."""
    name, value = limits.name, resolved.values[limits.name]
    most = limits.most or limits.limits.get("count", (0, 0))[1]
    if constraint.suggest:
        example = assigned(resolved.in_given_names(constraint.suggest))
    elif isinstance(value, tuple):
        example = str(most)
    else:
        example = shown(limits.choices[0] if limits.choices else limits.default)
    if not isinstance(value, tuple):
        return refused_as(name, shown(value), tr(constraint.refusal), example)
    limit, *_, last = tr(constraint.refusal), *resolved.sources(name)
    if last != name and not constraint.suggest:
        text = tr("{field}: {own} has {count} with it, but it {limit}; leave {field} out.")
        return Problem(last, text.format(field=last, own=name, count=len(value), limit=limit))
    text = tr("{field}: {count} given, but it {limit}; try {example}.")
    return Problem(name, text.format(field=name, count=len(value), limit=limit, example=example))


def _forbidden(resolved: Resolved, active: Iterable[Constraint]) -> Iterator[Problem]:
    model, values = resolved.model, resolved.values
    forbidden = [(constraint, name) for constraint in active for name in constraint.forbid]
    for constraint, name in forbidden:
        if name not in model.parameters:
            continue  # reported as a field that the model does not take
        value, default = values.get(name), model.default(name)
        is_text = model.parameters[name].type == "text" and isinstance(value, str)
        is_blank_text = is_text and is_blank(value)
        if not is_set(value) or is_blank_text or is_same(value, default):
            continue
        reason = tr(constraint.refusal) if constraint.refusal else _combination(constraint)
        own, given = resolved.as_given(name)
        if constraint.suggest:
            changes = resolved.in_given_names(constraint.suggest)
            yield refused_as(own, shown(given), reason, assigned(changes))
        elif default is None or default == "":
            yield without(own, given, reason)
        else:
            yield refused(own, given, reason, default)


def _combination(constraint: Constraint) -> str:
    return tr("cannot be combined with {fields}").format(fields=tr(" and ").join(constraint.deciding))


def _required(
    parameter: Parameter,
    values: Mapping[str, Any],
    active: Iterable[Constraint],
    models: Models,
) -> Iterator[Problem]:
    for constraint in active:
        needed = constraint.require if parameter.name == constraint.deciding[0] else ""
        if needed and not is_set(values.get(needed)):
            message = tr("{field}: {value} {reason} (for example {example}), or leave {field} out.")
            changes = constraint.suggest or {needed: example(models.parameters[needed])}
            reason = (
                tr(constraint.refusal)
                if constraint.refusal
                else tr("needs {field} too; set it").format(field=needed)
            )
            value = shown(values[parameter.name])
            yield Problem(
                parameter.name,
                message.format(field=parameter.name, value=value, reason=reason, example=assigned(changes)),
            )
