"""The controls of a form, each created on first access, and the options of a dropdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import ipywidgets

from ...service.contract.labels import label
from ...service.contract.schema import Models, Parameter
from ..base.build import create_widget
from ..base.sync import update
from .fields import LABEL_WIDTH, fields
from .labels import help_of

__all__ = ["Controls", "build", "offer", "relabel"]


def offer(
    choice: ipywidgets.Dropdown,
    options: Iterable[tuple[str, Any]],
    value: Any,
    shown: Callable[[Any], str] = str,
) -> None:
    """Set the options and select ``value``; if it is missing, add it with the label ``shown(value)``."""
    offered = list(options)
    if value not in [known for _, known in offered]:
        offered.append((shown(value), value))
    if list(choice.options) != offered:
        choice.options = offered
    choice.value = value


def relabel(choice: Any, options: Iterable[tuple[str, Any]]) -> None:
    """Give the options of a dropdown other labels. May be called on any thread, while the user chooses.

    The page keeps its selection: a choice that is on its way to the kernel must not be undone.

    Args:
        choice: the dropdown.
        options: its options with other labels; those that it has besides keep theirs.
    """
    with update(choice):
        labels = {value: text for text, value in options}
        value = choice.value
        choice.options = [(labels.get(one, text), one) for text, one in choice.options]
        choice.value = value
        choice._states_to_send.discard("index")  # which went to the first option, and back


class Controls(Mapping[str, Any]):
    """The controls of a form by field name, each created on first access.

    Args:
        make: creates the control of a field, from its name and the styles and layouts of earlier controls.
        names: the names of the fields.
    """

    def __init__(self, make: Callable[[str, dict[Any, Any]], Any], names: Iterable[str]) -> None:
        self._make, self._names = make, tuple(names)
        self._shared: dict[Any, Any] = {}
        #: The controls created so far.
        self.made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            if name not in self._names:
                raise KeyError(name)
            self.made[name] = self._make(name, self._shared)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def build(
    name: str, parameter: Parameter, models: Models, shared: dict[Any, Any] | None = None
) -> ipywidgets.DOMWidget:
    """Return the control of a field, with its label and tooltip.

    Args:
        name: the name of the field.
        parameter: its description by the chosen model.
        models: the models that can be chosen.
        shared: the styles and layouts that the controls of one form share, because each is a widget too.
    """
    edited, shared = fields(models.contract)[name], {} if shared is None else shared
    is_shared = edited.is_common and name != "prompt"
    size = tuple(edited.layout.items())
    offered = {} if edited.options is None else {"options": edited.options(parameter, models)}
    control = create_widget(
        edited.kind,
        help_of(parameter),
        f"qingbo-field-{name}",
        *edited.classes,
        description=label(parameter),
        style=shared.get(edited.kind, {"description_width": LABEL_WIDTH}),
        # A control that is hidden separately needs its own layout.
        layout=shared.get(size, dict(edited.layout)) if is_shared else dict(edited.layout),
        **edited.extra_traits(parameter),
        **offered,
    )
    shared.setdefault(edited.kind, control.style)
    if is_shared:
        shared.setdefault(size, control.layout)
    return control
