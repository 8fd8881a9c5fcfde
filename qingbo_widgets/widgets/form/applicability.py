"""The fields that belong to a request, and the limits that other fields set for each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ...service.contract.rules import DERIVED
from ...service.contract.schema import Model, Parameter, changed
from .form_fields import FormFields
from .traits import are_identical

__all__ = ["Applicability"]


class _Known(NamedTuple):
    """The constraints of a model, evaluated for the values that they depend on.

    Attributes:
        model: the model.
        deciding: the fields that the constraints depend on.
        values: their values.
        active: the fields that belong to the request.
        limited: the descriptions of the fields that constraints limit or require.
        derivable: the functions that give the values of fields that follow from others.
    """

    model: Model | None = None
    deciding: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    active: frozenset[str] = frozenset()
    limited: Mapping[str, Parameter] = {}
    derivable: Mapping[str, str] = {}


class Applicability:
    """The constraints of a form's model, evaluated for the values of the form.

    Args:
        form: the form.
    """

    def __init__(self, form: FormFields) -> None:
        self._form = form
        self._known = _Known()

    @property
    def active(self) -> frozenset[str]:
        """The fields that belong to the request, or would if they did not follow from others."""
        return self._current().active

    @property
    def limited(self) -> Mapping[str, Parameter]:
        """The fields that other fields limit or require: each with its description within these limits."""
        return self._current().limited

    @property
    def derived(self) -> Mapping[str, Any]:
        """The values of fields that follow from others, such as the duration from those of the shots."""
        if not _derived_at_times(self._model):
            return {}
        known = self._current()
        if not known.derivable:
            return {}
        values = {name: getattr(self._form, name) for name in known.active}
        derived = {name: DERIVED[function](values) for name, function in known.derivable.items()}
        return {name: value for name, value in derived.items() if value is not None}

    def counts(self, name: str) -> bool:
        """Return True if the field belongs to the request, given the model and the other fields."""
        return name in self.active and name not in self.derived

    def limited_parameter(self, name: str) -> Parameter | None:
        """Return a field's description within the limits of other fields; ``None`` if there are none."""
        return self.limited.get(name) if name in _limited_at_times(self._model) else None

    def unavailable(self, name: str) -> str:
        """Return the reason why a field cannot be set, or a switch not be turned, as a predicate."""
        form = self._form
        if not self.counts(name) and form.takes(name):
            active = self._model.active(self._values())
            return next((rule.refusal for rule in active if name in rule.forbid and not rule.instead), "")
        limited = self.limited_parameter(name)
        if limited is None or limited.type != "boolean" or bool(getattr(form, name)) not in limited.choices:
            return ""
        active = self._model.active(self._values())
        return next((rule.refusal for rule in active if name in rule.limit and rule.refusal), "")

    def omit_note(self, name: str) -> str:
        """Return the sentence that explains why the field does not apply; empty if there is none."""
        active = self._model.active(self._values())
        unsent = (rule for rule in active if name in rule.omit or name in rule.forbid)
        return next((rule.instead for rule in unsent if rule.instead), "")

    @property
    def _model(self) -> Model:
        return self._form.models.of(self._form.model)

    def _values(self) -> dict[str, Any]:
        """Return the values of the fields that the model takes."""
        return {name: getattr(self._form, name) for name in self._model.parameters}

    def _current(self) -> _Known:
        """Return what applies now; it is computed again only after a value that decides it has changed."""
        model, known = self._model, self._known
        deciding = known.deciding
        if known.model is not model:
            deciding = tuple(
                {name for rule in model.constraints for name in rule.deciding if name in model.parameters}
            )
        values = tuple(getattr(self._form, name) for name in deciding)
        if known.model is not model or not are_identical(values, known.values):
            decided = dict(zip(deciding, values, strict=True))
            active, limited = frozenset(model.parameters) - model.unsent(decided), _limited(model, decided)
            derivable = {
                name: parameter.derived
                for name, parameter in model.parameters.items()
                if parameter.derived and name in active and name not in limited
            }
            # Replaced whole, because messages are made on other threads too.
            known = self._known = _Known(model, deciding, values, active, limited, derivable)
        return known


@lru_cache(maxsize=100)
def _limited_at_times(model: Model) -> frozenset[str]:
    """Return the parameters of a model that some values of other parameters limit or require."""
    return frozenset(
        name for rule in model.constraints for name in (*rule.limit, rule.require) if name in model.parameters
    )


@lru_cache(maxsize=100)
def _derived_at_times(model: Model) -> bool:
    """Return True if a parameter of a model may follow from others."""
    return any(parameter.derived for parameter in model.parameters.values())


def _limited(model: Model, values: Mapping[str, Any]) -> dict[str, Parameter]:
    """Return the parameters that constraints limit or require with these values, as they are then."""
    limited = model.limited(values)
    for rule in model.active(values):
        if rule.require in model.parameters:
            parameter = limited.get(rule.require, model.parameters[rule.require])
            limited[rule.require] = changed(parameter, {"required": True})
    return limited
