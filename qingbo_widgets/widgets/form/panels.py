"""Parts of the form that are created on first use: panels behind a button, and companions of a control.

An ``Editor`` is a widget for one or a few fields. It sets traits of the form's state when the user edits it,
and is refreshed when the user or code has changed the form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.labels import label
from ...service.contract.problem import listed
from ...service.contract.values import is_set
from ..base import html as markup
from ..base.build import create_widget, set_tooltip
from ..base.composite import Composite
from ..base.html import Markup
from ..base.ipw import VBox
from ..base.sync import update
from .state import FormState, Problems
from .wording import problem_lines, problems_html, with_labels

__all__ = ["Companion", "Editor", "Panel", "Panels", "Slot", "hidden_style", "indented"]

_WITH_PROBLEM, _WITH_PROBLEMS = N_("{label} (1 error)"), N_("{label} ({number} errors)")
_WITH_VALUE = N_("{label}: {value}")
_NOT_SENT = N_("{label}: not sent now, because it {reason}.")
_CLOSED, _OPEN = "caret-right", "caret-down"


class Editor(Composite):
    """A part of the form, created on first use and closed with the form.

    Args:
        form: the form whose traits are read and set; ``form.request`` is the current request.
        children: the initial widgets of the editor.
    """

    def __init__(self, form: FormState, children: Iterable[ipywidgets.Widget] = ()) -> None:
        self.form = form
        super().__init__(tuple(children), layout={"overflow": "visible"})

    def reload(self) -> None:
        """Reload data that may have changed while the panel was closed."""

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Show the current state of the form, and the problems next to each control.

        Called after every change of the form while the editor is on the page, without holding the lock.

        Args:
            problems: those of the whole request; ``problems_html`` selects and formats those of a field.
            warnings: those of the whole request.
        """

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show new problems and warnings of the unchanged request.

        Called on any thread, so it must write only widgets that the user does not edit.

        Args:
            problems: the problems of the whole request.
            warnings: the warnings of the whole request.
        """


@dataclass(frozen=True)
class Panel:
    """A part of the form behind a button.

    Attributes:
        label: the label of the button, untranslated: show it through ``tr``.
        help: the tooltip of the button, untranslated; if it is empty, the tooltip lists the fields.
        make: builds the editor for a form; ``None`` for the fields' own controls.
        fields: the fields that the panel edits. The button is shown if the model takes one of them, or always
            if there are none. While the panel is closed, their problems are shown under the buttons.
        summary: returns a short text of the value, for the button; empty if there is no value.
    """

    label: str
    help: str
    make: Callable[[FormState], Editor] | None
    fields: tuple[str, ...] = ()
    summary: Callable[[FormState], str] = lambda _: ""


@dataclass(frozen=True)
class Companion:
    """A part of the form below a control, shown only while it applies.

    Attributes:
        make: builds the editor for a form.
        is_shown: returns True if the editor applies to the current state of the form.
    """

    make: Callable[[FormState], Editor]
    is_shown: Callable[[FormState], bool]


class Slot(VBox):
    """The container of an editor below a control, empty until the editor is first shown.

    Args:
        companion: the editor to show.
        form: the form.
    """

    def __init__(self, companion: Companion, form: FormState) -> None:
        self._companion, self._form = companion, form
        self._editor: Editor | None = None
        super().__init__(layout={"overflow": "visible", "display": "none"})

    @property
    def editor(self) -> Any:
        """The editor, created on first access."""
        if self._editor is None:
            self._editor = self._companion.make(self._form)
            with update(self):
                self.children = (self._editor,)
        return self._editor

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Refresh the editor, or hide it if it does not apply."""
        shown = self._companion.is_shown(self._form)
        if shown:
            self.editor.refresh(problems, warnings)
        with update():
            self.layout.display = None if shown else "none"

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show new problems and warnings in the editor, if it exists."""
        if self._editor is not None:
            self._editor.show_problems(problems, warnings)


class Panels(VBox):
    """A row of buttons, and below it the panels that they open. The row has the same height for every model.

    Args:
        panels: the panels by name, in the order of the buttons.
        form: the form.
        rows: creates the controls of some fields, each with its note below it.

    Attributes:
        buttons: the button of each panel.
        message: the problems in closed panels.
    """

    def __init__(
        self,
        panels: Mapping[str, Panel],
        form: FormState,
        rows: Callable[[Iterable[str]], Iterable[ipywidgets.Widget]],
    ) -> None:
        self._panels, self._form, self._rows = dict(panels), form, rows
        self._editors: dict[str, Editor] = {}
        # Not an Accordion, because the Tab key does not reach its headers.
        self.buttons: dict[str, Any] = {}
        for name, panel in panels.items():
            self.buttons[name] = self._button(name, panel)
        self._button_row = ipywidgets.HBox(
            list(self.buttons.values()),
            layout={"flex_flow": "row wrap", "margin": "6px 0 2px", "overflow": "visible"},
        )
        self.message = ipywidgets.HTML(layout={"margin": "0"})
        super().__init__([self._button_row, self.message], layout={"overflow": "visible"})

    def editor(self, name: str) -> Any:
        """Return the editor of a panel, creating it on first use."""
        if name not in self._editors:
            editor = self._editors[name] = self._make(self._panels[name])
            editor.layout.display = "none"
            editor.add_class(f"qingbo-panel-{name}")  # for page_aria.js, here and below
            editor.add_class("qingbo-panel")
            # In the order of the buttons. The page redraws all editors after a new one, but this is rare.
            editors = [self._editors[name] for name in self._panels if name in self._editors]
            with update(self):
                self.children = (self._button_row, self.message, *editors)
        return self._editors[name]

    def _make(self, panel: Panel) -> Editor:
        if panel.make is None:
            return Editor(self._form, self._rows(panel.fields))
        return panel.make(self._form)

    def is_open(self, name: str) -> bool:
        """Return True if the panel is open and offered for the current model."""
        return bool(self.buttons[name].value) and self._is_offered(self._panels[name])

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Refresh the buttons and the open panels."""
        for name, panel in self._panels.items():
            button, shown = self.buttons[name], self.is_open(name)
            if shown:
                self.editor(name).refresh(problems, warnings)
            with update():  # one trait of each widget changes here and below, so there is one message each
                button.icon = _OPEN if button.value else _CLOSED
                set_tooltip(button, self._help(panel))
                button.layout.display = None if self._is_offered(panel) else "none"
            if name in self._editors:
                with update():
                    self._editors[name].layout.display = None if shown else "none"
        self._write(problems, warnings)

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show new problems and warnings on the buttons, below them, and in the open panels."""
        for name, editor in self._editors.items():
            if self.is_open(name):
                editor.show_problems(problems, warnings)
        self._write(problems, warnings)

    def _write(self, problems: Problems, warnings: Problems) -> None:
        closed = [panel.fields for name, panel in self._panels.items() if not self.is_open(name)]
        idle = [note for fields in closed for note in self._idle_notes(fields)]
        with update():
            for name, panel in self._panels.items():
                self.buttons[name].description = self._button_text(name, panel, problems)
            issues = [problems_html(self._form, fields, problems, warnings) for fields in closed]
            self.message.value = markup.join([*idle, *issues])

    def _idle_notes(self, fields: Iterable[str]) -> list[Markup]:
        """Return the notes on values in a closed panel that other fields keep out of the request."""
        form, notes = self._form, []
        for name in fields:
            if is_set(getattr(form, name)) and (reason := form.unavailable(name)):
                text = tr(_NOT_SENT).format(
                    label=label(form.parameter(name)), reason=with_labels(form, tr(reason))
                )
                notes.append(markup.note(text))
        return notes

    def _button_text(self, name: str, panel: Panel, problems: Problems) -> str:
        text, lines = tr(panel.label), problem_lines(self._form, panel.fields, problems)
        # A part that was just added is not an error yet, as long as the user sees it.
        count = sum(kind == "alarm" or not self.is_open(name) for _, kind in lines)
        if count:
            template = tr(_WITH_PROBLEM) if count == 1 else tr(_WITH_PROBLEMS)
            return template.format(label=text, number=count)
        is_sent = any(map(self._form.counts, panel.fields))
        value = panel.summary(self._form) if is_sent else ""
        return tr(_WITH_VALUE).format(label=text, value=value) if value else text

    def _is_offered(self, panel: Panel) -> bool:
        return bool(self._fields_in(panel)) or not panel.fields

    def _fields_in(self, panel: Panel) -> list[str]:
        """Return the fields of a panel that it shows for the chosen model."""
        form = self._form
        return [name for name in panel.fields if name not in form.hidden and form.takes(name)]

    def _help(self, panel: Panel) -> str:
        labels = (label(self._form.parameter(name)) for name in self._fields_in(panel))
        return tr(panel.help) if panel.help else listed(labels)

    def _toggle(self, name: str, is_open: bool) -> None:
        if is_open and name in self._editors:
            self._editors[name].reload()
        self._form.refresh()

    def _button(self, name: str, panel: Panel) -> Any:
        first = next(iter(self.buttons.values()), None)
        button = create_widget(
            ipywidgets.ToggleButton,
            self._help(panel),
            f"qingbo-opens-{name}",
            description=tr(panel.label),
            icon=_CLOSED,
            style=first.style if first else {},
            layout={"width": "auto", "margin": "2px 6px 2px 0"} | _shown(self._is_offered(panel)),
        )
        button.observe(lambda change: self._toggle(name, change["new"]), "value")
        return button


def indented(*controls: ipywidgets.Widget) -> ipywidgets.HBox:
    """Return a row of unlabelled controls, aligned with the labelled controls."""
    row = ipywidgets.HBox(list(controls), layout={"overflow": "visible"})
    row.add_class("qingbo-note")
    return row


def _shown(shown: bool) -> dict[str, str]:
    return {} if shown else {"display": "none"}


def hidden_style(css: str) -> ipywidgets.HTML:
    """Return an invisible widget with the CSS of an editor, which the form loads only with the editor."""
    return ipywidgets.HTML(markup.style(css), layout={"display": "none"})
