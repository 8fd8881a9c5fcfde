"""The fields of a request as one contract understands them: in its names, with its model's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...i18n import tr
from .kinds import value_if_unset
from .objects import completed
from .problem import Problem
from .rules import DERIVED
from .schema import Model, Models
from .spellings import Translated, translated
from .values import is_same, is_set

__all__ = ["Resolved", "resolve", "translation_of"]


@dataclass(frozen=True)
class Resolved:
    """The fields of a request as one contract understands them.

    Attributes:
        models: the models of the contract.
        values: the value of each parameter of the contract, with defaults for those that are not set; and of
            each further field that is set.
        names: the names that the caller used, by parameter, where they differ.
        given: the fields that are set, under the names that the caller used.
        derived: the parameters whose values follow from others: the length of a video from its shots.
        problems: the reasons why a name of another contract could not be replaced.
        origins: the names that the caller used for parts of lists, by parameter and number from 1, where
            they differ.
    """

    models: Models
    values: Mapping[str, Any]
    names: Mapping[str, str]
    given: Mapping[str, Any]
    derived: frozenset[str]
    problems: tuple[Problem, ...] = ()
    origins: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The description of the request's model."""
        return self.models.of(self.values["model"])

    @property
    def set_fields(self) -> frozenset[str]:
        """The parameters and further fields that the caller has set, under any name."""
        return frozenset({*self.names} | {name for name in self.values if name in self.given})

    @property
    def sent(self) -> dict[str, Any]:
        """The values that are set, or have a default, and are sent."""
        unsent = self.model.unsent(self.values)
        return {name: value for name, value in self.values.items() if name not in unsent and is_set(value)}

    def as_given(self, name: str) -> tuple[str, Any]:
        """Return the name that the caller used for a parameter, and the value that the caller set."""
        own = self.names.get(name, name)
        return own, self.given.get(own, self.values.get(name))

    def as_given_in(self, problem: Problem) -> Problem:
        """Return a problem under the name that the caller used for its field, or for the part of it."""
        if origin := self.origins.get((problem.field, problem.number)):
            _, _, sentence = problem.message.partition(": ")  # without the place in the other field
            return Problem(origin, f"{origin}: {sentence}")
        name = self.names.get(problem.field)
        if name is None:
            return problem
        text = tr("{field}: it is {own} in contract {contract}. {message}")
        contract, own = self.models.contract, problem.field
        message = text.format(field=name, own=own, contract=contract, message=problem.message)
        return Problem(name, message, problem.number)

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the fields of the caller from which the value of a parameter comes."""
        moved = [origin for (parameter, _), origin in self.origins.items() if parameter == name]
        own = (name,) if name in self.given else ()
        return tuple(dict.fromkeys((*own, *moved))) or (self.names.get(name, name),)

    def in_given_names(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of parameters under the names that the caller used for these."""
        named: dict[str, Any] = {}
        for name, value in changes.items():
            own = self.names.get(name, "")
            spelling = self.models.spellings.get(own)
            spelled = spelling.spelled(value) if spelling and spelling.means == name else None
            named |= {name: value} if spelled is None else {own: spelled}
        return named


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
    derived: set[str] = set()
    for name, parameter in model.parameters.items():
        follows = DERIVED[parameter.derived](values) if parameter.derived else None
        chosen, given = fields.get(name), explicit.get(name)
        is_chosen = name in fields and (chosen is given or is_same(chosen, given))
        if follows is not None and not is_chosen:
            values[name] = follows
            derived.add(name)
    for name, parameter in model.limited(values).items():
        if name not in fields and parameter.default != model.default(name):
            values[name] = parameter.default
    others = {name: value for name, value in fields.items() if name not in values}
    return Resolved(
        models,
        {**values, **others},
        translation.names,
        explicit,
        frozenset(derived),
        translation.problems,
        translation.origins,
    )
