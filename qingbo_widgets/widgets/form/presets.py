"""The panel of presets and earlier tasks: saves the form under a name, and fills it in from saved data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...library.entry import Entry
from ...service.contract.request import VideoRequest
from ...system.times import local_time
from ..base import html as markup
from ..base.build import button, set_tooltip
from ..base.clicks import message_of
from ..base.sync import update
from ..base.text_fields import Text
from .fields import LABEL_WIDTH
from .loading import fields_of, fill, load, presets_of
from .panels import Editor, indented
from .state import FormState

__all__ = ["PresetsPane"]

#: The maximum number of earlier tasks offered.
_MOST_TASKS = 50

_NAME = N_("Save as")
_NAME_PLACEHOLDER = N_("A name for what is in the form")
_NAME_HELP = N_("The name of the preset. It is a file in the library's folder, which you can pass on.")
_SAVE = N_("Save")
_SAVE_HELP = N_("Keeps the form under this name, in the place of what had this name before.")
_PRESET = N_("Preset")
_PRESET_HELP = N_("The presets in the library's folder.")
_LOAD = N_("Load")
_LOAD_HELP = N_("Fills the form in from the preset.")
_REMOVE = N_("Remove")
_REMOVE_HELP = N_("Removes the preset from the library's folder.")
_TASK = N_("Earlier task")
_TASK_HELP = N_("The tasks of this library, newest first.")
_START = N_("Start from it")
_START_HELP = N_("Fills the form in as it was for this task. Nothing is submitted.")
_AFRESH = N_("Start afresh")
_AFRESH_HELP = N_("Empties the form: every field as it was when the form was made.")
_NONE = N_("none yet")
_SAVED = N_("Saved as {name}.")
_LOADED = N_("The form is filled in from {name}.")
_REMOVED = N_("{name} is removed.")
_LEFT_OUT = N_("The form is filled in. Left out: {fields}")
_FRESH = N_("The form is as it was at the start.")
_ENTRY = "{when}  {model}  {prompt}"


class PresetsPane(Editor):
    """Controls to save, load and remove presets, start from an earlier task, and reset the form."""

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self._entries: dict[str, Entry] = {}
        self.name = Text(description=tr(_NAME), placeholder=tr(_NAME_PLACEHOLDER), layout=_GROWING)
        self.preset = ipywidgets.Dropdown(description=tr(_PRESET), layout=_GROWING)
        self.task = ipywidgets.Dropdown(description=tr(_TASK), layout=_GROWING)
        for control, help_text in (
            (self.name, tr(_NAME_HELP)),
            (self.preset, tr(_PRESET_HELP)),
            (self.task, tr(_TASK_HELP)),
        ):
            control.style.description_width = LABEL_WIDTH
            set_tooltip(control, help_text)
        self.save_button = self._button(tr(_SAVE), tr(_SAVE_HELP), self._save)
        self.load_button = self._button(tr(_LOAD), tr(_LOAD_HELP), self._load)
        self.remove_button = self._button(tr(_REMOVE), tr(_REMOVE_HELP), self._remove)
        self.start_button = self._button(tr(_START), tr(_START_HELP), self._start)
        self.afresh_button = self._button(tr(_AFRESH), tr(_AFRESH_HELP), self._start_afresh)
        self._message = ipywidgets.HTML()
        self._message.add_class("qingbo-note")
        self.children = (
            _row(self.name, self.save_button),
            _row(self.preset, self.load_button, self.remove_button),
            _row(self.task, self.start_button),
            indented(self.afresh_button),
            self._message,
        )
        self._act(self._read)

    def reload(self) -> None:
        """Read presets and tasks again; typing in the form changes neither."""
        self._act(self._read)

    def _read(self, chosen: str = "") -> str:
        names = presets_of(self.form).names()
        manager = self.form.find_manager()
        entries = manager.library.entries(limit=_MOST_TASKS)
        self._entries = {entry.key: entry for entry in entries if entry.request is not None}
        tasks = [(_task_text(entry), key) for key, entry in self._entries.items()]
        with update(self.preset, self.task, self.load_button, self.remove_button, self.start_button):
            self.preset.options = [(name, name) for name in names] or [(tr(_NONE), "")]
            self.preset.value = chosen if chosen in names else self.preset.options[0][1]
            self.task.options = tasks or [(tr(_NONE), "")]
            self.task.value = self.task.options[0][1]
            self.load_button.disabled = self.remove_button.disabled = not names
            self.start_button.disabled = not tasks
        return ""

    def _save(self) -> str:
        name = presets_of(self.form).save(self.name.value, fields_of(self.form))
        self._read(name)
        with update(self.name):
            self.name.value = ""
        return tr(_SAVED).format(name=name)

    def _load(self) -> str:
        left_out = load(self.form, self.preset.value)
        return (
            tr(_LEFT_OUT).format(fields="; ".join(left_out))
            if left_out
            else tr(_LOADED).format(name=self.preset.value)
        )

    def _remove(self) -> str:
        name = self.preset.value
        presets_of(self.form).remove(name)
        self._read()
        return tr(_REMOVED).format(name=name)

    def _start(self) -> str:
        entry = self._entries[self.task.value]
        left_out = load(self.form, VideoRequest.from_dict(entry.request or {}))
        return (
            tr(_LEFT_OUT).format(fields="; ".join(left_out))
            if left_out
            else tr(_LOADED).format(name=_task_text(entry))
        )

    def _start_afresh(self) -> str:
        fill(self.form, self.form.given)
        return tr(_FRESH)

    def _act(self, act: Callable[[], str]) -> None:
        """Run the action of a click, and show its message or error here, because a print would be lost."""
        try:
            message, kind = act(), "dim"
        except Exception as error:
            message, kind = message_of(error), "alarm"
        with update(self._message):
            self._message.value = markup.note(message, kind) if message else ""

    def _button(self, description: str, help_text: str, act: Callable[[], str]) -> Any:
        return button(description, help_text, lambda: self._act(act))


_GROWING = {"flex": "1 1 260px", "width": "auto", "margin": "2px 0"}


def _row(*children: Any) -> Any:
    return ipywidgets.HBox(
        list(children), layout={"flex_flow": "row wrap", "max_width": "740px", "overflow": "visible"}
    )


def _task_text(entry: Entry) -> str:
    return _ENTRY.format(
        when=local_time(entry.submitted_at),
        model=entry.model,
        prompt=markup.shorten(entry.prompt, 60),
    )
