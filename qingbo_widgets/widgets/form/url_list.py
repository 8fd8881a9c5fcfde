"""A control for URLs and paths: a line for each, with buttons that move and remove it, and one for files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Bool, Int, Tuple, Unicode

from ...i18n import N_, tr
from ...service.contract.text import in_lines, urls_in
from ..base.build import button, create_widget, focus, set_tooltip
from ..base.composite import Composite, CompositeMixin
from ..base.ipw import HBox
from ..base.scripts import SCRIPTS_CLASS
from ..base.sync import Echo, lazy, update
from ..base.text_fields import Text
from .file_input import FILES_CLASS, KINDS_OF_FILES, make_file_input
from .form_fields import FormFields

__all__ = ["UrlList"]

_UP, _UP_HELP = N_("Up"), N_("Moves this URL before the one above.")
_DOWN, _DOWN_HELP = N_("Down"), N_("Moves this URL after the one below.")
_REMOVE, _REMOVE_HELP = N_("Remove"), N_("Removes this URL.")
_ADD, _ADD_HELP = N_("Add a URL"), N_("Adds a line at the end.")
_NUMBERED = N_("{label} {number}")
_LINE = {"flex_flow": "row wrap", "align_items": "center", "overflow": "visible", "width": "auto"}
_GROWING = {"flex": "1 1 300px", "width": "auto", "margin": "2px 0"}


class UrlList(Composite):
    """Several URLs or paths, one in each line; a single line looks like a text field.

    Args:
        style: the style of the text fields, with the width of their labels.
        **traits: initial values of the traits.
    """

    value = Unicode("", help="The URLs, each in a line.")
    description = Unicode("", help="The label of the control.")
    placeholder = Unicode("", help="The text in an empty line.")
    tooltip = Unicode("", help="The tooltip of each line.")
    disabled = Bool(False, help="Whether the control refuses input.")
    labels = Tuple(help="The label of each line with a URL; by default the number of the line.")
    most = Int(0, help="The maximum number of URLs; 0 for any number.")

    def __init__(self, *, style: Any = None, **traits: Any) -> None:
        self._style, self._echo = style or {}, Echo()
        self._rows: list[_Row] = []
        self._shown = 0
        #: The control for files; ``None`` if the list takes only what is typed.
        self.file_input: Any = None
        super().__init__(**traits)
        self._write(urls_in(self.value))
        self.observe(self._on_value, "value")
        self.observe(lambda _: self._draw(), ["description", "placeholder", "disabled", "labels", "most"])

    @lazy
    def _add(self) -> Any:
        return button(tr(_ADD), tr(_ADD_HELP), self._append, "qingbo-small", icon="plus")

    @lazy
    def _foot(self) -> Any:
        foot = ipywidgets.HBox([self._add], layout={"overflow": "visible"})
        for name in ("qingbo-note", f"{FILES_CLASS}-foot"):
            foot.add_class(name)
        return foot

    @property
    def style(self) -> Any:
        """The style of the text fields."""
        return self._rows[0].url.style

    @property
    def lines(self) -> tuple[Any, ...]:
        """The text fields on the page, in their order."""
        return tuple(row.url for row in self._rows[: self._shown])

    def take_files(self, media: str, form: FormFields) -> None:
        """Offer to choose, drop and paste files.

        Args:
            media: what they are: ``image``, ``mask`` or ``video``.
            form: the form; the library of its manager gets the files.
        """

        def folder() -> Path | None:
            return None if form.manager is None else form.manager.library.folder

        self.file_input = make_file_input(KINDS_OF_FILES[media], folder, lambda path, _: self.put(path))
        for name in (FILES_CLASS, SCRIPTS_CLASS):
            self.add_class(name)
        self._draw()

    def put(self, path: Path) -> None:
        """Put the path of a file into the first empty line, or into a new one; the only line is replaced."""
        texts = self._texts()
        empty = [index for index, text in enumerate(texts) if not text.strip()]
        if self.most == 1 or empty:
            texts[empty[0] if empty else 0] = str(path)
        elif self._room():
            texts.append(str(path))
        self._change(texts)

    def add(self) -> None:
        """Add an empty line at the end, as the button does."""
        self._append()

    def move(self, index: int, by: int) -> None:
        """Move the URL of a line up or down by some lines."""
        texts = self._texts()
        place = min(max(index + by, 0), len(texts) - 1)
        texts.insert(place, texts.pop(index))
        self._change(texts)
        focus(self._rows[place].button_after_move(by))

    def remove(self, index: int) -> None:
        """Remove a line."""
        texts = self._texts()
        del texts[index]
        self._change(texts or [""])
        focus(self._rows[min(index, self._shown - 1)].url)

    # ------------------------------------------------------------------ synchronisation

    def _texts(self) -> list[str]:
        return [line.value for line in self.lines]

    def _append(self) -> None:
        self._write([*self._texts(), ""])
        focus(self._rows[self._shown - 1].url)

    def _change(self, texts: list[str]) -> None:
        """Show these lines, and set the value to theirs."""
        self._write(texts)
        self._read()

    def _read(self) -> None:
        self.value = in_lines(filter(None, map(str.strip, self._texts())))

    def _on_value(self, change: Any) -> None:
        """Show a value that code has set; lines that say the same stay as typed."""
        if urls_in(change["new"]) != urls_in(in_lines(self._texts())):
            self._write(urls_in(change["new"]))
        self._draw()

    def on_typed(self) -> None:
        """Set the value from the lines; two URLs pasted into one line become two lines."""
        if self._echo:
            return
        texts = self._texts()
        parts = [urls_in(text) for text in texts]
        if any(len(part) > 1 for part in parts):
            self._write(one for text, part in zip(texts, parts, strict=True) for one in part or (text,))
        self._read()

    def _write(self, texts: Iterable[str]) -> None:
        """Show these lines, at least one."""
        lines = list(texts) or [""]
        while len(self._rows) < len(lines):
            self._rows.append(
                _Row(self, len(self._rows), self._rows[0].url.style if self._rows else self._style)
            )
        self._shown = len(lines)
        with self._echo, update(*(row.url for row in self._rows)):
            for row, text in zip(self._rows, lines, strict=False):
                row.url.value = text
        self._draw()

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        texts = self._texts()
        rows = self._rows[: self._shown]
        has_foot = any(map(str.strip, texts)) and (not self.most or len(rows) < self.most)
        last = (self.file_input, self._foot if has_foot else None)
        children = (*rows, *filter(None, last))
        with update(self, *(row.url for row in rows)):
            for index, row in enumerate(rows):
                row.show(self._label(index, texts), self.placeholder, self.tooltip, self.disabled, len(rows))
            if has_foot:
                self._add.disabled = self.disabled or not texts[-1].strip()
            if self.children != children:
                self.children = children
        if self.file_input is not None:
            with update(self.file_input):
                self.file_input.label, self.file_input.disabled = self.description, self.disabled
                self.file_input.several, self.file_input.room = self.most != 1, self._room()

    def _room(self) -> int:
        """Return how many files there is room for; -1 for any number, or if one replaces the other."""
        if self.most in (0, 1):
            return -1
        return max(self.most - sum(bool(text.strip()) for text in self._texts()), 0)

    def _label(self, index: int, texts: list[str]) -> str:
        if len(texts) == 1 and not texts[0].strip():
            return self.description
        if index < len(self.labels):
            return str(self.labels[index])
        return tr(_NUMBERED).format(label=self.description, number=index + 1) if index else self.description

    def _detached_parts(self) -> tuple[Any, ...]:
        return (*self._rows, self.file_input)


class _Row(CompositeMixin, HBox):
    """One line: a URL, and the buttons that move and remove it while there are several lines."""

    def __init__(self, owner: UrlList, index: int, style: Any) -> None:
        self._owner, self._index = owner, index
        self.url = create_widget(Text, style=style, layout=dict(_GROWING))
        self.url.observe(lambda _: owner.on_typed(), "value")
        self.buttons: dict[str, Any] = {}
        self._tools: Any = None
        super().__init__([self.url], layout=dict(_LINE), _dom_classes=(f"{FILES_CLASS}-line",))

    def show(self, label: str, placeholder: str, help_text: str, disabled: bool, count: int) -> None:
        """Show the label and, if there are several lines, the buttons."""
        self.url.description, self.url.placeholder, self.url.disabled = label, placeholder, disabled
        set_tooltip(self.url, help_text)
        if count > 1 and not self.buttons:
            self._make_buttons()
        with update(self, *self.buttons.values()):
            for name, is_end in (("up", self._index == 0), ("down", self._index == count - 1)):
                if name in self.buttons:
                    self.buttons[name].disabled = disabled or is_end
            if self.buttons:
                self.buttons["remove"].disabled = disabled
            children = (self.url, self._tools) if count > 1 else (self.url,)
            if self.children != children:
                self.children = children

    def button_after_move(self, by: int) -> Any:
        """Return the button for the next move in this direction, or the other one at an end."""
        forward, back = ("up", "down") if by < 0 else ("down", "up")
        return self.buttons[back if self.buttons[forward].disabled else forward]

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._tools,)

    def _make_buttons(self) -> None:
        owner, index = self._owner, self._index
        for name, text, help_text, act in (
            ("up", _UP, _UP_HELP, partial(owner.move, index, -1)),
            ("down", _DOWN, _DOWN_HELP, partial(owner.move, index, 1)),
            ("remove", _REMOVE, _REMOVE_HELP, partial(owner.remove, index)),
        ):
            self.buttons[name] = button(tr(text), tr(help_text), act, "qingbo-small")
        self._tools = ipywidgets.HBox(
            list(self.buttons.values()), layout={"margin": "0 0 0 4px", "overflow": "visible"}
        )
