"""The traits of a form, created by the type of the parameter in its description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Float, Int, TraitType, Unicode

from ...service.contract.kinds import KINDS, value_if_unset
from ...service.contract.schema import Models, Parameter
from ...service.contract.values import is_same

__all__ = ["are_identical", "default_of", "is_at", "traits_of"]


class _Normalised(TraitType):  # type: ignore[type-arg]  # traitlets 5.7 cannot be subscripted
    """A trait that stores values as a request stores them."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the normalised value, or raise TraitError."""
        value = obj.normalise(self.name, value)
        check = getattr(super(), "validate", None)
        return value if check is None else check(obj, value)


class _Text(_Normalised, Unicode):  # type: ignore[type-arg]
    """Text, or None if the field may be unset."""


class _Integer(_Normalised, Int):  # type: ignore[type-arg]
    """A whole number."""


class _Number(_Normalised, Float):  # type: ignore[type-arg]
    """A number."""


class _Boolean(_Normalised, Bool):  # type: ignore[type-arg]
    """True or False, or None for the service's default."""


class _Value(_Normalised, AnyTrait):
    """Any value; an invalid value is shown as a problem."""


_TRAITS: Mapping[str, type[Any]] = {
    "name": _Text,
    "text": _Text,
    "choice": _Text,
    "url": _Text,
    "seconds": _Integer,
    "number": _Number,
    "boolean": _Boolean,
}


def traits_of(models: Models) -> dict[str, Any]:
    """Return the trait of each field of a contract."""
    return {name: _trait_of(parameter, models) for name, parameter in models.parameters.items()}


def _trait_of(parameter: Parameter, models: Models) -> Any:
    described = (model.parameters.get(parameter.name) for model in (*models.values(), models.other))
    # Models may describe the parameter differently.
    descriptions = (parameter, *(variant for variant in described if variant is not None))
    kind = _TRAITS.get(parameter.type, _Value) if _is_of_its_type(parameter, descriptions) else _Value
    default = default_of(parameter)
    # A picture in memory is no text until a manager has saved it.
    if kind is _Value or parameter.media or any(one.type != parameter.type for one in descriptions):
        return _Value(default, help=parameter.help)
    may_be_unset = any(default_of(variant) is None for variant in descriptions)
    return kind(default, allow_none=may_be_unset, help=parameter.help)


def _is_of_its_type(parameter: Parameter, descriptions: Iterable[Parameter]) -> bool:
    """Return True if the control can only produce values of the trait's type."""
    if parameter.type == "number":
        # Without either, the control is a text field, and text may not be a number.
        return parameter.example is not None or parameter.default is not None
    if parameter.type == "choice":
        return all(isinstance(choice, str) for variant in descriptions for choice in variant.choices)
    return parameter.type != "seconds" or bool(parameter.choices)


def default_of(parameter: Parameter) -> Any:
    """Return the value of a field that is not set."""
    return KINDS[parameter.type].read(value_if_unset(parameter, parameter.default))


def is_at(value: Any, default: Any) -> bool:
    """Return True if the value is the default; a number trait converts a default of 1 to 1.0."""
    return is_same(value, default) or (isinstance(value, float) and value == default)


def are_identical(values: Iterable[Any], others: Iterable[Any]) -> bool:
    """Compare values by identity, because arrays have no single ``==`` result, and because it is faster."""
    return all(value is other for value, other in zip(values, others, strict=True))
