"""The source of what a studio has put into its form, and the way back to the former content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.text import shorten
from ..base import html as markup
from ..base.build import button, focus, set_tooltip
from ..base.composite import CompositeMixin
from ..base.ipw import HBox
from ..base.sync import refresher, update, weakly
from ..form.request_form import RequestForm
from ..form.undo import FormContent, content_of, put_back

__all__ = ["Replacement"]

#: Seconds for which the fields that were filled in are marked.
MARKED = 1.8

_FROM = N_("From: {source}")
_LEFT_OUT = N_("Left out: {fields}")
_BACK_HELP = N_("Restores the former content of the form.")
_RESTORED = N_("Form restored.")
_UNDO_HELP = N_("Undoes the restore.")


class Replacement(CompositeMixin, HBox):
    """A line above a form that was filled in: its source, and a button that restores the form.

    Restoring can be undone as well, so that no click loses typed text.

    Args:
        form: the form.

    Attributes:
        button: restores the former content, or undoes that.
    """

    def __init__(self, form: RequestForm) -> None:
        self._form = form
        self._before: FormContent | None = None
        self._is_restored = False
        self._marked: list[Any] = []
        self._text = ipywidgets.HTML()
        self.button = button("✕", tr(_BACK_HELP), self._restore, "qingbo-small", "qingbo-quiet")
        super().__init__([self._text, self.button], layout={"display": "none"})
        self.add_class("qingbo-from")

    def fill(self, source: str, load: Callable[[], tuple[str, ...]]) -> None:
        """Fill in the form, say from what, mark the changed fields, and move the focus to the prompt.

        Args:
            source: the prompt of the task that the values are from.
            load: fills in the form; returns what could not be shown.
        """
        before = content_of(self._form)
        left_out = load()
        self._before, self._is_restored = before, False
        text = tr(_FROM).format(source=shorten(source, 80) or "…")
        lines = markup.user_text(text)
        if left_out:
            lines += markup.note(tr(_LEFT_OUT).format(fields="; ".join(left_out)), "hint")
        self._show(lines, "✕", tr(_BACK_HELP))
        self._mark(content_of(self._form).changed_from(before))
        focus(self._form.controls["prompt"])

    def dismiss(self) -> None:
        """Hide the line, because the form was submitted."""
        if self._before is not None:
            self._before = None
            with update():
                self.layout.display = "none"

    def unmark(self) -> None:
        """Remove the marks of the changed fields."""
        marked, self._marked = self._marked, []
        with update():
            for control in marked:
                if control.comm is not None:
                    control.remove_class("qingbo-filled")

    def _restore(self) -> None:
        before = self._before
        if before is None:
            return
        self._before = content_of(self._form)
        put_back(self._form, before)
        self._is_restored = not self._is_restored
        self._show(markup.text(tr(_RESTORED)), tr("Undo"), tr(_UNDO_HELP))
        self._mark(self._before.changed_from(before))
        focus(self._form.controls["prompt"])

    def _show(self, html: markup.Markup, label: str, help_text: str) -> None:
        with update(self._text, self.button, self.layout):
            self._text.value, self.button.description = html, label
            set_tooltip(self.button, help_text)
            self.layout.display = None

    def _mark(self, names: tuple[str, ...]) -> None:
        self.unmark()
        made = self._form.controls.made
        with update():
            self._marked = [made[name] for name in names if name in made]
            for control in self._marked:
                control.add_class("qingbo-filled")
        refresher.later(MARKED, weakly(self, "unmark"))
