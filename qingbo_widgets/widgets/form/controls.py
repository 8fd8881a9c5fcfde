"""The controls of a form, each made when it is first needed; and how a choice offers what it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import ipywidgets

from ...service.contract.schema import Models, Parameter
from ..base.build import made
from .fields import LABEL_WIDTH, fields, help_of, label

__all__ = ["Controls", "build", "offer"]


def offer(
    choice: ipywidgets.Dropdown,
    options: Iterable[tuple[str, Any]],
    value: Any,
    shown: Callable[[Any], str] = str,
) -> None:
    """Offer these options with ``value`` chosen; a value that is not among them is ``shown`` all the same."""
    offered = list(options)
    if value not in [known for _, known in offered]:
        offered.append((shown(value), value))
    if list(choice.options) != offered:
        choice.options = offered
    choice.value = value


class Controls(Mapping[str, Any]):
    """The controls of a form by their field, each made when it is first asked for.

    Args:
        make: makes the control of a field; given its name, and the styles and layouts of those before.
        names: the fields.
    """

    def __init__(self, make: Callable[[str, dict[Any, Any]], Any], names: Iterable[str]) -> None:
        self._make, self._names = make, tuple(names)
        self._kin: dict[Any, Any] = {}
        #: Those that there are already.
        self.made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            if name not in self._names:
                raise KeyError(name)
            self.made[name] = self._make(name, self._kin)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def build(
    name: str, parameter: Parameter, models: Models, kin: dict[Any, Any] | None = None
) -> ipywidgets.DOMWidget:
    """The control of a field, with its label and its explanation.

    Args:
        name: the field.
        parameter: its description by the chosen model.
        models: those that can be chosen.
        kin: the styles and layouts that the controls of one form share: each is a widget too.
    """
    edited, kin = fields()[name], {} if kin is None else kin
    is_shared = edited.is_common and name != "prompt"
    size = tuple(edited.layout.items())
    offered = {} if edited.options is None else {"options": edited.options(parameter, models)}
    control = made(
        edited.kind,
        help_of(name),
        description=label(name),
        style=kin.get(edited.kind, {"description_width": LABEL_WIDTH}),
        # A control that is hidden by itself has a layout by itself.
        layout=kin.get(size, dict(edited.layout)) if is_shared else dict(edited.layout),
        **edited.given(parameter),
        **offered,
    )
    kin.setdefault(edited.kind, control.style)
    if is_shared:
        kin.setdefault(size, control.layout)
    return control
