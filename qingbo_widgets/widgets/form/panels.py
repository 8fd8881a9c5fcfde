"""Parts of the form that are made when they are first needed: behind a button, or beside a control.

An ``Editor`` is a widget for one field or a few. It sets traits of the form's state when the user
works in it, and is refreshed when the form has changed, by the user or by code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ..base import html as markup
from ..base.build import made
from ..base.composite import Composite
from ..base.html import Markup
from ..base.ipw import VBox
from ..base.sync import update
from .state import FormState, Problems

__all__ = ["Beside", "Editor", "Panel", "Panels", "Slot", "hidden_style", "indented", "problems_html"]

_TO_MEND = N_("{label} ({number} to mend)")
_WITH_VALUE = N_("{label}: {value}")
_CLOSED, _OPEN = "caret-right", "caret-down"


class Editor(Composite):
    """A part of the form, made when it is first needed, and closed with the form.

    Args:
        form: its traits are read and set; ``form.request`` is the request as it stands.
    """

    def __init__(self, form: FormState, children: Iterable[ipywidgets.Widget] = ()) -> None:
        self.form = form
        super().__init__(tuple(children), layout={"overflow": "visible"})

    def open_again(self) -> None:
        """Read anew what may have changed while the editor was folded away."""

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Show the form as it is now, and beside each thing what is wrong with it.

        Called after every change of the form while the editor is on the page, under no lock.

        Args:
            problems: of the whole request; ``problems_html`` picks and writes those of a field.
            warnings: likewise.
        """

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show what has become known of the request as it stands.

        Called on any thread, and so may write only what nobody edits.

        Args:
            problems: of the whole request.
            warnings: likewise.
        """


@dataclass(frozen=True)
class Panel:
    """A part of the form behind a button.

    Attributes:
        label: on the button, to be shown through ``tr``.
        help: the button's tooltip, likewise.
        make: builds the editor for a form; ``None`` for the fields' own controls.
        fields: what it edits. The button is shown where the model takes one of them, or always if there are
            none. While it is closed, their problems stand under the buttons.
        summary: the value in a few words, for the button; empty where there is none.
    """

    label: str
    help: str
    make: Callable[[FormState], Editor] | None
    fields: tuple[str, ...] = ()
    summary: Callable[[FormState], str] = lambda _: ""


@dataclass(frozen=True)
class Beside:
    """A part of the form below a control, there as long as it has something to say.

    Attributes:
        make: builds the editor for a form.
        is_shown: whether the form, as it stands, has use for it.
    """

    make: Callable[[FormState], Editor]
    is_shown: Callable[[FormState], bool]


class Slot(VBox):
    """The place of an editor that stands below a control: empty until the editor is first shown.

    Args:
        beside: what stands there.
        form: the form.
    """

    def __init__(self, beside: Beside, form: FormState) -> None:
        self._beside, self._form = beside, form
        self._editor: Editor | None = None
        super().__init__(layout={"overflow": "visible", "display": "none"})

    @property
    def editor(self) -> Any:
        """The editor, made now if it was not there."""
        if self._editor is None:
            self._editor = self._beside.make(self._form)
            with update(self):
                self.children = (self._editor,)
        return self._editor

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Bring the editor up to date, or hide it."""
        shown = self._beside.is_shown(self._form)
        if shown:
            self.editor.refresh(problems, warnings)
        with update():
            self.layout.display = None if shown else "none"

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Let the editor show what has become known, if there is one."""
        if self._editor is not None:
            self._editor.show_problems(problems, warnings)


class Panels(VBox):
    """A line of buttons, and below it the panels that they open. It has its height for every model.

    Args:
        panels: in the order of the buttons.
        form: the form.
        rows: makes the controls of some fields, each with its note below it.

    Attributes:
        buttons: the button of each panel.
        message: the problems of panels that are closed.
    """

    def __init__(
        self,
        panels: Mapping[str, Panel],
        form: FormState,
        rows: Callable[[Iterable[str]], Iterable[ipywidgets.Widget]],
    ) -> None:
        self._panels, self._form, self._rows = dict(panels), form, rows
        self._made: dict[str, Editor] = {}
        # Buttons and not an Accordion, whose headers the Tab key does not reach.
        self.buttons: dict[str, Any] = {}
        for name, panel in panels.items():
            self.buttons[name] = self._button(name, panel)
        self._line = ipywidgets.HBox(
            list(self.buttons.values()),
            layout={"flex_flow": "row wrap", "margin": "6px 0 2px", "overflow": "visible"},
        )
        self.message = ipywidgets.HTML(layout={"margin": "0"})
        super().__init__([self._line, self.message], layout={"overflow": "visible"})

    def editor(self, name: str) -> Any:
        """The editor of a panel, made now if it was not there."""
        if name not in self._made:
            editor = self._made[name] = self._make(self._panels[name])
            editor.layout.display = "none"
            # In the order of the buttons; a page draws those after a new one again, so it is rarely done.
            made = [self._made[name] for name in self._panels if name in self._made]
            with update(self):
                self.children = (self._line, self.message, *made)
        return self._made[name]

    def _make(self, panel: Panel) -> Editor:
        if panel.make is None:
            return Editor(self._form, self._rows(panel.fields))
        return panel.make(self._form)

    def is_open(self, name: str) -> bool:
        """Whether the panel is on the page."""
        return bool(self.buttons[name].value) and self._is_offered(self._panels[name])

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Bring buttons, and the panels that are open, up to date."""
        for name, panel in self._panels.items():
            button, shown = self.buttons[name], self.is_open(name)
            if shown:
                self.editor(name).refresh(problems, warnings)
            with update():  # here and below, one trait of each widget changes, which is one message
                button.icon = _OPEN if button.value else _CLOSED
                button.layout.display = None if self._is_offered(panel) else "none"
            if name in self._made:
                with update():
                    self._made[name].layout.display = None if shown else "none"
        self._write(problems, warnings)

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show what has become known on the buttons, below them, and in the panels that are open."""
        for name, editor in self._made.items():
            if self.is_open(name):
                editor.show_problems(problems, warnings)
        self._write(problems, warnings)

    def _write(self, problems: Problems, warnings: Problems) -> None:
        closed = [panel.fields for name, panel in self._panels.items() if not self.is_open(name)]
        with update():
            for name, panel in self._panels.items():
                self.buttons[name].description = self._described(panel, problems)
            self.message.value = markup.join(problems_html(fields, problems, warnings) for fields in closed)

    def _described(self, panel: Panel, problems: Problems) -> str:
        label, wrong = tr(panel.label), sum(problem.field in panel.fields for problem in problems)
        if wrong:
            return tr(_TO_MEND).format(label=label, number=wrong)
        value = panel.summary(self._form)
        return tr(_WITH_VALUE).format(label=label, value=value) if value else label

    def _is_offered(self, panel: Panel) -> bool:
        shown = [name for name in panel.fields if name not in self._form.hidden]
        taken = any(self._form.takes(name) for name in shown)
        return taken or not panel.fields

    def _toggle(self, name: str, is_open: bool) -> None:
        if is_open and name in self._made:
            self._made[name].open_again()
        self._form.refresh()

    def _button(self, name: str, panel: Panel) -> Any:
        first = next(iter(self.buttons.values()), None)
        button = made(
            ipywidgets.ToggleButton,
            tr(panel.help),
            description=tr(panel.label),
            icon=_CLOSED,
            style=first.style if first else {},
            layout={"width": "auto", "margin": "2px 6px 2px 0"} | _shown(self._is_offered(panel)),
        )
        button.observe(lambda change: self._toggle(name, change["new"]), "value")
        return button


def indented(*controls: ipywidgets.Widget) -> ipywidgets.HBox:
    """Controls without a label, where those with one begin."""
    row = ipywidgets.HBox(list(controls), layout={"overflow": "visible"})
    row.add_class("qingbo-note")
    return row


def _shown(shown: bool) -> dict[str, str]:
    return {} if shown else {"display": "none"}


def hidden_style(css: str) -> ipywidgets.HTML:
    """The style that an editor brings with it, so that the form need not carry it before; takes no room."""
    return ipywidgets.HTML(markup.style(css), layout={"display": "none"})


def problems_html(fields: str | Iterable[str], problems: Problems, warnings: Problems = ()) -> Markup:
    """Return what is wrong with a field or some, and what is to know, safe for HTML.

    The field's name at the beginning of a message is left out where it is one field: the label says it.
    """
    if not problems and not warnings:  # as nearly always, and for every field
        return Markup()
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    lines = []
    for found, kind in ((problems, "alarm"), (warnings, "hint")):
        for problem in found:
            if problem.field in names:
                message = problem.message
                if isinstance(fields, str):
                    message = message.removeprefix(f"{fields}: ")
                lines.append(markup.note(message, kind))
    return markup.join(lines)
