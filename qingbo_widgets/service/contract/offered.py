"""The fields of a request in the signature and the help of a call that takes them as ``**fields``.

Type checkers read the typed dictionaries of ``fields.py``. A notebook reads the live object: its signature
for completion, and its text for Shift-Tab and ``?``. Both are made from the descriptions of the models when a
notebook reads them, so that importing the package reads no description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from ... import late
from ...exceptions import QingboError
from ...i18n import N_, tr
from .kinds import KINDS, value_if_unset
from .models import models_of
from .schema import Model, Models, Parameter

__all__ = [
    "FieldsSignature",
    "annotation_of",
    "current_models",
    "fields_text",
    "offers_fields",
    "valid_choices",
]

Call = TypeVar("Call", bound=Callable[..., Any])

#: The type of a value, by the type of its parameter.
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "name": "str",
        "text": "str",
        "choice": "str",
        "seconds": "int",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "url": "str",
        "urls": "str | list[str]",
        "choices": "str | list[str]",
        "camera": "CameraControl | str",
        "masks": "list[DynamicMask]",
        "shots": "list[Shot]",
        "objects": "list[dict]",
    }
)
#: The types whose choices are all of their values.
_CLOSED = ("choice", "seconds")
#: Choices that a signature shows one by one.
_MOST_SHOWN = 7
_HEAD = N_("Fields of contract {contract}:")
_DEFAULT = N_("default {value}")
_ONLY = N_("only {models}")
_RANGE = N_("{low:g} to {high:g}")


class _ModelsDefault:
    """The default of a field for which the models have different defaults."""

    def __repr__(self) -> str:
        return "<the model's default>"


class _Shown(str):
    """A type as it is shown, without the quotation marks of a text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class FieldsSignature(inspect.Signature):
    """The signature of a call with every field in the place of ``**fields``, made when it is read.

    Args:
        base: the signature as written.
        models: returns the models whose fields are shown.
        varies: whether a field takes a list of values too, as in a sweep.
    """

    def __init__(
        self, base: inspect.Signature, models: Callable[[], Models], *, varies: bool = False
    ) -> None:
        super().__init__(return_annotation=_shown(base.return_annotation))
        self._base, self.models, self._varies = base, models, varies

    @property
    def written(self) -> tuple[str, ...]:
        """The names of the parameters as written, in their order."""
        ones = self._base.parameters.values()
        return tuple(one.name for one in ones if one.kind is not one.VAR_KEYWORD)

    @property
    def parameters(self) -> MappingProxyType[str, inspect.Parameter]:
        """The parameters as written, then the fields."""
        written = {
            name: one.replace(annotation=_shown(one.annotation))
            for name, one in self._base.parameters.items()
            if one.kind is not one.VAR_KEYWORD
        }
        models = self.models()
        fields = (name for name in models.parameters if name not in written)
        return MappingProxyType(written | {name: self._field(models, name) for name in fields})

    def replace(  # type: ignore[override]  # an ordinary signature has everything that is read of one
        self, *, parameters: Any = None, return_annotation: Any = None
    ) -> inspect.Signature:
        """Return an ordinary signature with some parts changed, such as without ``self``."""
        chosen = self.parameters.values() if parameters is None else parameters
        returned = self.return_annotation if return_annotation is None else return_annotation
        return inspect.Signature(list(chosen), return_annotation=returned)

    def __reduce__(self) -> str | tuple[Any, ...]:
        return self.replace().__reduce__()

    def _field(self, models: Models, name: str) -> inspect.Parameter:
        annotation = annotation_of(models, name)
        if self._varies:
            annotation = _Shown(f"{annotation} | list")
        default = None if self._varies else default_of(models, name)
        default = value_if_unset(models.parameters[name], default)
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def offers_fields(*, varies: bool = False) -> Callable[[Call], Call]:
    """Return a decorator that lets a notebook complete and explain the fields of a call.

    Args:
        varies: as in ``FieldsSignature``.
    """

    def decorate(call: Call) -> Call:
        base, text = inspect.signature(call), call.__doc__ or ""

        def getdoc() -> str:
            return f"{inspect.cleandoc(text)}\n\n{fields_text(current_models())}"

        # IPython calls getdoc(): a docstring would keep the contract and the language of this moment.
        call.getdoc = staticmethod(getdoc) if isinstance(call, type) else getdoc  # type: ignore[attr-defined]
        call.__signature__ = FieldsSignature(base, current_models, varies=varies)  # type: ignore[attr-defined]
        return call

    return decorate


def _shown(annotation: Any) -> Any:
    return _Shown(annotation) if isinstance(annotation, str) else annotation


def current_models() -> Models:
    """Return the models of the contract that the next call uses. Never connect."""
    try:
        models: Models = late.current_contract().models
    except QingboError:  # the environment names a contract that does not exist
        return models_of()
    return models


def default_of(models: Models, name: str) -> Any:
    """Return the default of a field, if all models that take it have the same one."""
    defaults = [model.default(name) for model in models.values() if name in model.parameters]
    return defaults[0] if all(one == defaults[0] for one in defaults) else _ModelsDefault()


def annotation_of(models: Models, name: str) -> str:
    """Return the type of a field's value: its choices if they are few, over all models."""
    parameter = models.parameters[name]
    choices = tuple(models) if name == "model" else _choices(models, name)
    if choices and len(choices) <= _MOST_SHOWN:
        return _Shown(f"Literal[{', '.join(map(repr, choices))}]")
    return _Shown(_TYPES[parameter.type])


def valid_choices(model: Model, parameter: Parameter) -> tuple[Any, ...]:
    """Return the choices that are valid as they stand: "simple" needs more than its name."""
    described = model.parameters.get(parameter.name, parameter)  # any model's if this one lacks it
    kind = KINDS[described.type]
    return tuple(
        choice for choice in described.choices if not any(kind.check(described, kind.read(choice), model))
    )


def fields_text(models: Models) -> str:
    """Return the fields of a contract as text: values, default and meaning of each."""
    lines = [tr(_HEAD).format(contract=models.contract)]
    for name, parameter in models.parameters.items():
        facts = "; ".join(filter(None, _facts(models, name)))
        lines += [f"    {name}: {facts}" if facts else f"    {name}:", f"        {tr(parameter.help)}"]
    return "\n".join(lines)


def _choices(models: Models, name: str) -> tuple[Any, ...]:
    """Return the choices of every model for a field whose values are all listed."""
    ones = [model.parameters[name] for model in models.values() if name in model.parameters]
    if not ones or any(one.type not in _CLOSED or not one.choices for one in ones):
        return ()
    choices = dict.fromkeys(choice for one in ones for choice in one.choices)
    return tuple(sorted(choices)) if models.parameters[name].type == "seconds" else tuple(choices)


def _listed(choices: tuple[Any, ...]) -> str:
    """Return choices as text: many whole numbers in a row as a range."""
    low = choices[0]
    if len(choices) > _MOST_SHOWN and choices == tuple(range(low, low + len(choices))):
        return tr(_RANGE).format(low=low, high=choices[-1])
    return ", ".join(map(str, choices))


def _facts(models: Models, name: str) -> list[str]:
    """Return the values, the default and the models of a field, each in a few words."""
    parameter, takers = models.parameters[name], models.taking(name)
    if name == "model":
        values = ", ".join(models)
    elif choices := _choices(models, name):
        values = _listed(choices)
    elif parameter.range and parameter.type in ("integer", "number"):
        values = tr(_RANGE).format(low=parameter.range[0], high=parameter.range[1])
    else:
        values = ""
    default = default_of(models, name)
    is_shown = default not in (None, "", ()) and not isinstance(default, _ModelsDefault)
    return [
        values,
        tr(_DEFAULT).format(value=default) if is_shown else "",
        "" if len(takers) == len(models) else tr(_ONLY).format(models=", ".join(takers)),
    ]
