"""The schema of the descriptions in ``models/``, independent of any particular model.

The vocabulary is the service's own: actions, parameters with value sets and defaults, constraints with a
``when`` condition and its consequences. A description received from the service at run time is read into the
same classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import hide
from .values import is_set

__all__ = ["Constraint", "Model", "Models", "Parameter"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


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
        always: whether the field is sent even if it was not set.
        required: whether a request without it has a problem.
        choices: the allowed values; empty for any value.
        labels: a text for each choice, or for each part of the value.
        range: the least and the greatest value.
        most: the maximum number of characters of a text, or of parts of a list; 0 for no limit.
        example: a valid value; by default the default value.
        refusal: the predicate of a sentence about an invalid value.
        editor: the place to edit it, if not a control of its type: ``code``, or the name of a panel.
        options: its options in ``%%qingbo``; by default ``--its-name``.
        media: the use of the files behind its URLs, ``image`` or ``mask``; empty if it has no URLs.
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
    limits: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: _NOTHING)

    @property
    def flags(self) -> tuple[str, ...]:
        """The parameter's options in ``%%qingbo``."""
        return self.options or (f"--{self.name.replace('_', '-')}",)

    @property
    def opposite_flags(self) -> tuple[str, ...]:
        """The options that turn a boolean off."""
        return tuple(flag.replace("--", "--no-", 1) for flag in self.flags if flag.startswith("--"))


@dataclass(frozen=True, eq=False)
class Constraint:
    """One rule about several parameters.

    Attributes:
        when: the values under which the rule holds, by parameter; ``("*",)`` for any value that is set.
        omit: parameters that are then neither checked nor sent.
        forbid: parameters that must then not be set; they are not sent either.
        require: a parameter that must then be set.
        avoid: parameters that should then not be set; only a note is shown.
        refusal: the predicate of a sentence about a forbidden value, or about a value that lacks the required
            parameter.
        note: a sentence about an omitted or avoided parameter; ``{field}`` is replaced by its name.
        instead: a sentence that the form shows under the control of an omitted parameter.
    """

    when: Mapping[str, tuple[Any, ...]]
    omit: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    require: str = ""
    avoid: tuple[str, ...] = ()
    refusal: str = ""
    note: str = ""
    instead: str = ""

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the rule applies: the values match ``when``."""
        return all(
            is_set(values.get(name)) and (allowed == ("*",) or values[name] in allowed)
            for name, allowed in self.when.items()
        )


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """One model of the service.

    Attributes:
        name: its name at the service; empty for the model that stands for every unlisted one.
        description: a few words for choosing a model, shown through ``tr``.
        parameters: the parameters it takes, by name, in the order of the body.
        constraints: its rules about several parameters.
        actions: the kinds of operation that it offers.
        can: the capabilities for choosing it: ``image``, ``last_frame``, ``shots``, ``audio``, ``camera``,
            ``masks``.
    """

    name: str
    description: str
    parameters: Mapping[str, Parameter]
    constraints: tuple[Constraint, ...] = ()
    actions: tuple[str, ...] = ()
    can: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Model {self.name}: {tr(self.description)}; takes {', '.join(self.parameters)}>"

    def default(self, name: str) -> Any:
        """Return the default of a parameter; ``None`` if it has none or the model does not take it."""
        parameter = self.parameters.get(name)
        return None if parameter is None else parameter.default

    def active(self, values: Mapping[str, Any]) -> tuple[Constraint, ...]:
        """Return the constraints that hold for these values."""
        return tuple(constraint for constraint in self.constraints if constraint.holds(values))

    def unsent(self, values: Mapping[str, Any]) -> frozenset[str]:
        """Return the parameters that are not sent with these values, whether set or not."""
        return frozenset(name for one in self.active(values) for name in (*one.omit, *one.forbid))


class Models(Mapping[str, Model]):
    """The models of one contract, by name, in the order of its documentation.

    Args:
        contract: the contract's date.
        base_url: the address at which the service offers the contract.
        parameters: every parameter of the contract, by name, in the order of the body.
        models: the models that it lists.
        other: the model that stands for every unlisted one, which may take any parameter.
    """

    def __init__(
        self,
        contract: str,
        base_url: str,
        parameters: Mapping[str, Parameter],
        models: Mapping[str, Model],
        other: Model,
    ) -> None:
        self.contract, self.base_url, self.parameters, self.other = contract, base_url, parameters, other
        self._models = dict(models)

    def __getitem__(self, name: str) -> Model:
        if name not in self._models:
            raise KeyError(hide(str(name)))  # it may be an API key, pasted in the wrong place
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:{width}}  {tr(model.description)}" for name, model in self.items())

    def of(self, model: object) -> Model:
        """Return the description of a model; for an unlisted one, the description in ``other``."""
        return self._models.get(model, self.other) if isinstance(model, str) else self.other

    def taking(self, name: str) -> tuple[str, ...]:
        """Return the models that take a parameter."""
        return tuple(model.name for model in self.values() if name in model.parameters)

    def closest(self, name: str) -> str | None:
        """Return the most similar model name, for a misspelt one; ``None`` if none is similar."""
        import difflib  # needed for misspelt names only

        return next(iter(difflib.get_close_matches(name.lower(), self, n=1, cutoff=0.7)), None)
