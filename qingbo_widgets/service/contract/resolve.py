"""The fields of a request as one contract understands them: in its names, with its model's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .kinds import completed, value_if_unset
from .problem import Problem
from .rules import DERIVED
from .schema import Model, Models
from .spellings import Translated, translated

__all__ = ["Resolved", "resolve", "translation_of"]


@dataclass(frozen=True)
class Resolved:
    """The fields of a request as one contract understands them.

    Attributes:
        models: the models of the contract.
        values: the value of each parameter of the contract, with defaults for those that are not set; and of
            each further field that is set.
        names: the names that the caller used, by parameter, where they differ.
        problems: the reasons why a name of another contract could not be replaced.
    """

    models: Models
    values: Mapping[str, Any]
    names: Mapping[str, str]
    problems: tuple[Problem, ...] = ()

    @property
    def model(self) -> Model:
        """The description of the request's model."""
        return self.models.of(self.values["model"])


def translation_of(explicit: Mapping[str, Any], models: Models) -> Translated:
    """Return the set fields of a request in the names of a contract, with complete lists of objects."""
    known = {**models.parameters, **models.of(explicit["model"]).parameters}
    return translated(
        {name: completed(known[name], value) if name in known else value for name, value in explicit.items()},
        models,
    )


def resolve(explicit: Mapping[str, Any], models: Models) -> Resolved:
    """Return the fields of a request as a contract understands them.

    Args:
        explicit: the fields that are set, including the model.
        models: the models of the contract.
    """
    model, translation = models.of(explicit["model"]), translation_of(explicit, models)
    fields = translation.fields
    values = {
        name: fields[name] if name in fields else value_if_unset(parameter, model.default(name))
        for name, parameter in models.parameters.items()
    }
    for name, parameter in model.parameters.items():
        if name not in fields and parameter.derived:
            derived = DERIVED[parameter.derived](values)
            values[name] = values[name] if derived is None else derived
    for name, parameter in model.limited(values).items():
        if name not in fields and parameter.default != model.default(name):
            values[name] = parameter.default
    others = {name: value for name, value in fields.items() if name not in values}
    return Resolved(models, {**values, **others}, translation.names, translation.problems)
