"""The traits of a form, each made by the type of its parameter in the description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Float, Int, TraitType, Unicode

from ...service.contract.kinds import KINDS, unset
from ...service.contract.models import variants
from ...service.contract.schema import Parameter
from ...service.contract.values import is_same

__all__ = ["default_of", "is_at", "trait_of"]


class _Normalised(TraitType):  # type: ignore[type-arg]  # traitlets 5.7 cannot be subscripted
    """A trait whose values the form brings into the form that a request keeps."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value as it is kept, or raise TraitError."""
        value = obj.normalise(self.name, value)
        check = getattr(super(), "validate", None)
        return value if check is None else check(obj, value)


class _Text(_Normalised, Unicode):  # type: ignore[type-arg]
    """Text, or None where the field need not be set."""


class _Whole(_Normalised, Int):  # type: ignore[type-arg]
    """A whole number."""


class _Number(_Normalised, Float):  # type: ignore[type-arg]
    """A number."""


class _Truth(_Normalised, Bool):  # type: ignore[type-arg]
    """True or False, or None for the service's default."""


class _Value(_Normalised, AnyTrait):
    """Anything; what will not do is shown as a problem."""


_TRAITS: Mapping[str, type[Any]] = {
    "name": _Text,
    "text": _Text,
    "choice": _Text,
    "url": _Text,
    "seconds": _Whole,
    "number": _Number,
    "boolean": _Truth,
}


def trait_of(parameter: Parameter) -> Any:
    """Return the trait of a field."""
    described = (parameter, *variants(parameter.name))  # a model may have it otherwise
    kind = _TRAITS.get(parameter.type, _Value) if _is_of_its_type(parameter, described) else _Value
    default = default_of(parameter)
    if kind is _Value or any(one.type != parameter.type for one in described):
        return _Value(default, help=parameter.help)
    may_be_unset = any(default_of(one) is None for one in described)
    return kind(default, allow_none=may_be_unset, help=parameter.help)


def _is_of_its_type(parameter: Parameter, described: Iterable[Parameter]) -> bool:
    """Return whether a control can give no value of another type than the trait's."""
    if parameter.type == "number":  # without either it is typed as text, and text may be no number
        return parameter.example is not None or parameter.default is not None
    if parameter.type == "choice":
        return all(isinstance(choice, str) for one in described for choice in one.choices)
    return parameter.type != "seconds" or bool(parameter.choices)


def default_of(parameter: Parameter) -> Any:
    """Return the value of a field that is not set."""
    return KINDS[parameter.type].read(unset(parameter, parameter.default))


def is_at(value: Any, default: Any) -> bool:
    """Return whether a value is the default; the trait of a number makes 1.0 of a default of 1."""
    return is_same(value, default) or (isinstance(value, float) and value == default)
