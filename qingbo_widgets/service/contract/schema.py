"""The schema of the descriptions in ``models/``, independent of any particular model.

The vocabulary is the service's own: actions, parameters with value sets and defaults, constraints with a
``when`` condition and its consequences. A description received from the service at run time is read into the
same classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import hide
from .values import is_same, is_set

__all__ = ["Constraint", "Model", "Models", "Parameter", "Spelling", "changed"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_MOST_SIMILAR = 3
#: The share of characters that two similar names have in common, and how much less than the best is as good.
_LEAST_SIMILARITY, _AS_SIMILAR = 0.7, 0.05


@dataclass(frozen=True, eq=False)
class Parameter:
    """One parameter of a request. Texts are in English and shown through ``tr``.

    Attributes:
        name: the field of ``VideoRequest``.
        type: a key of ``kinds.KINDS``, which reads, checks and writes its values.
        label: the label of its control.
        help: its meaning, in a sentence.
        placeholder: the text in an empty control.
        place: its path in the JSON body; with ``{number}`` and ``{key}`` for the parts of a list.
        default: the value if the caller did not set the field; ``None`` if the field is then not sent.
        unless_given: the value that the service itself uses if a body lacks the parameter; ``None`` if its
            documentation does not say. It is never sent.
        always: whether the field is sent even if it was not set.
        required: whether a request without it has a problem.
        choices: the allowed values; empty for any value.
        labels: a text for each choice, and for each part of the value.
        range: the least and the greatest value.
        most: the maximum number of characters of a text, or of parts of a list; 0 for no limit.
        example: a valid value; by default the default value. Of a text, shown through ``tr``.
        refusal: the predicate of a sentence about an invalid value.
        editor: the place to edit it, if not a control of its type: ``code``, or the name of a panel.
        options: its options in ``%%qingbo``; by default ``--its-name``.
        media: the use of the files behind its URLs, ``image``, ``mask``, ``video``; empty if it has no URLs.
        members: the members of each object in a list of objects.
        numbered: whether it is the number of an object in its list, counted from 1.
        derived: a function of ``rules.DERIVED``, for the value if the caller did not set the field.
        limits: limits for its type only: the least and the greatest ``count``, ``seconds`` and ``points``;
            ``advised``, the maximum number of characters that the model reads.
    """

    name: str
    type: str
    label: str = ""
    help: str = ""
    placeholder: str = ""
    place: str = ""
    default: Any = None
    unless_given: Any = None
    always: bool = False
    required: bool = False
    choices: tuple[Any, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    range: tuple[float, ...] = ()
    most: int = 0
    example: Any = None
    refusal: str = ""
    editor: str = ""
    options: tuple[str, ...] = ()
    media: str = ""
    members: Mapping[str, Parameter] = field(default_factory=lambda: _NOTHING)
    numbered: bool = False
    derived: str = ""
    limits: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: _NOTHING)

    @property
    def flags(self) -> tuple[str, ...]:
        """The parameter's options in ``%%qingbo``."""
        return self.options or (f"--{self.name.replace('_', '-')}",)

    @property
    def opposite_flags(self) -> tuple[str, ...]:
        """The options that turn a boolean off."""
        return tuple(flag.replace("--", "--no-", 1) for flag in self.flags if flag.startswith("--"))


@dataclass(frozen=True)
class Count:
    """A condition on the number of parts of a list."""

    fewest: int
    most: int

    def holds(self, value: Any) -> bool:
        """Return whether a value is a list with this number of parts."""
        return isinstance(value, tuple) and self.fewest <= len(value) <= self.most


Condition = Mapping[str, Count | tuple[Any, ...]]
"""The values of each parameter under which a rule holds; ``("*",)`` for any value that is set."""


def _matches(condition: Condition, values: Mapping[str, Any]) -> bool:
    for name, allowed in condition.items():
        value = values.get(name)
        if not is_set(value):
            return False
        if isinstance(allowed, Count):
            if not allowed.holds(value):
                return False
        elif allowed != ("*",) and not any(is_same(value, one) for one in allowed):
            return False
    return True


@dataclass(frozen=True, eq=False)
class Constraint:
    """One rule about several parameters.

    Attributes:
        when: the values under which the rule holds.
        unless: the values under which it does not.
        omit: parameters that are then neither checked nor sent.
        forbid: parameters that must then not be set; they are not sent either.
        require: a parameter that must then be set.
        limit: attributes of parameters that are then different, such as fewer choices.
        avoid: parameters that should then not be set; only a note is shown.
        suggest: values of other parameters beside which the refused value is valid; they are what the message
            suggests. By default, it suggests a value within the limit, or to leave the parameter out.
        refusal: the predicate of a sentence about a forbidden value, a value outside the limit, or a value
            that lacks the required parameter. For a limit on a list, its subject is the parameter.
        note: a sentence about an omitted or avoided parameter; ``{field}`` is replaced by its name.
        instead: a sentence that the form shows under the control of an omitted or forbidden parameter.
    """

    when: Condition = field(default_factory=lambda: _NOTHING)
    unless: Condition = field(default_factory=lambda: _NOTHING)
    omit: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    require: str = ""
    limit: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    avoid: tuple[str, ...] = ()
    suggest: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    refusal: str = ""
    note: str = ""
    instead: str = ""

    @property
    def deciding(self) -> tuple[str, ...]:
        """The parameters whose values decide whether the rule holds."""
        return (*self.when, *self.unless)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the rule applies to these values."""
        return _matches(self.when, values) and not (self.unless and _matches(self.unless, values))


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """One model of the service.

    Attributes:
        name: its name at the service; empty for the model that stands for every unlisted one.
        description: a few words for choosing a model, shown through ``tr``.
        parameters: the parameters it takes, by name, in the order of the body.
        constraints: its rules about several parameters.
        actions: the kinds of operation that it offers.
        can: the capabilities for choosing it: ``image``, ``last_frame``, ``references``, ``video``, ``edit``,
            ``motion``, ``shots``, ``elements``, ``audio``, ``camera``, ``masks``, ``4k``.
        frames: the parameter that takes a first and a last frame: ``image_urls`` for the first two images of
            it, ``image_with_roles``; empty if the model takes no last frame, or has a parameter for it.
        rules: functions of ``rules.RULES``, for what the other attributes cannot express.
    """

    name: str
    description: str
    parameters: Mapping[str, Parameter]
    constraints: tuple[Constraint, ...] = ()
    actions: tuple[str, ...] = ()
    can: tuple[str, ...] = ()
    frames: str = ""
    rules: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Model {self.name}: {tr(self.description)}; takes {', '.join(self.parameters)}>"

    def default(self, name: str) -> Any:
        """Return the default of a parameter; ``None`` if it has none or the model does not take it."""
        parameter = self.parameters.get(name)
        return None if parameter is None else parameter.default

    @property
    def needed(self) -> frozenset[str]:
        """The parameters that a body of the model must contain, although callers may leave them out."""
        parameters = self.parameters.values()
        return frozenset(one.name for one in parameters if one.required and one.default not in (None, ""))

    def active(self, values: Mapping[str, Any]) -> tuple[Constraint, ...]:
        """Return the constraints that hold for these values."""
        return tuple(constraint for constraint in self.constraints if constraint.holds(values))

    def unsent(self, values: Mapping[str, Any]) -> frozenset[str]:
        """Return the parameters that are not sent with these values, whether set or not."""
        return frozenset(name for one in self.active(values) for name in (*one.omit, *one.forbid))

    def limited(self, values: Mapping[str, Any]) -> dict[str, Parameter]:
        """Return the parameters that constraints limit with these values, as they are then."""
        limited: dict[str, Parameter] = {}
        for constraint in self.active(values):
            for name, changes in constraint.limit.items():
                if name in self.parameters:
                    limited[name] = changed(limited.get(name, self.parameters[name]), changes)
        return limited


def changed(parameter: Parameter, changes: Mapping[str, Any]) -> Parameter:
    """Return a parameter with some of its attributes replaced; limits and members are merged."""
    limits = MappingProxyType({**parameter.limits, **changes.get("limits", {})})
    members = MappingProxyType({**parameter.members, **changes.get("members", {})})
    return replace(parameter, **{**changes, "limits": limits, "members": members})


@dataclass(frozen=True)
class Spelling:
    """A name of another contract, for something that models of this contract can do too.

    Attributes:
        means: the parameter of this contract with the same meaning.
        values: its value for each value; empty if they are the same.
        read: a function of ``spellings.READERS`` for a name that no single parameter replaces.
    """

    means: str = ""
    values: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    read: str = ""

    def spelled(self, value: Any) -> Any:
        """Return a value of this contract as the name of the other contract has it; ``None`` if it cannot."""
        if not self.values:
            return value
        return next((own for own, meaning in self.values.items() if is_same(meaning, value)), None)


class Models(Mapping[str, Model]):
    """The models of one contract, by name, in the order of its documentation. Each is read on first access.

    Args:
        contract: the contract's date.
        base_url: the address at which the service offers the contract.
        parameters: every parameter of the contract, by name, in the order of the body.
        readers: a function for each model that the contract lists, which returns its description.
        other: the model that stands for every unlisted one, which may take any parameter.
        retired: the names that the service no longer knows, each with its new name, or an empty text.
        spellings: the names of other contracts that this one replaces.
    """

    def __init__(
        self,
        contract: str,
        base_url: str,
        parameters: Mapping[str, Parameter],
        readers: Mapping[str, Callable[[], Model]],
        other: Model,
        retired: Mapping[str, str] = _NOTHING,
        spellings: Mapping[str, Spelling] = _NOTHING,
    ) -> None:
        self.contract, self.base_url, self.parameters, self.other = contract, base_url, parameters, other
        self.retired, self.spellings = retired, spellings
        self._readers = dict(readers)

    def __getitem__(self, name: str) -> Model:
        if name not in self._readers:
            raise KeyError(hide(str(name)))  # it may be an API key, pasted in the wrong place
        return self._readers[name]()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._readers

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:{width}}  {tr(model.description)}" for name, model in self.items())

    def of(self, model: object) -> Model:
        """Return the description of a model; for an unlisted one, the description in ``other``."""
        return self[model] if isinstance(model, str) and model in self._readers else self.other

    def taking(self, name: str) -> tuple[str, ...]:
        """Return the models that take a parameter."""
        return tuple(model.name for model in self.values() if name in model.parameters)

    def accepting(self, name: str, value: Any) -> tuple[str, ...]:
        """Return the models that list a value among the choices of a parameter."""
        return tuple(
            model.name
            for model in self.values()
            if name in model.parameters and any(is_same(value, one) for one in model.parameters[name].choices)
        )

    def similar(self, name: str) -> tuple[str, ...]:
        """Return the names that a misspelt or incomplete one may mean, the likeliest first; at most three."""
        from difflib import SequenceMatcher  # needed for misspelt names only

        typed = _words(name)
        same = [other for other in self if typed == _words(other)]
        longer = [other for other in self if typed and typed < _words(other)]
        shares = {other: SequenceMatcher(None, other, name.lower()).ratio() for other in self}
        least = max(_LEAST_SIMILARITY, max(shares.values(), default=0) - _AS_SIMILAR)
        close = sorted((one for one in self if shares[one] >= least), key=lambda one: -shares[one])
        return tuple(same or dict.fromkeys((*longer, *close)))[:_MOST_SIMILAR]


def _words(name: str) -> frozenset[str]:
    """Return the parts of a name: those of ``kling-3.0`` are also in ``kling-3.0-turbo``."""
    return frozenset(re.findall(r"[a-z0-9]+", name.lower()))
