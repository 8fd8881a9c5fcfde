"""The models of each contract, read from the files in ``models/``.

A contract is one file, ``2026-04.toml``, or a folder with the file ``contract.toml`` and one file per family
of models, which is read with the first model of the family.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from ..secrets.secret import HIDDEN
from .kinds import KINDS
from .schema import Constraint, Count, Model, Models, Parameter, Spelling, changed
from .validation import validate, validate_model
from .values import is_set

__all__ = [
    "DEFAULT_CONTRACT",
    "FOLDER",
    "contracts",
    "dated",
    "declared",
    "home_of",
    "models_of",
    "models_under",
    "read",
    "read_file",
    "variants",
]

DEFAULT_CONTRACT = "2026-04"
FOLDER = Path(__file__).with_name("models")
_HEADER = "contract.toml"
#: A date, well written or not: too short for a key, and without its letters.
_LIKE_A_DATE = r"[0-9][0-9./-]{0,9}"
#: Keys of a parameter that become its ``limits``, used by its type only.
_LIMIT_KEYS = ("count", "seconds", "points", "advised")
#: Keys of a model that are not its parameters.
_MODEL_KEYS = frozenset({"description", "takes", "constraints", "actions", "can", "frames", "rules", "like"})

Description = Mapping[str, Any]


def models_of(contract: str = DEFAULT_CONTRACT) -> Models:
    """Return the models of a contract.

    Raises:
        ValueError: there is no such contract; the message lists the known ones.
    """
    contract = dated(contract) or HIDDEN  # a key may be given in its place, and tracebacks show it
    return read_file(contract)


@cache
def read_file(contract: str) -> Models:
    """Return the models of a contract, read once and cached. Raise as ``models_of`` does."""
    known = contracts()
    if contract not in known:
        text = tr("Contract {contract!r} does not exist; choose one of {known}.")
        raise ValueError(text.format(contract=dated(contract), known=", ".join(known)))
    folder = FOLDER / contract
    if not folder.is_dir():
        return read(_parsed(FOLDER / f"{contract}.toml"))
    return read(_parsed(folder / _HEADER), lambda family: _parsed(folder / f"{family}.toml"))


def dated(contract: object) -> str | None:
    """Return the date of a contract, known or not and even misspelt, empty or ``None``; anything else hidden.

    A key may be given in its place, and messages and tracebacks show it.
    """
    if not contract or (isinstance(contract, str) and re.fullmatch(_LIKE_A_DATE, contract.strip())):
        return contract.strip() if isinstance(contract, str) else None
    return HIDDEN


def contracts() -> tuple[str, ...]:
    """Return the dates of the contracts, oldest first."""
    return _contracts_in(FOLDER)


@cache
def _contracts_in(folder: Path) -> tuple[str, ...]:
    folders = (path.parent.name for path in folder.glob(f"*/{_HEADER}"))
    return tuple(sorted({*(path.stem for path in folder.glob("*.toml")), *folders}))


def _parsed(path: Path) -> Description:
    return tomllib.loads(path.read_text(encoding="utf-8"))


class _Declared(Mapping[str, Parameter]):
    """The parameters of every contract by name; the contracts are read one after the other as needed."""

    def __getitem__(self, name: str) -> Parameter:
        for contract in self._by_rank():
            if (parameter := models_of(contract).parameters.get(name)) is not None:
                return parameter
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter({name: None for contract in self._by_rank() for name in models_of(contract).parameters})

    def __len__(self) -> int:
        return len(list(iter(self)))

    @staticmethod
    def _by_rank() -> Iterator[str]:
        """Yield the default contract first, because most requests have only its fields."""
        yield DEFAULT_CONTRACT
        yield from (contract for contract in contracts() if contract != DEFAULT_CONTRACT)


@cache
def declared() -> Mapping[str, Parameter]:
    """Return every parameter of every contract, by name, in the order of the body."""
    return _Declared()


def variants(name: str) -> Iterator[Parameter]:
    """Yield the variants of a parameter, one for each model of each contract that takes it."""
    for contract in contracts():
        models = models_of(contract)
        for model in (*models.values(), models.other):
            if name in model.parameters:
                yield model.parameters[name]


def models_under(contract: str, explicit: Mapping[str, Any]) -> Models:
    """Return the models of a contract; if this version lacks it, those in whose names the fields are."""
    return models_of(contract) if contract in contracts() else home_of(explicit)


def home_of(explicit: Mapping[str, Any]) -> Models:
    """Return the models of the contract in whose names a request is written.

    That is the default contract, unless only another one has the model, or a field.
    """
    default = models_of()
    if explicit["model"] in default and all(name in default.parameters for name in explicit):
        return default
    for contract in contracts():
        models = models_of(contract)
        if explicit["model"] in models and all(name in models.parameters for name in explicit):
            return models
    return default


def read(description: Description, family: Callable[[str], Description] | None = None) -> Models:
    """Return the models of a description that follows ``schema.py``.

    Args:
        description: the description of a contract.
        family: returns the description of a family that the contract lists.

    Raises:
        TypeError: the description has a key that the schema lacks.
        KeyError: a model takes a parameter that is not described.
        ValueError: the description refers to an unknown name, or contradicts itself.
    """
    parameters = {name: _parameter(name, entry) for name, entry in description["parameters"].items()}
    reader = _Reader(
        description["name"],
        parameters,
        frozenset(description["common"]),
        tuple(map(_constraint, description.get("constraints", ()))),
    )
    listed = description.get("models", {})
    readers: dict[str, Callable[[], Model]] = {}
    for name, model in reader.models(listed).items():
        readers[name] = partial(_itself, model)
    for name_of_family, names in description.get("families", {}).items():
        assert family is not None  # a contract in one file has none
        load = cache(lambda name=name_of_family: reader.family(family(name)))
        readers |= {name: partial(_member, load, name) for name in names}
    return validate(
        Models(
            description["name"],
            description["base_url"],
            MappingProxyType(parameters),
            readers,
            reader.model("", description["other"]),
            MappingProxyType(description.get("retired", {})),
            MappingProxyType(
                {name: Spelling(**entry) for name, entry in description.get("spellings", {}).items()}
            ),
        ),
        known=[readers[name]() for name in listed],
    )


def _itself(model: Model) -> Model:
    return model


def _member(load: Callable[[], Mapping[str, Model]], name: str) -> Model:
    return load()[name]


class _Reader:
    """A reader of the models of one contract.

    Args:
        contract: the contract's date.
        parameters: the parameters of the contract, by name.
        common: the names of those that every model takes.
        constraints: the rules that hold for every model.
    """

    def __init__(
        self,
        contract: str,
        parameters: Mapping[str, Parameter],
        common: frozenset[str],
        constraints: tuple[Constraint, ...],
    ) -> None:
        self._contract, self._parameters = contract, parameters
        self._common, self._constraints = common, constraints

    def family(self, description: Description) -> Mapping[str, Model]:
        """Return the valid models of a family, whose description may change parameters and add rules."""
        changes = description.get("parameters", {})
        if unknown := changes.keys() - self._parameters.keys():
            raise KeyError(f"{', '.join(sorted(unknown))}: not described")
        parameters = {
            name: _changed(parameter, changes[name]) if name in changes else parameter
            for name, parameter in self._parameters.items()
        }
        constraints = (*self._constraints, *map(_constraint, description.get("constraints", ())))
        models = _Reader(self._contract, parameters, self._common, constraints).models(description["models"])
        for model in models.values():
            validate_model(self._contract, model, parameters)
        return models

    def models(self, entries: Mapping[str, Description]) -> Mapping[str, Model]:
        """Return the models of these descriptions."""
        return {name: self.model(name, _completed(entry, entries)) for name, entry in entries.items()}

    def model(self, name: str, entry: Description) -> Model:
        """Return the model of a description; without a name, the one that stands for unlisted models."""
        described, common = self._parameters, self._common
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
        return Model(
            name,
            entry.get("description", ""),
            MappingProxyType(parameters),
            (
                *(shared for shared in self._constraints if _can_hold(shared, parameters)),
                *map(_constraint, entry.get("constraints", ())),
            ),
            tuple(entry.get("actions", ())),
            tuple(entry.get("can", ())),
            entry.get("frames", ""),
            tuple(entry.get("rules", ())),
        )


def _completed(entry: Description, entries: Mapping[str, Description]) -> Description:
    """Return a description together with that of the model that it is ``like``."""
    return {**entries[entry["like"]], **entry} if "like" in entry else entry


def _optional(parameter: Parameter) -> Parameter:
    """Return a copy of a parameter that is sent only if the caller sets it."""
    return changed(parameter, {"default": None, "unless_given": None, "always": False, "required": False})


def _parameter(name: str, entry: Description) -> Parameter:
    return _changed(Parameter(name, entry["type"], place=name), entry)


def _changed(parameter: Parameter, entry: Description) -> Parameter:
    """Return a parameter with some of its attributes replaced."""
    return changed(parameter, _attributes(parameter, entry))


def _attributes(parameter: Parameter, entry: Description) -> dict[str, Any]:
    """Return the attributes of a parameter that an entry of a description sets."""
    attributes = {name: _frozen(value) for name, value in entry.items() if name not in _LIMIT_KEYS}
    if (kind := KINDS.get(entry.get("type", parameter.type))) and is_set(entry.get("default")):
        attributes["default"] = kind.read(entry["default"])
    if limits := {name: tuple(entry[name]) for name in _LIMIT_KEYS if name in entry}:
        attributes["limits"] = limits
    if members := entry.get("members"):
        known = parameter.members
        attributes["members"] = {
            name: _changed(known[name], member) if name in known else _parameter(name, member)
            for name, member in members.items()
        }
    return attributes


def _constraint(entry: Description) -> Constraint:
    attributes = {name: _frozen(value) for name, value in entry.items()}
    for key in ("when", "unless"):
        if key in entry:
            attributes[key] = MappingProxyType({name: _values(one) for name, one in entry[key].items()})
    if "limit" in entry:
        attributes["limit"] = MappingProxyType(
            {name: _attributes(Parameter(name, ""), changes) for name, changes in entry["limit"].items()}
        )
    return Constraint(**attributes)


def _can_hold(constraint: Constraint, parameters: Mapping[str, Parameter]) -> bool:
    """Return whether a model offers the choices under which a constraint of its family holds.

    A choice that it does not offer is refused as such; the rules about it would add contradicting advice.
    """
    return all(
        isinstance(condition, Count)
        or condition == ("*",)
        or not (choices := parameters[name].choices if name in parameters else ())
        or not set(choices).isdisjoint(condition)
        for name, condition in constraint.when.items()
    )


def _values(condition: Any) -> Count | tuple[Any, ...]:
    if isinstance(condition, dict):
        return Count(*condition["count"])
    return tuple(condition) if isinstance(condition, list) else (condition,)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(value) if isinstance(value, dict) else value
