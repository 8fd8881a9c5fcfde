"""The editor of shots: several prompts, each with its duration, instead of one prompt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.values import Shot, is_integer
from ..base import html as markup
from ..base.build import button, focus, set_tooltip, tooltip
from ..base.html import Markup
from ..base.ipw import Checkbox, VBox
from ..base.sync import Echo, update
from ..base.text_fields import Textarea
from . import shot_list as storyboard
from .fields import LABEL_WIDTH, WIDE
from .labels import help_of
from .panels import Editor, hidden_style
from .shot_fields import ShotField, SwitchedShots, shot_field
from .shot_list import ShotLimits, Shots
from .state import FormState, Problems
from .wording import character_count, problems_html

__all__ = ["ShotsEditor", "ShotsSwitch"]

_SWITCH = N_("Multi-shot")
_SHOT = N_("Shot {number}")
_SHOT_HELP = N_("What this shot shows.")
_PLACEHOLDER = N_("What this shot shows")
_SECONDS = N_("Seconds")
_SECONDS_HELP = N_("How long this shot lasts, in whole seconds. All shots together last at most {longest}.")
_BLANK = N_("Write what this shot shows.")
_ADD = N_("Add a shot")
_ADD_HELP = N_("Adds a shot at the end; a video has {fewest} to {most}.")
_ENOUGH = N_("A video has at most {most} shots.")
_SPAN = N_("{number}: {seconds} s")
_LEFT = N_("{left} s left")

#: The actions on one shot: the label of the button, its tooltip, and the function.
_ACTS: dict[str, tuple[str, str, Callable[[Shots, int], Shots]]] = {
    "up": (
        N_("Up"),
        N_("Moves this shot before the one above."),
        lambda shots, at: storyboard.move(shots, at, -1),
    ),
    "down": (
        N_("Down"),
        N_("Moves this shot after the one below."),
        lambda shots, at: storyboard.move(shots, at, 1),
    ),
    "split": (N_("Split"), N_("Splits this shot into two of half its length."), storyboard.split),
    "duplicate": (
        N_("Duplicate"),
        N_("Adds a copy of this shot after it."),
        storyboard.duplicate,
    ),
    "remove": (
        N_("Remove"),
        N_("Removes this shot."),
        storyboard.remove,
    ),
}

_CSS = markup.read_css(__file__, "shots.css")


class ShotsSwitch(Checkbox):
    """A switch between one prompt and several shots. Neither direction loses text.

    Args:
        form: the form.
        field: the field of its contract for several shots.
    """

    def __init__(self, form: FormState, field: ShotField) -> None:
        self._form, self._field = form, field
        self._saved_shots: Shots = ()
        super().__init__(
            description=tr(_SWITCH),
            indent=False,
            layout={"width": "auto", "margin": "0 2px"},
            **tooltip(ipywidgets.Checkbox, help_of(form.models.parameters[field.name])),
        )
        self.observe(lambda _: self._turn(), "value")

    def refresh(self) -> None:
        """Update the switch after a change of the form."""
        form, field = self._form, self._field
        self._saved_shots = field.read(form) or self._saved_shots
        with update(self, self.layout):
            # A hidden switch keeps its space.
            self.layout.visibility = None if form.takes(field.name) else "hidden"
            self.disabled = any(name in form.fixed for name in field.names)
            self.value = field.is_used(form)

    def follow_type(self) -> None:
        """List shots, or leave them to the model, after the user has chosen a type of shots."""
        if isinstance(self._field, SwitchedShots):
            self._field.follow_type(self._form, self._saved_shots)

    def _turn(self) -> None:
        if self.value and not self._field.is_used(self._form):
            self._field.start(self._form, self._saved_shots)
        elif not self.value and self._field.is_used(self._form):
            self._field.stop(self._form)


class ShotsEditor(Editor):
    """The editor of several shots, with a bar that shows the distribution of the seconds.

    Args:
        form: the form whose shots are edited.
    """

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        field = shot_field(form.models)
        assert field is not None  # the form offers the editor only then
        self.field = field
        self.rows: list[_Row] = []
        self._bar = ipywidgets.HTML(layout={"margin": "0"})
        self._bar.add_class("qingbo-note")
        self._column = ipywidgets.VBox(layout={"overflow": "visible"})
        button_layout = {"width": "auto", "align_self": "flex-start"}
        self.add_button = button(tr(_ADD), "", self._add, icon="plus", layout=button_layout)
        foot = ipywidgets.HBox([self.add_button], layout={"margin": "2px 0"})
        foot.add_class("qingbo-note")
        self.children = (hidden_style(_CSS), self._bar, self._column, foot)

    @property
    def limits(self) -> ShotLimits:
        """The limits of the form's model."""
        return self.field.limits(self.form)

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Update the rows and the bar."""
        shots, limits, name = self._shots, self.limits, self.field.name
        while len(self.rows) < len(shots):
            self.rows.append(_Row(self, len(self.rows)))
        fixed = name in self.form.fixed
        for row, shot in zip(self.rows, shots, strict=False):
            row.show(shot, shots, problems, warnings, fixed)
        whole = [problem for problem in problems if problem.field == name and not problem.number]
        with update(self._bar, self._column, self.add_button):
            self._bar.value = _bar(shots, limits.longest) + problems_html(self.form, name, whole)
            column = tuple(self.rows[: len(shots)])
            if self._column.children != column:
                self._column.children = column
            is_full = len(shots) >= limits.most
            self.add_button.disabled = fixed or is_full
            help_text = tr(_ENOUGH) if is_full else tr(_ADD_HELP)
            set_tooltip(self.add_button, help_text.format(fewest=limits.fewest, most=limits.most))

    @property
    def prompts(self) -> list[Any]:
        """The text areas of the shots on the page."""
        return [row.prompt for row in self._column.children]

    def write(self, index: int, shot: Shot) -> None:
        """Set the shot of a row after the user has typed in it."""
        shots = self._shots
        if index < len(shots) and shots[index] != shot:
            self.field.write(self.form, (*shots[:index], shot, *shots[index + 1 :]))

    def act(self, name: str, index: int) -> None:
        """Run the action of a button that the user pressed in a row."""
        before = len(self._shots)
        self.field.write(self.form, _ACTS[name][2](self._shots, index))
        # The focus follows the shot, and never goes to a button that is removed or disabled.
        place = index + {"up": -1, "down": 1, "split": 1, "duplicate": 1}.get(name, 0)
        row = self.rows[min(max(place, 0), len(self._shots) - 1)]
        wanted = row.buttons[name]
        if len(self._shots) > before:
            focus(row.prompt)
        elif not wanted.disabled:
            focus(wanted)
        else:
            focus(row.buttons["down" if name == "up" else "up"] if name in ("up", "down") else row.prompt)

    def _detached_parts(self) -> tuple[Any, ...]:
        return tuple(self.rows)

    @property
    def _shots(self) -> Shots:
        return self.field.read(self.form)

    def _add(self) -> None:
        self.field.write(self.form, self.limits.add(self._shots))
        focus(self.rows[len(self._shots) - 1].prompt)


class _Row(VBox):
    """The controls of one shot. Rows stay in place; shots move from row to row."""

    def __init__(self, editor: ShotsEditor, index: int) -> None:
        self._editor, self._index, self._echo = editor, index, Echo()
        label = tr(_SHOT).format(number=index + 1)
        self.prompt = Textarea(description=label, placeholder=tr(_PLACEHOLDER), rows=2, layout=WIDE)
        self.seconds = ipywidgets.IntText(
            description=tr(_SECONDS), layout={"width": "200px", "margin": "2px 8px 2px 0"}
        )
        self.seconds.add_class("qingbo-number")
        seconds_help = tr(_SECONDS_HELP).format(longest=editor.limits.longest)
        for control, help_text in ((self.prompt, tr(_SHOT_HELP)), (self.seconds, seconds_help)):
            control.style.description_width = LABEL_WIDTH
            set_tooltip(control, help_text)
            control.observe(lambda _: self._typed(), "value")
        self.buttons = {name: self._button(name) for name in _ACTS}
        self._note = ipywidgets.HTML(layout={"margin": "0"})
        self._note.add_class("qingbo-note")
        tools = ipywidgets.HBox(
            [self.seconds, *self.buttons.values()], layout={"flex_flow": "row wrap", "overflow": "visible"}
        )
        parts = [self.prompt, tools, self._note]
        super().__init__(parts, layout={"overflow": "visible"}, _dom_classes=("qingbo-row",))

    def show(
        self,
        shot: Any,
        shots: Shots,
        problems: Problems,
        warnings: Problems,
        fixed: bool,
    ) -> None:
        """Show this shot."""
        limits = self._editor.limits
        at, parts = self._index, (self.prompt, self.seconds, *self.buttons.values(), self._note)
        text = shot.prompt if isinstance(shot, Shot) else shot
        text = text if isinstance(text, str) else "" if text is None else repr(text)
        length = getattr(shot, "duration", 0)
        disabled = {
            "up": at == 0,
            "down": at == len(shots) - 1,
            "split": not limits.can_split(shots, at),
            "duplicate": len(shots) >= limits.most,
            "remove": len(shots) <= limits.fewest,
        }
        with update(*parts):
            with self._echo:
                self.prompt.value = text
                self.seconds.value = length if is_integer(length) else 0
            self.prompt.disabled = self.seconds.disabled = fixed
            for name, button in self.buttons.items():
                button.disabled = fixed or disabled[name]
            self._note.value = self._note_html(text, problems, warnings)

    def _note_html(self, text: str, problems: Problems, warnings: Problems) -> str:
        blank, editor = not text.strip(), self._editor
        name, number = editor.field.name, self._index + 1
        mine = [problem for problem in problems if problem.field == name and problem.number == number]
        hints = [hint for hint in warnings if hint.field == name and hint.number == number]
        # An empty shot is not an error yet: advice replaces the first of its problems.
        limit = editor.field.most_characters(editor.form)
        line = tr(_BLANK) if blank else character_count(len(text), limit)
        return markup.note(line) + problems_html(editor.form, name, mine[1:] if blank else mine, hints)

    def _typed(self) -> None:
        if not self._echo:
            self._editor.write(self._index, Shot(self.prompt.value, self.seconds.value))

    def _button(self, name: str) -> Any:
        description, help_text, _ = _ACTS[name]
        act = partial(self._act, name)
        return button(tr(description), tr(help_text), act, "qingbo-small")

    def _act(self, name: str) -> None:
        self._editor.act(name, self._index)


def _bar(shots: Shots, longest: int) -> Markup:
    """Return the distribution of the seconds as a bar, for which ``seconds_text`` is the text alternative."""
    pieces = [
        (tr(_SPAN).format(number=number, seconds=length), "qingbo-piece", length)
        for number, shot in enumerate(shots, 1)
        if (length := storyboard.seconds(shot))
    ]
    left = longest - storyboard.total(shots)
    if left > 0:
        pieces.append((tr(_LEFT).format(left=left), "qingbo-rest", left))
    drawn = [
        markup.tag("span", markup.text(text), class_=kind, style=f"flex:{length} 1 0")
        for text, kind, length in pieces
    ]
    return markup.tag("div", *drawn, class_="qingbo-bar", aria_hidden="true")
