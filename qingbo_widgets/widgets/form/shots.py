"""The editor of shots: several prompts, each with its duration, instead of one prompt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.values import Shot, is_integer, is_set
from ..base import html as markup
from ..base.build import button, set_tooltip, tooltip
from ..base.html import Markup
from ..base.ipw import Checkbox, VBox
from ..base.sync import Echo, update
from ..base.text_fields import Textarea
from . import shot_list as storyboard
from .fields import LABEL_WIDTH, WIDE, help_of
from .panels import Editor, hidden_style, problems_html
from .shot_list import Shots
from .state import FormState, Problems

__all__ = ["ShotsEditor", "ShotsSwitch", "seconds_text"]

_SWITCH = N_("Several shots")
_SHOT = N_("Shot {number}")
_SHOT_HELP = N_("What this shot shows: it stands in the video's prompt's place.")
_PLACEHOLDER = N_("What this shot shows")
_SECONDS = N_("Seconds")
_SECONDS_HELP = N_("How long this shot lasts, in whole seconds. All shots together last 3 to 15.")
_COUNTED = N_("{count} / {limit} characters")
_BLANK = N_("Write what this shot shows.")
_ADD = N_("Add a shot")
_ADD_HELP = N_("One more shot at the end; a video has two to six.")
_ENOUGH = N_("Six shots are the most.")
_SPAN = N_("{number}: {seconds} s")
_LEFT = N_("{left} s left")
_SPENT = N_("{total} of {limit} s, {left} s left")
_FULL = N_("{total} of {limit} s, nothing left")
_OVER = N_("{total} of {limit} s, {over} s too many")

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
    "split": (N_("Split"), N_("Makes two shots of this one: half of the seconds each."), storyboard.split),
    "duplicate": (
        N_("Duplicate"),
        N_("The same shot once more, right after this one."),
        storyboard.duplicate,
    ),
    "remove": (
        N_("Remove"),
        N_("Leaves this shot out. A video of shots has at least two."),
        storyboard.remove,
    ),
}

_CSS = markup.read_css(__file__, "shots.css")


class ShotsSwitch(Checkbox):
    """A switch between one prompt and several shots. Neither direction loses text.

    Args:
        form: the form.
    """

    def __init__(self, form: FormState) -> None:
        self._form = form
        self._saved_shots: Shots = ()
        super().__init__(
            description=tr(_SWITCH),
            indent=False,
            layout={"width": "auto", "margin": "0 2px"},
            **tooltip(ipywidgets.Checkbox, help_of("shots")),
        )
        self.observe(lambda _: self._turn(), "value")

    def refresh(self) -> None:
        """Update the switch after a change of the form."""
        form = self._form
        if is_set(form.shots):
            self._saved_shots = form.shots
        with update(self, self.layout):
            # A hidden switch keeps its space.
            self.layout.visibility = None if form.takes("shots") else "hidden"
            self.disabled = "shots" in form.fixed
            self.value = is_set(form.shots)

    def _turn(self) -> None:
        form = self._form
        if self.value and not is_set(form.shots):
            form.shots = self._saved_shots or storyboard.split((Shot(form.prompt, max(form.duration, 2)),), 0)
        elif not self.value and is_set(form.shots):
            form.shots = ()


class ShotsEditor(Editor):
    """The editor of two to six shots, with a bar that shows the distribution of the seconds.

    Args:
        form: the form whose ``shots`` are edited.
    """

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self.rows: list[_Row] = []
        self._bar = ipywidgets.HTML(layout={"margin": "0"})
        self._bar.add_class("qingbo-note")
        self._column = ipywidgets.VBox(layout={"overflow": "visible"})
        button_layout = {"width": "auto", "align_self": "flex-start"}
        self.add_button = button(tr(_ADD), tr(_ADD_HELP), self._add, icon="plus", layout=button_layout)
        foot = ipywidgets.HBox([self.add_button], layout={"margin": "2px 0"})
        foot.add_class("qingbo-note")
        self.children = (hidden_style(_CSS), self._bar, self._column, foot)

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Update the rows and the bar."""
        shots = self._shots
        while len(self.rows) < len(shots):
            self.rows.append(_Row(self, len(self.rows)))
        fixed = "shots" in self.form.fixed
        for row, shot in zip(self.rows, shots, strict=False):
            row.show(shot, shots, problems, warnings, fixed)
        whole = [problem for problem in problems if problem.field == "shots" and not problem.number]
        with update(self._bar, self._column, self.add_button):
            self._bar.value = _bar(shots) + problems_html("shots", tuple(whole))
            column = tuple(self.rows[: len(shots)])
            if self._column.children != column:
                self._column.children = column
            self.add_button.disabled = fixed or len(shots) >= storyboard.MOST
            set_tooltip(self.add_button, tr(_ENOUGH) if len(shots) >= storyboard.MOST else tr(_ADD_HELP))

    @property
    def prompts(self) -> list[Any]:
        """The text areas of the shots on the page."""
        return [row.prompt for row in self._column.children]

    def write(self, index: int, shot: Shot) -> None:
        """Set the shot of a row after the user has typed in it."""
        shots = self._shots
        if index < len(shots) and shots[index] != shot:
            self.form.shots = (*shots[:index], shot, *shots[index + 1 :])

    def act(self, name: str, index: int) -> None:
        """Run the action of a button that the user pressed in a row."""
        before = len(self._shots)
        self.form.shots = _ACTS[name][2](self._shots, index)
        # The focus follows the shot, and never goes to a button that is removed or disabled.
        place = index + {"up": -1, "down": 1, "split": 1, "duplicate": 1}.get(name, 0)
        row = self.rows[min(max(place, 0), len(self._shots) - 1)]
        wanted = row.buttons[name]
        if len(self._shots) > before:
            _focus(row.prompt)
        elif not wanted.disabled:
            _focus(wanted)
        else:
            _focus(row.buttons["down" if name == "up" else "up"] if name in ("up", "down") else row.prompt)

    def _detached_parts(self) -> tuple[Any, ...]:
        return tuple(self.rows)

    @property
    def _shots(self) -> Shots:
        shots = self.form.shots
        return shots if isinstance(shots, tuple) else (shots,)

    def _add(self) -> None:
        self.form.shots = storyboard.add(self._shots)
        _focus(self.rows[len(self._shots) - 1].prompt)


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
        for control, help_text in ((self.prompt, tr(_SHOT_HELP)), (self.seconds, tr(_SECONDS_HELP))):
            control.style.description_width = LABEL_WIDTH
            set_tooltip(control, help_text)
            control.observe(lambda _: self._typed(), "value")
        self.buttons = {name: self._button(name) for name in _ACTS}
        self._note = ipywidgets.HTML(layout={"margin": "0"})
        self._note.add_class("qingbo-note")
        tools = ipywidgets.HBox(
            [self.seconds, *self.buttons.values()], layout={"flex_flow": "row wrap", "overflow": "visible"}
        )
        super().__init__([self.prompt, tools, self._note], layout={"overflow": "visible"})

    def show(
        self,
        shot: Any,
        shots: Shots,
        problems: Problems,
        warnings: Problems,
        fixed: bool,
    ) -> None:
        """Show this shot."""
        at, parts = self._index, (self.prompt, self.seconds, *self.buttons.values(), self._note)
        text = shot.prompt if isinstance(shot, Shot) else shot
        text = text if isinstance(text, str) else "" if text is None else repr(text)
        length = getattr(shot, "duration", 0)
        disabled = {
            "up": at == 0,
            "down": at == len(shots) - 1,
            "split": not storyboard.can_split(shots, at),
            "duplicate": len(shots) >= storyboard.MOST,
            "remove": len(shots) <= storyboard.FEWEST,
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
        blank = not text.strip()
        mine = [p for p in problems if p.field == "shots" and p.number == self._index + 1]
        hints = [p for p in warnings if p.field == "shots" and p.number == self._index + 1]
        # An empty shot is not an error yet: advice replaces the first of its problems.
        limit = self._editor.form.parameter("shots").most
        line = tr(_BLANK) if blank else tr(_COUNTED).format(count=len(text), limit=limit)
        return markup.note(line) + problems_html("shots", tuple(mine[1:] if blank else mine), tuple(hints))

    def _typed(self) -> None:
        if not self._echo:
            self._editor.write(self._index, Shot(self.prompt.value, self.seconds.value))

    def _button(self, name: str) -> Any:
        description, help_text, _ = _ACTS[name]
        act = partial(self._act, name)
        return button(tr(description), tr(help_text), act, "qingbo-small")

    def _act(self, name: str) -> None:
        self._editor.act(name, self._index)


def seconds_text(shots: Any) -> str:
    """Return the distribution of the seconds as text."""
    total = storyboard.total(shots if isinstance(shots, tuple) else ())
    left = storyboard.LONGEST - total
    line = tr(_SPENT) if left > 0 else tr(_FULL) if left == 0 else tr(_OVER)
    return line.format(total=total, limit=storyboard.LONGEST, left=left, over=-left)


def _bar(shots: Shots) -> Markup:
    """Return the distribution of the seconds as a bar, for which ``seconds_text`` is the text alternative."""
    pieces = [
        (tr(_SPAN).format(number=number, seconds=length), "qingbo-piece", length)
        for number, shot in enumerate(shots, 1)
        if (length := storyboard.seconds(shot))
    ]
    left = storyboard.LONGEST - storyboard.total(shots)
    if left > 0:
        pieces.append((tr(_LEFT).format(left=left), "qingbo-rest", left))
    drawn = [
        markup.tag("span", markup.escape(text), class_=kind, style=f"flex:{length} 1 0")
        for text, kind, length in pieces
    ]
    return markup.tag("div", *drawn, class_="qingbo-bar", aria_hidden="true")


def _focus(control: Any) -> None:
    """Move the focus to a control, if ipywidgets supports it (8 and newer)."""
    if hasattr(control, "focus"):
        control.focus()
