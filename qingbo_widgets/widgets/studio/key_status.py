"""``KeyStatus``: the part of a studio that shows a refused key, and changes the key of its connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from ...i18n import N_, tr
from ...service.key_check import refusal_text
from ...tasks.background.key_checks import key_checks
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import button
from ..base.composite import Composite
from ..base.html import Markup
from ..base.sync import close_whole, update, weakly
from ..card.key_change import KeyChange

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = ["KeyStatus"]

_CHANGE_HELP = N_("Opens a field for another key. The form stays as it is.")


class KeyStatus(Composite):
    """The refusal of the key, and the field for another one. Empty while the key works.

    Args:
        on_change: called after the service has refused the key, or let another one in.

    Attributes:
        change_button: the button that opens the field, to be placed beside the name of the service.
        panel: the field; ``None`` while it is closed.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self.change_button = button(
            tr("Change key"),
            tr(_CHANGE_HELP),
            self.show_field,
            "qingbo-small",
            "qingbo-quiet",
            layout={"width": "auto", "display": "none", "margin": "2px 4px 2px 0"},
        )
        self.panel: KeyChange | None = None
        self._manager: Owner | None = None
        self._shown = self._text = ""
        self._note = ipywidgets.HTML()
        super().__init__([self._note], layout={"overflow": "visible"})

    def follow(self, manager: Owner, text: str = "") -> None:
        """Show the key of this manager from now on.

        Args:
            manager: the manager; a sandbox needs no key, so there is nothing to change.
            text: a note to show until the service refuses the key, or it is changed.
        """
        with update(self):
            self._close_panel()
            self._manager, self._text, self._shown = manager, text, ""
            self.change_button.layout.display = "none" if manager.is_sandbox else None
            self._show(text, "hint")
        self.refresh()

    def check_soon(self) -> None:
        """Find out in the background whether the service knows the key, once for each key."""
        manager = self._manager
        if manager is None or manager.is_sandbox or manager.client.was_checked:
            return
        key_checks.check(manager.client, weakly(self, "refresh"))

    def refresh(self) -> None:
        """Show a refusal that the service has sent since, with the field for another key."""
        with update(self):
            manager = self._manager
            if self.comm is None or manager is None or manager.is_sandbox:
                return
            if (refusal := manager.client.key_refusal) == self._shown:
                return
            self._shown = refusal
            self._show(refusal_text(refusal) if refusal else "", "alarm")
            if refusal:
                self._open_panel()
            self._on_change()

    def show_field(self) -> None:
        """Show the field for another key, with the focus in it."""
        with update(self):
            if self.comm is not None and self._manager is not None:
                self._open_panel(takes_focus=True).focus()

    def _open_panel(self, *, takes_focus: bool = False) -> KeyChange:
        if self.panel is None:
            assert self._manager is not None
            self.panel = KeyChange(self._manager, self._on_done, takes_focus=takes_focus)
            self.children = [self._note, self.panel]
        return self.panel

    def _close_panel(self) -> None:
        if self.panel is not None:
            panel, self.panel = self.panel, None
            self.children = [self._note]
            close_whole(panel)

    def _on_done(self, message: str) -> None:
        with update(self):
            self._close_panel()
            if message and self._manager is not None:
                self._shown = self._manager.client.key_refusal
                self._show(message, "hint")
                self._on_change()

    def _show(self, text: str, kind: str) -> None:
        html = markup.note(text, kind) if text else Markup()
        self._note.value = html + announcement(f"qingbo-key-{self.model_id}", text)
