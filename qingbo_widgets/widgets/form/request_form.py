"""``RequestForm``: a control for each field of a ``VideoRequest``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...service.contract.request import VideoRequest
from ...service.contract.values import Shot
from ..base import html as markup
from ..base.build import made
from ..base.composite import Composite
from ..base.sync import Echo, update
from ..base.text_fields import Textarea
from . import loading, messages
from .controls import Controls, build, offer
from .fields import fields
from .layout import MAIN, beside, by_model, panels
from .panels import Panels, Slot
from .shots import ShotsSwitch
from .state import FormState, Problems

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["RequestForm"]


class RequestForm(FormState, Composite):
    """A form for one request.

    Each field of ``VideoRequest`` is a trait, bound both ways to its control: set ``form.prompt`` and the
    control moves, type and the trait changes. What the chosen model does not take is hidden and left out of
    the request, and kept for when a model takes it again.

    Args:
        manager: where ``submit`` submits; the default one when left out.
        fixed: fields with a value that nobody can change, neither in the form nor in code.
        hide: fields that the form does not show. They keep their value, and count.
        **initial: first values of the fields.

    Attributes:
        controls: the ipywidgets control of each field that has one, made when it is first needed.
        manager: as given.
        fixed: as given.
        hidden: the names of the fields that are not shown.

    Raises:
        TypeError: for a field that does not exist, or is given twice, or a manager that is none.
    """

    _is_built = False

    def _build(self) -> None:
        self.controls = Controls(self._make, [name for name in fields() if name not in self.hidden])
        self._echo = Echo()
        self._notes: dict[str, Any] = {}
        self._offered: dict[str, tuple[Any, ...]] = {}
        self._in_code = made(ipywidgets.HTML, "", "qingbo-note", layout={"display": "none"})
        self.switch = None if "shots" in self.hidden else ShotsSwitch(self)
        self.slots = {name: Slot(part, self) for name, part in beside().items()}
        self.panels = Panels(panels(), self, self.rows)
        self.children = self._parts()
        self.given = loading.fields_of(self)
        self._is_built = True
        self.refresh()

    def _options(self) -> dict[str, Any]:
        return {"layout": {"overflow": "visible"}, "_dom_classes": ("qingbo",)}

    # ------------------------------------------------------------------ what it says

    @property
    def obstacle(self) -> str:
        """Why nothing can be submitted yet, in a sentence; empty when it can."""
        return messages.obstacle(self, self.problems)

    def with_text(self, label: str, text: str) -> VideoRequest | None:
        """Return the request with this text in the prompt of this label; ``None`` if there is no such prompt.

        The page tells what stands in a text now. What it told before may still be on its way, even on another
        thread, and so the form is brought up to date too but not asked.
        """
        request, made = self.request, self.controls.made
        texts = [name for name, field in fields().items() if field.kind is Textarea]
        for name in texts:
            if name in made and made[name].description == label and self.counts(name):
                made[name].value = text
                return request.replace(**{name: fields()[name].read(text, self.parameter(name))})
        rows = [] if self.counts("prompt") else self.slots["prompt"].editor.prompts
        for index, row in enumerate(rows):
            if row.description == label and index < len(request.shots):
                row.value = text
                shot = Shot(text, getattr(request.shots[index], "duration", 0))
                return request.replace(shots=(*request.shots[:index], shot, *request.shots[index + 1 :]))
        return None

    # ------------------------------------------------------------------ filling it in

    def load(self, source: Task | VideoRequest | Mapping[str, Any] | str) -> tuple[str, ...]:
        """Fill the form in from a task, a request, its fields, or the name of a preset.

        Returns:
            What could not be shown, as ``field: value``.

        Raises:
            KeyError: there is no preset of this name.
            ValueError: the task's request is not known.
        """
        return loading.load(self, source)

    def paste(self, text: str) -> tuple[str, ...]:
        """Fill the form in from the service's JSON, a part of it, or a curl command.

        Returns:
            What found no place, as ``field: value``.

        Raises:
            ValueError: the text is neither; the message says where it stops being it.
        """
        return loading.paste(self, text)

    def save(self, name: str) -> None:
        """Keep what is in the form as a preset in the library's folder.

        Raises:
            ValueError: it is no name.
            OSError: the folder cannot be written.
        """
        loading.presets_of(self).save(name, loading.fields_of(self))

    def start_afresh(self) -> None:
        """Set every field as the code has given it."""
        loading.fill(self, self.given)

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (*self.controls.made.values(), *self.slots.values())

    # ------------------------------------------------------------------ both ways

    def _make(self, name: str, kin: dict[Any, Any]) -> Any:
        """Make a control, and tie it and its trait to each other."""
        control = build(name, self.parameter(name), self.models, kin)
        self._show(name, control)
        control.observe(lambda change: self._take(name, change["new"]), "value")
        return control

    def _take(self, name: str, value: Any) -> None:
        """Set the trait of a control that has changed."""
        if not self._echo:
            setattr(self, name, fields()[name].read(value, self.parameter(name)))

    def _move(self, name: str, control: Any) -> None:
        edited, parameter, value = fields()[name], self.parameter(name), getattr(self, name)
        if edited.options is None:
            if edited.read(control.value, parameter) != value:  # never written back while the user types
                control.value = edited.write(value, parameter)
            return
        # The models that are offered depend on the contract, everything else on the description.
        offered, last = (self.models, parameter, value), self._offered.get(name)
        if last is not None and control.value == value and all(map(operator.is_, offered, last)):
            return
        offer(control, edited.options(parameter, self.models), value, edited.shown)
        self._offered[name] = offered

    # ------------------------------------------------------------------ drawing

    def refresh(self) -> None:
        """Look at the whole again, and draw what has changed."""
        if not self._is_built:
            return
        is_current, (problems, warnings) = self.judged(), self.judge()
        controls = self.controls.made
        layouts = [control.layout for name, control in controls.items() if _is_hidden_at_times(name)]
        with update(*controls.values(), *layouts), self._echo:
            for name, control in controls.items():
                self._show(name, control)
        if self.switch is not None:
            self.switch.refresh()
        for slot in self.slots.values():
            slot.refresh(problems, warnings)
        self.panels.refresh(problems, warnings)
        self._write(problems, warnings, is_current)

    def show_problems(self) -> None:
        """Show what has become known of the request as it stands. May be called on any thread.

        Moves no control: the user may be typing.
        """
        is_current, (problems, warnings) = self.judged(), self.judge()
        for slot in self.slots.values():
            slot.show_problems(problems, warnings)
        self.panels.show_problems(problems, warnings)
        self._write(problems, warnings, is_current)

    def _write(self, problems: Problems, warnings: Problems, is_current: Callable[[], bool]) -> None:
        with update():  # of each widget, one trait: there are no messages to be made one
            for name, note in self._notes.items():
                note.value = messages.below(self, name, problems, warnings)
            self._in_code.value = messages.of_code(self, problems, warnings)
            self._in_code.layout.display = None if self._in_code.value else "none"
        # Outside the lock: the user may observe it.
        self.set_trait("problems", problems)
        # Another thread may have learnt of an image since, and told of it already.
        if not is_current():
            self.show_problems()

    def _show(self, name: str, control: Any) -> None:
        """Bring one control up to date."""
        self._move(name, control)
        taken = self.counts(name) if name == "prompt" else self.takes(name)
        if _is_hidden_at_times(name):
            control.layout.display = None if taken else "none"
        control.disabled = name in self.fixed or (taken and not self.counts(name))

    # ------------------------------------------------------------------ building

    def _parts(self) -> list[Any]:
        return [
            ipywidgets.HTML(markup.style()),
            *self.rows(MAIN),
            # One place for what some models take: what stands below does not jump.
            ipywidgets.VBox(self.rows(by_model()), layout={"overflow": "visible", "min_height": "34px"}),
            self._in_code,
            self.panels,
        ]

    def rows(self, names: Iterable[str]) -> list[Any]:
        """The controls of some fields, each with its note below it."""
        rows = []
        for name in names:
            if name not in self.hidden:
                note = self._make_note(name)
                if name == "prompt" and self.switch is not None:
                    note = ipywidgets.HBox([note, self.switch], layout={"min_height": "28px"})
                rows += [self.controls[name], note]
                rows += [self.slots[name]] if name in self.slots else []
        return rows

    def _make_note(self, name: str) -> Any:
        # An empty one takes no room, so one layout does for all.
        first = next(iter(self._notes.values()), None)
        layout = {"margin": "0", "flex": "1 1 auto"}
        shared = {"layout": first.layout, "style": first.style} if first else {"layout": layout}
        note = self._notes[name] = made(ipywidgets.HTML, "", "qingbo-note", **shared)
        return note


def _is_hidden_at_times(name: str) -> bool:
    return name == "prompt" or not fields()[name].is_common
