"""``KeyChange``: the field for another key of a connection, shown where the service refused the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from ...i18n import N_, sentences, tr
from ..base import html as markup
from ..base.build import button, focus
from ..base.clicks import message_of
from ..base.composite import Composite
from ..base.html import Markup
from ..base.key_field import KeyEntry, keys_page
from ..base.sync import weakly

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = ["KeyChange"]

_USE_HELP = N_(
    "Checks the key at the service, at no cost, and uses it for this connection. Nothing is submitted."
)
_CLOSE_HELP = N_("Keeps the current key.")
#: A message to a field that the page does not have yet would be lost. A user who types elsewhere goes on.
_FOCUS = (
    "document.activeElement?.matches('input,textarea,select,[contenteditable]')||"
    "this.closest('.qingbo-key')?.querySelector('input')?.focus()"
)
_DONE = N_("The new key is in use.")
_PUT_IN = N_("Enter a key first.")


class KeyChange(Composite):
    """A field for another key of a manager, with the place of the present one.

    The manager keeps its tasks: those that the refused key cut off are followed again.

    Args:
        manager: the manager.
        on_done: called with a message once the new key is in use, on another thread, and with an empty one
            when the user closes the panel.
        takes_focus: whether the field gets the focus as soon as it is on the page, after a click.

    Attributes:
        key_field: the field for the key.
        use_button: checks the key and uses it.
    """

    def __init__(
        self, manager: Owner, on_done: Callable[[str], object], *, takes_focus: bool = False
    ) -> None:
        self._manager, self._on_done = manager, on_done
        label = tr("Use this key")
        self._entry = KeyEntry(
            label,
            weakly(self, "_use"),
            layout={"width": "auto", "max_width": "420px"},
            style={"description_width": "auto"},
        )
        self.key_field = self._entry.field
        self.use_button = button(label, tr(_USE_HELP), self._use)
        close = button(tr("Close"), tr(_CLOSE_HELP), lambda: self._on_done(""))
        present = markup.tag(
            "div", markup.text(manager.client.key_source), Markup(" "), keys_page(), class_="qingbo-dim"
        )
        super().__init__(
            [
                self.key_field,
                self._entry.message,
                ipywidgets.HBox([self.use_button, close], layout={"flex_flow": "row wrap"}),
                ipywidgets.HTML(present + (markup.run_in_page(_FOCUS) if takes_focus else Markup())),
            ],
            layout={"overflow": "visible", "margin": "4px 0"},
            _dom_classes=("qingbo-key",),
        )

    def focus(self) -> None:
        """Move the focus to the field, if it is on the page already."""
        focus(self.key_field)

    def _use(self) -> None:
        """Check the key and use it, after a click. The second click of a double click does nothing."""
        entry, manager = self._entry, self._manager
        if entry.is_checking:
            return
        if not self.key_field.is_filled:
            entry.show(sentences(entry.problem, tr(_PUT_IN)), "alarm" if entry.problem else "hint")
            return
        try:
            client = manager.client.with_key(self.key_field.take())
        except Exception as error:
            entry.fail(message_of(error))
            return

        def accept(note: str) -> None:
            manager.change_client(client)
            self._on_done(sentences(tr(_DONE), note))

        entry.check(client, accept)
