"""``RequestForm``, a form with a control for each field of a ``VideoRequest``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...service.contract.labels import label
from ...service.contract.offered import offers_fields
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Parameter
from ...service.contract.text import urls_in
from ..base import html as markup
from ..base.build import create_widget, set_tooltip
from ..base.composite import Composite
from ..base.page_keys import keep_in_widgets
from ..base.sync import Echo, close_whole, update, weakly
from ..base.text_fields import Textarea
from . import loading, messages
from .controls import Controls, build, offer, relabel
from .fields import fields, is_settled, priced_options
from .image_fields import line_names
from .labels import help_of
from .layout import TOGETHER, by_model, companions, main, panels
from .model_prices import ModelPrices
from .panels import Panels, Slot
from .shot_fields import shot_field
from .shots import ShotsSwitch
from .state import FormState, Problems
from .url_list import UrlList

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["RequestForm"]


@offers_fields()
class RequestForm(FormState, Composite):
    """A form for one request.

    Each field of ``VideoRequest`` is a trait with a two-way binding to its control: setting ``form.prompt``
    updates the control, and typing updates the trait. Fields that the chosen model does not take are hidden
    and omitted from the request, but keep their value for a model that takes them.

    Args:
        manager: the manager that ``submit`` uses; the default manager if omitted.
        fixed: values of fields that cannot be changed, neither in the form nor in code.
        hide: fields that the form does not show. They keep their value, and are part of the request.
        **initial: initial values of the fields.

    Attributes:
        controls: the ipywidgets control of each field that has one, created on first access.
        manager: the argument ``manager``.
        fixed: the argument ``fixed``.
        hidden: the names of the fields that are not shown.

    Raises:
        TypeError: a field does not exist or has two values, or ``manager`` is not a manager.
    """

    _is_built = False

    def _build(self) -> None:
        self._fields = fields(self.models.contract)
        self.controls = Controls(self._make, [name for name in self._fields if name not in self.hidden])
        self._echo = Echo()
        self._notes: dict[str, Any] = {}
        self._offered: dict[str, tuple[Any, ...]] = {}
        self._described: dict[str, Parameter] = {}
        self._prices = ModelPrices(weakly(self, "_show_model_prices"))
        self._code_notes = create_widget(ipywidgets.HTML, "", "qingbo-note", layout={"display": "none"})
        self.shots_field = shot_field(self.models)
        is_hidden = self.shots_field is None or "shots" in self.hidden or self.shots_field.name in self.hidden
        self.switch = None if is_hidden or self.shots_field is None else ShotsSwitch(self, self.shots_field)
        self.slots = {name: Slot(part, self) for name, part in companions(self.models).items()}
        self.panels = Panels(panels(self.models), self, self.rows)
        self.children = self._parts()
        if not self._is_built:
            self.given = loading.given_of(self)
        self._is_built = True
        self.refresh()

    def _rebuild(self) -> None:
        """Replace every control and panel by those of another contract."""
        former = (*self.children, *self._detached_parts())
        self._build()
        for part in former:
            close_whole(part)

    def _options(self) -> dict[str, Any]:
        return {"layout": {"overflow": "visible"}, "_dom_classes": ("qingbo",)}

    # ------------------------------------------------------------------ state

    @property
    def obstacle(self) -> str:
        """The reason why the form cannot be submitted yet, as a sentence; empty if it can."""
        return messages.obstacle(self, self.problems)

    def with_text(self, label: str, text: str) -> VideoRequest | None:
        """Return the request with this text in the prompt with this label; ``None`` without such a prompt.

        The page sends the current text of the prompt. Earlier messages may still be pending, even on another
        thread, so the form is updated too, but its own value is not used.
        """
        request, made = self.request, self.controls.made
        text_areas = [name for name, field in self._fields.items() if field.kind is Textarea]
        for name in text_areas:
            if name in made and made[name].description == label and self.counts(name):
                made[name].value = text
                return request.replace(**{name: self._fields[name].read(text, self.parameter(name))})
        field = self.shots_field
        slot = None if field is None else self.slots[field.anchor]
        rows = [] if field is None or slot is None or slot.layout.display == "none" else slot.editor.prompts
        for index, row in enumerate(rows):
            if row.description == label and field is not None:
                row.value = text
                return field.with_text(request, index, text)
        return None

    # ------------------------------------------------------------------ filling in

    def load(self, source: Task | VideoRequest | Mapping[str, Any] | str) -> tuple[str, ...]:
        """Fill in the form from a task, a request, its fields, or the name of a preset.

        Returns:
            The values that could not be shown, as ``label: value``.

        Raises:
            KeyError: there is no preset with this name.
            ValueError: the task's request is not known.
        """
        return loading.load(self, source)

    def paste(self, text: str) -> tuple[str, ...]:
        """Fill in the form from the service's JSON, a part of it, or a curl command.

        Returns:
            The values that have no place in the form, as ``label: value``.

        Raises:
            ValueError: the text is neither; the message gives the position of the error.
        """
        return loading.paste(self, text)

    def save(self, name: str) -> None:
        """Save the form as a preset in the library's folder.

        Raises:
            ValueError: the name is not valid.
            OSError: the folder cannot be written.
        """
        loading.presets_of(self).save(name, loading.fields_of(self))

    def reset(self) -> None:
        """Reset every field to the value that the code set when it created the form."""
        loading.fill(self, self.given)

    def _detached_parts(self) -> tuple[Any, ...]:
        return (*self.controls.made.values(), *self.slots.values())

    # ------------------------------------------------------------------ binding

    def _make(self, name: str, shared: dict[Any, Any]) -> Any:
        """Create a control, and bind it to its trait in both directions."""
        parameter = self.parameter(name)
        control = build(name, parameter, self.models, shared)
        if isinstance(control, UrlList) and parameter.media:
            control.take_files(parameter.media, self)
        self._show(name, control)
        control.observe(lambda change: self._on_input(name, change["new"]), "value")
        return control

    def _on_input(self, name: str, value: Any) -> None:
        """Set the trait from the new value of its control."""
        if not self._echo:
            setattr(self, name, self._fields[name].read(value, self.parameter(name)))
            if name == "shot_type" and self.switch is not None:
                self.switch.follow_type()

    def _update_value(self, name: str, control: Any) -> None:
        edited, parameter = self._fields[name], self.parameter(name)
        value = self.shown_value(name)
        if edited.options is None:
            # An equal value must not overwrite the text while the user types.
            if edited.read(control.value, parameter) != value:
                control.value = edited.write(value, parameter)
            return
        # The options of ``model`` depend on the contract, all other options on the description.
        prices = self.model_prices if name == "model" else None
        offered, last = (self.models, parameter, value, prices), self._offered.get(name)
        if last is not None and control.value == value and all(map(operator.is_, offered, last)):
            return
        options = edited.options(parameter, self.models)
        if prices:
            options = priced_options(self.models, prices)
        offer(control, options, value, edited.shown)
        self._offered[name] = offered

    # ------------------------------------------------------------------ drawing

    def refresh(self) -> None:
        """Check the whole request again, and draw the changes."""
        if not self._is_built:
            return
        self._prices.follow(self.manager)
        self.model_prices = self._prices.texts
        is_current, (problems, warnings) = self.checkpoint(), self.check()
        controls = self.controls.made
        layouts = [control.layout for name, control in controls.items() if self._is_hidden_at_times(name)]
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
        """Show new problems and warnings of the unchanged request. May be called on any thread.

        Does not write to controls, because the user may be typing.
        """
        is_current, (problems, warnings) = self.checkpoint(), self.check()
        for slot in self.slots.values():
            slot.show_problems(problems, warnings)
        self.panels.show_problems(problems, warnings)
        self._write(problems, warnings, is_current)

    def _show_model_prices(self) -> None:
        """Show the prices of the models. Called on any thread, maybe while the user chooses a model."""
        with update(), self._echo:
            if self.comm is None:  # closed meanwhile
                return
            self.model_prices = self._prices.texts
            if "model" in self.controls.made:
                relabel(self.controls["model"], priced_options(self.models, self.model_prices))
                self._offered.pop("model", None)
        self.show_problems()  # the note below the list depends on the length of the text in it

    def _write(self, problems: Problems, warnings: Problems, is_current: Callable[[], bool]) -> None:
        with update():  # one trait of each widget changes, so there are no messages to combine
            for name, note in self._notes.items():
                note.value = messages.below(self, name, problems, warnings)
            self._code_notes.value = messages.code_notes(self, problems, warnings)
            self._code_notes.layout.display = None if self._code_notes.value else "none"
        # Outside the lock, because user code may observe the trait.
        self.set_trait("problems", problems)
        # Another thread may have received an image report meanwhile, and shown it already.
        if not is_current():
            self.show_problems()

    def _show(self, name: str, control: Any) -> None:
        """Update one control: its value, texts, visibility and disabled state."""
        self._update_value(name, control)
        self._update_texts(name, control)
        if self._is_hidden_at_times(name):
            control.layout.display = None if self._is_shown(name) else "none"
        is_idle = self.takes(name) and not self.counts(name) and name != "prompt"
        control.disabled = name in self.fixed or is_idle or bool(self.unavailable(name))

    def _update_texts(self, name: str, control: Any) -> None:
        """Update the texts that depend on the model, and the names of several URLs."""
        parameter = self.parameter(name)
        texts, last = label(parameter), self._described.get(name)
        if last is not None and last is not parameter:
            control.description = texts
            set_tooltip(control, help_of(parameter))
            if control.has_trait("placeholder"):
                control.placeholder = self._fields[name].extra_traits(parameter).get("placeholder", "")
        self._described[name] = parameter
        if isinstance(control, UrlList):
            control.labels = line_names(self, name, max(parameter.most, len(urls_in(control.value))))
            control.most = 1 if parameter.type == "url" else parameter.most

    def _is_shown(self, name: str) -> bool:
        """Return True if the field's control is shown for the chosen model and the other fields."""
        if name == "prompt":
            return self.counts(name)
        if name == "shot_type" and self.shots_field is not None:
            return self.takes(name) and (self.shots_field.is_used(self) or self.shot_type is not None)
        return self.takes(name) and not (is_settled(self.parameter(name)) and not self.is_chosen(name))

    def _is_hidden_at_times(self, name: str) -> bool:
        return name == "prompt" or not self._fields[name].is_common

    # ------------------------------------------------------------------ building

    def _parts(self) -> list[Any]:
        return [
            ipywidgets.HTML(markup.style() + keep_in_widgets()),
            *self._main_rows(),
            # One area for fields that only some models take, so that the widgets below do not jump.
            ipywidgets.VBox(
                self.rows(by_model(self.models)), layout={"overflow": "visible", "min_height": "34px"}
            ),
            self._code_notes,
            self.panels,
        ]

    def _main_rows(self) -> list[Any]:
        """Return the rows at the top of the form; short fields share one."""
        names = main(self.models)
        short = [name for name in names if name in TOGETHER]
        at = names.index(short[0]) if short else len(names)
        after = [name for name in names[at:] if name not in TOGETHER]
        together = create_widget(
            ipywidgets.HBox, "", "qingbo-together", children=self.rows(short), layout={"overflow": "visible"}
        )
        return [*self.rows(names[:at]), together, *self.rows(after)]

    def rows(self, names: Iterable[str]) -> list[Any]:
        """Return the controls of some fields, each with its note below it."""
        rows = []
        for name in names:
            if name in self.controls:
                note = self._make_note(name)
                if name == "prompt" and self.switch is not None:
                    note = ipywidgets.HBox(
                        [note, self.switch], layout={"min_height": "28px", "max_width": "742px"}
                    )
                rows += [self.controls[name], note]
                rows += [self.slots[name]] if name in self.slots else []
        return rows

    def _make_note(self, name: str) -> Any:
        # An empty note takes no space, so all notes can share one layout.
        first = next(iter(self._notes.values()), None)
        layout = {"margin": "0", "flex": "1 1 auto"}
        shared = {"layout": first.layout, "style": first.style} if first else {"layout": layout}
        note = self._notes[name] = create_widget(
            ipywidgets.HTML, "", "qingbo-note", f"qingbo-about-{name}", **shared
        )
        return note
