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
#: One file per contract: ``2026-04.toml``.
FOLDER = Path(__file__).with_name("models")
#: Keys of a parameter that become its ``limits``, used by its type only.
_LIMIT_KEYS = ("count", "seconds", "points", "advised")
#: Keys of a model that are not its parameters.
_MODEL_KEYS = frozenset({"description", "takes", "constraints", "actions", "can"})


def models_of(contract: str = DEFAULT_CONTRACT) -> Models:
    """Return the models of a contract.

    Raises:
        ValueError: there is no such contract; the message lists the known ones.
    """
    return read_file(contract)


@cache
def read_file(contract: str) -> Models:
    """Return the models of a contract, read once and cached. Raise as ``models_of`` does."""
    known = sorted(path.stem for path in FOLDER.glob("*.toml"))
    if contract not in known:
        text = tr("There is no contract {contract!r}; the contracts are {known}.")
        raise ValueError(hide(text.format(contract=contract, known=", ".join(known))))
    return read(tomllib.loads((FOLDER / f"{contract}.toml").read_text(encoding="utf-8")))


@cache
def declared() -> Mapping[str, Parameter]:
    """Return every parameter of every model and contract, by name, in the order of the body."""
    parameters: dict[str, Parameter] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        parameters = {**models_of(path.stem).parameters, **parameters}
    return MappingProxyType(parameters)


def variants(name: str) -> Iterator[Parameter]:
    """Yield the variants of a parameter, one for each model of each contract that takes it."""
    for path in sorted(FOLDER.glob("*.toml")):
        models = models_of(path.stem)
        for model in (*models.values(), models.other):
            if name in model.parameters:
                yield model.parameters[name]


def read(description: Mapping[str, Any]) -> Models:
    """Return the models of a description that follows ``schema.py``.

    Raises:
        TypeError: the description has a key that the schema lacks.
        KeyError: a model takes a parameter that is not described.
        ValueError: the description refers to an unknown name, or contradicts itself.
    """
    described = {
        name: _changed(Parameter(name, entry["type"], place=name), entry)
        for name, entry in description["parameters"].items()
    }
    common = frozenset(description["common"])
    constraints = tuple(map(_constraint, description.get("constraints", ())))

    def model(name: str, entry: Mapping[str, Any]) -> Model:
        takes = frozenset(described if entry["takes"] == "*" else entry["takes"]) | common
        if undescribed := takes - described.keys():
            raise KeyError(f"{name or 'other'} takes {', '.join(sorted(undescribed))}: not described")
        if unused := entry.keys() - _MODEL_KEYS - takes:
            raise TypeError(f"{name or 'other'}: {', '.join(sorted(unused))} is not a parameter of it")
        parameters = {
            key: _changed(parameter if name or key in common else _optional(parameter), entry.get(key, {}))
            for key, parameter in described.items()
            if key in takes
        }
        rules = map(_constraint, entry.get("constraints", ()))
        return Model(
            name,
            entry.get("description", ""),
            MappingProxyType(parameters),
            (*constraints, *rules),
            tuple(entry.get("actions", ())),
            tuple(entry.get("can", ())),
        )

    return validate(
        Models(
            description["name"],
            description["base_url"],
            MappingProxyType(described),
            {name: model(name, entry) for name, entry in description["models"].items()},
            model("", description["other"]),
        )
    )


def _optional(parameter: Parameter) -> Parameter:
    """Return a copy of a parameter that is sent only if the caller sets it."""
    return replace(parameter, default=None, always=False, required=False)


def _changed(parameter: Parameter, entry: Mapping[str, Any]) -> Parameter:
    """Return a parameter with some of its attributes replaced."""
    limits = {name: tuple(entry[name]) for name in _LIMIT_KEYS if name in entry}
    changes = {name: _frozen(value) for name, value in entry.items() if name not in limits}
    if (kind := KINDS.get(entry.get("type", parameter.type))) and is_set(entry.get("default")):
        changes["default"] = kind.read(entry["default"])
    if limits:
        changes["limits"] = MappingProxyType({**parameter.limits, **limits})
    return replace(parameter, **changes)


def _constraint(entry: Mapping[str, Any]) -> Constraint:
    when = {
        name: tuple(value if isinstance(value, list) else [value]) for name, value in entry["when"].items()
    }
    others = {name: _frozen(value) for name, value in entry.items() if name != "when"}
    return Constraint(MappingProxyType(when), **others)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(value) if isinstance(value, dict) else value
