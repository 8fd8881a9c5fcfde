"""``not_taken``: the problems of fields that the request's model, or its contract, does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...i18n import tr
from .kinds import KINDS
from .models import contracts, models_of
from .objects import completed
from .older_names import in_older_names
from .problem import Problem, assigned, models_in_words, shown
from .resolve import Resolved
from .schema import Models
from .values import Shot, is_set

__all__ = ["not_taken"]


def not_taken(resolved: Resolved) -> Iterator[Problem]:
    """Yield the problems of fields that are set, but that the model does not take."""
    models, model = resolved.models, resolved.model
    for name, value in resolved.values.items():
        if not is_set(value) or name in model.parameters:
            continue
        own, given = resolved.as_given(name)
        elsewhere = list(_contracts_with(name, resolved))
        same_model = [other for other in elsewhere if _takes(other, resolved, name)]
        other = next(iter(same_model or elsewhere), None)
        changes = {} if other is None else _in_own_names(name, value, resolved, other)
        takers = models if name in models.parameters or other is None else other
        message = _message(is_parameter=name in models.parameters, other=other, changes=changes)
        if same_model and not changes:
            message = _message_with_the_model(is_parameter=name in models.parameters)
        yield Problem(
            own,
            message.format(
                field=own,
                value=shown(given),
                model=resolved.values["model"],
                models=models_in_words(takers.taking(name)),
                contract=models.contract,
                other=other and other.contract,
                changes=assigned(changes),
            ),
        )


def _message(*, is_parameter: bool, other: Models | None, changes: dict[str, Any]) -> str:
    """Return the message about a field that this contract's model does not take."""
    if is_parameter:
        return tr(
            "{field}: {value} is set, but {model} does not take it; leave {field} out. Models that take it: "
            "{models}."
        )
    if other is None:
        return tr(
            "{field}: {value} is set, but contract {contract} has no such parameter; leave {field} out."
        )
    if changes:
        return tr(
            "{field}: {value} is set, but it is a parameter of contract {other}, not {contract}; use "
            "{changes} instead."
        )
    return tr(
        "{field}: {value} is set, but it is a parameter of contract {other} (for {models}), not {contract}; "
        "leave {field} out."
    )


def _message_with_the_model(*, is_parameter: bool) -> str:
    """Return the message about a field that the same model takes in another contract."""
    if is_parameter:
        return tr(
            "{field}: {value} is set, but {model} does not take it; leave {field} out. Models that take it: "
            "{models}, and {model} in contract {other}."
        )
    return tr(
        "{field}: {value} is set, but it is a parameter of contract {other}, not {contract}; leave {field} "
        "out, or use contract {other}."
    )


def _contracts_with(name: str, resolved: Resolved) -> Iterator[Models]:
    """Yield the models of each other contract that has a parameter, the newest contract first."""
    for contract in reversed(contracts()):
        if contract != resolved.models.contract and name in models_of(contract).parameters:
            yield models_of(contract)


def _takes(models: Models, resolved: Resolved, name: str) -> bool:
    """Return whether the request's model takes a parameter in another contract; an unlisted one may."""
    model = resolved.values["model"]
    is_listed = model in resolved.models or (isinstance(model, str) and model in models.retired)
    return (model in models or not is_listed) and name in models.of(model).parameters


def _in_own_names(name: str, value: Any, resolved: Resolved, other: Models) -> dict[str, Any]:
    """Return fields of this contract that say the same; none unless the model takes them."""
    if name in resolved.models.parameters:
        return {}
    older = in_older_names(resolved.models, {name: completed(other.parameters[name], value)})
    model = resolved.model
    for own, meaning in older.items():
        parameter = model.parameters.get(own)
        if parameter is None or any(KINDS[parameter.type].check(parameter, meaning, model)):
            return {}
    return {own: _as_typed(meaning) for own, meaning in older.items()}


def _as_typed(value: Any) -> Any:
    """Return shots as a user types them."""
    if isinstance(value, tuple) and all(isinstance(part, Shot) for part in value):
        return [(shot.prompt, shot.duration) for shot in value]
    return value
