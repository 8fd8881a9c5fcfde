"""The models of each contract, read from the files in ``models/``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import hide
from .kinds import KINDS
from .schema import Constraint, Model, Models, Parameter
from .validation import validate
from .values import is_set

__all__ = ["DEFAULT_CONTRACT", "FOLDER", "declared", "models_of", "read", "read_file", "variants"]

DEFAULT_CONTRACT = "2026-04"
#: One file a contract: ``2026-04.toml``.
FOLDER = Path(__file__).with_name("models")
#: Words about a parameter that only its type knows.
_LIMITS = ("count", "seconds", "points", "advised")
#: Words about a model that are no parameters of it.
_ABOUT_MODEL = frozenset({"description", "takes", "constraints", "actions", "can"})


def models_of(contract: str = DEFAULT_CONTRACT) -> Models:
    """Return the models of a contract.

    Raises:
        ValueError: there is no such contract; the message has those that there are.
    """
    return read_file(contract)


@cache
def read_file(contract: str) -> Models:
    """Return the models of a contract, read once. Raises as ``models_of``."""
    known = sorted(path.stem for path in FOLDER.glob("*.toml"))
    if contract not in known:
        text = tr("There is no contract {contract!r}; there are {known}.")
        raise ValueError(hide(text.format(contract=contract, known=", ".join(known))))
    return read(tomllib.loads((FOLDER / f"{contract}.toml").read_text(encoding="utf-8")))


@cache
def declared() -> Mapping[str, Parameter]:
    """Return every parameter that some model of some contract takes, by name, in the order of the body."""
    found: dict[str, Parameter] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        found = {**models_of(path.stem).parameters, **found}
    return MappingProxyType(found)


def variants(name: str) -> Iterator[Parameter]:
    """Yield a parameter as each model of each contract has it."""
    for path in sorted(FOLDER.glob("*.toml")):
        models = models_of(path.stem)
        for model in (*models.values(), models.other):
            if name in model.parameters:
                yield model.parameters[name]


def read(description: Mapping[str, Any]) -> Models:
    """Return the models that a description tells of, in the words of ``schema.py``.

    Raises:
        TypeError: it has a word that the schema lacks.
        KeyError: a model takes a parameter that is not described.
        ValueError: it names what there is not, or contradicts itself.
    """
    described = {
        name: _changed(Parameter(name, words["type"], place=name), words)
        for name, words in description["parameters"].items()
    }
    common = frozenset(description["common"])
    constraints = tuple(map(_constraint, description.get("constraints", ())))

    def model(name: str, words: Mapping[str, Any]) -> Model:
        takes = frozenset(described if words["takes"] == "*" else words["takes"]) | common
        if undescribed := takes - described.keys():
            raise KeyError(f"{name or 'other'} takes {', '.join(sorted(undescribed))}: not described")
        if unused := words.keys() - _ABOUT_MODEL - takes:
            raise TypeError(f"{name or 'other'}: {', '.join(sorted(unused))} is no parameter that it takes")
        parameters = {
            key: _changed(parameter if name or key in common else _optional(parameter), words.get(key, {}))
            for key, parameter in described.items()
            if key in takes
        }
        rules = map(_constraint, words.get("constraints", ()))
        return Model(
            name,
            words.get("description", ""),
            MappingProxyType(parameters),
            (*constraints, *rules),
            tuple(words.get("actions", ())),
            tuple(words.get("can", ())),
        )

    return validate(
        Models(
            description["name"],
            description["base_url"],
            MappingProxyType(described),
            {name: model(name, words) for name, words in description["models"].items()},
            model("", description["other"]),
        )
    )


def _optional(parameter: Parameter) -> Parameter:
    """Return a parameter of which nothing is sent that the caller did not set."""
    return replace(parameter, default=None, always=False, required=False)


def _changed(parameter: Parameter, words: Mapping[str, Any]) -> Parameter:
    """Return a parameter with some words of it replaced."""
    limits = {name: tuple(words[name]) for name in _LIMITS if name in words}
    changes = {name: _frozen(value) for name, value in words.items() if name not in limits}
    if (kind := KINDS.get(words.get("type", parameter.type))) and is_set(words.get("default")):
        changes["default"] = kind.read(words["default"])
    if limits:
        changes["limits"] = MappingProxyType({**parameter.limits, **limits})
    return replace(parameter, **changes)


def _constraint(words: Mapping[str, Any]) -> Constraint:
    when = {
        name: tuple(value if isinstance(value, list) else [value]) for name, value in words["when"].items()
    }
    others = {name: _frozen(value) for name, value in words.items() if name != "when"}
    return Constraint(MappingProxyType(when), **others)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(value) if isinstance(value, dict) else value
