"""The panel of presets and earlier tasks: saves the form under a name, and fills it in from saved data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...library.entry import Entry
from ...service.contract.request import VideoRequest
from ...service.contract.text import shorten
from ...system.times import local_time
from ..base import html as markup
from ..base.build import button, focus, set_tooltip
from ..base.clicks import message_of
from ..base.sync import update
from ..base.text_fields import Text
from .fields import LABEL_WIDTH
from .loading import fields_of, fill, load, presets_of
from .panels import Editor, indented
from .state import FormState
from .undo import content_of, put_back

__all__ = ["PresetsPane"]

#: The maximum number of earlier tasks offered.
_MOST_TASKS = 50

_NAME = N_("Save as")
_NAME_PLACEHOLDER = N_("A name for the preset")
_NAME_HELP = N_("The name of the preset. It is a file in the library's folder, which you can share.")
_SAVE = N_("Save")
_SAVE_HELP = N_("Saves the form under this name. It replaces a preset of the same name.")
_PRESET = N_("Preset")
_PRESET_HELP = N_("The presets in the library's folder.")
_LOAD = N_("Load")
_LOAD_HELP = N_("Fills in the form from the preset.")
_REMOVE = N_("Remove")
_REMOVE_HELP = N_("Removes the preset from the library's folder.")
_TASK = N_("Earlier task")
_TASK_HELP = N_("The tasks of this library, newest first.")
_START = N_("Use settings")
_START_HELP = N_("Fills in the form as it was for this task. Nothing is submitted.")
_RESET = N_("Reset")
_RESET_HELP = N_("Resets every field to its initial value.")
_UNDO, _UNDO_HELP = N_("Undo"), N_("Undoes the last action in this panel.")
_NONE = N_("none yet")
_SAVED = N_("Saved as {name}.")
_REPLACED = N_("Saved as {name}; the preset of that name was replaced.")
_LOADED = N_("The form is filled in from {name}.")
_REMOVED = N_("{name} is removed.")
_LEFT_OUT = N_("The form is filled in. Left out: {fields}")
_FRESH = N_("The form is reset.")
_UNDONE = N_("Undone.")
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
        self.reset_button = self._button(tr(_RESET), tr(_RESET_HELP), self._reset)
        self._undo: Callable[[], object] | None = None
        self.undo_button = button(
            tr(_UNDO), tr(_UNDO_HELP), self._take_back, "qingbo-small", layout={"width": "auto"}
        )
        self._message = ipywidgets.HTML()
        self.children = (
            _row(self.name, self.save_button),
            _row(self.preset, self.load_button, self.remove_button),
            _row(self.task, self.start_button),
            indented(self.reset_button),
            indented(self._message, self.undo_button),
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
        former = self._stored(self.name.value.strip())
        name = presets_of(self.form).save(self.name.value, fields_of(self.form))
        self._read(name)
        with update(self.name):
            self.name.value = ""
        if former is None:
            return tr(_SAVED).format(name=name)
        self._undo = partial(self._store, name, former)
        return tr(_REPLACED).format(name=name)

    def _load(self) -> str:
        name = self.preset.value
        return self._filled(lambda: load(self.form, name), name)

    def _remove(self) -> str:
        name = self.preset.value
        former = self._stored(name)
        presets_of(self.form).remove(name)
        self._read()
        self._undo = None if former is None else partial(self._store, name, former)
        if self.remove_button.disabled:  # it had the focus
            focus(self.name)
        return tr(_REMOVED).format(name=name)

    def _start(self) -> str:
        entry = self._entries[self.task.value]
        request = VideoRequest.from_dict(entry.request or {})
        return self._filled(lambda: load(self.form, request), _task_text(entry))

    def _reset(self) -> str:
        self._filled(lambda: fill(self.form, self.form.given), "")
        return tr(_FRESH)

    def _filled(self, act: Callable[[], tuple[str, ...]], name: str) -> str:
        """Fill in the form, which can be undone; return the message."""
        before = content_of(self.form)
        left_out = act()
        if content_of(self.form).changed_from(before):
            self._undo = lambda: put_back(self.form, before)
        if left_out:
            return tr(_LEFT_OUT).format(fields="; ".join(left_out))
        return tr(_LOADED).format(name=name)

    def _stored(self, name: str) -> dict[str, Any] | None:
        """Return a stored preset; ``None`` if there is none, or it is damaged and cannot be put back."""
        try:
            stored: dict[str, Any] = presets_of(self.form).load(name)
        except (KeyError, OSError, ValueError):
            return None
        return stored

    def _store(self, name: str, fields: Mapping[str, Any]) -> None:
        presets_of(self.form).save(name, fields)
        self._read(name)

    def _take_back(self) -> None:
        """Undo the last action. Filling in the form can be undone in turn, so that no click loses text."""
        undo, before = self._undo, content_of(self.form)
        if undo is None:
            return

        def act() -> str:
            undo()
            if content_of(self.form).changed_from(before):
                self._undo = lambda: put_back(self.form, before)
            return tr(_UNDONE)

        self._act(act)
        if self._undo is None:  # the button that had the focus is gone
            focus(self.name)

    def _act(self, act: Callable[[], str]) -> None:
        """Run the action of a click, and show its message or error here, because a print would be lost."""
        self._undo = None
        try:
            message, kind = act(), "dim"
        except Exception as error:
            message, kind = message_of(error), "alarm"
        with update(self._message, self.undo_button.layout):
            self._message.value = markup.note(message, kind) if message else ""
            self.undo_button.layout.display = None if self._undo else "none"

    def _button(self, description: str, help_text: str, act: Callable[[], str]) -> Any:
        return button(description, help_text, lambda: self._act(act))


#: A long option does not make the control wider than the form.
_GROWING = {"flex": "1 1 260px", "width": "auto", "min_width": "0", "margin": "2px 0"}


def _row(*children: Any) -> Any:
    return ipywidgets.HBox(
        list(children),
        layout={
            "flex_flow": "row wrap",
            "align_items": "flex-end",  # beside the field, also where its label is above it
            "max_width": "740px",
            "overflow": "visible",
        },
    )


def _task_text(entry: Entry) -> str:
    return _ENTRY.format(
        when=local_time(entry.submitted_at),
        model=entry.model,
        prompt=shorten(entry.prompt, 60),
    )
