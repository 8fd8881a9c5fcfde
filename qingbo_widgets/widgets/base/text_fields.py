"""Text fields that never hold the API key, for a text that is typed into a page is stored with the notebook.

The page may send anything. A key is taken out of the message, before the value is one: no observer, no other
thread that saves the widgets' state just then, and no other client of the kernel meets it.
"""

from __future__ import annotations

from typing import Any

from traitlets import Unicode, validate

from ...service.contract.pasted import keepable
from ...service.secrets.known_keys import hide
from . import ipw
from .unlogged import keep_out_of_the_log

__all__ = ["PasteArea", "Text", "Textarea"]


class _Guarded:
    """Takes the known keys out of the value of a text field."""

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take up what the page sends."""
        value = sync_data.get("value")
        kept = self._keepable(value) if isinstance(value, str) else value
        super().set_state({**sync_data, "value": kept} if kept != value else sync_data)  # type: ignore[misc]
        if kept != value:
            self.send_state("value")  # type: ignore[attr-defined]  # the page has another one

    @validate("value")
    def _guard(self, proposal: Any) -> str:
        """Take up what the code sets."""
        return self._keepable(proposal["value"])

    def _keepable(self, text: str) -> str:
        return hide(text)


class Text(_Guarded, ipw.Text):
    """A line of text."""


class Textarea(_Guarded, ipw.Textarea):
    """A text of several lines."""


class PasteArea(_Guarded, ipw.Textarea):
    """Takes what is pasted, without any key that may stand in it; a command becomes the JSON that it sends.

    The message from the page has the key all the same. So it is kept out of Jupyter's log, is no message for
    each letter, and is not repeated to the other clients of the kernel.
    """

    value = Unicode("", help="What was pasted; a key in it is taken out on its way in.").tag(
        sync=True, echo_update=False
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"continuous_update": False})
        keep_out_of_the_log(self)
        self.add_class("qingbo-paste")  # the script for Ctrl+Enter leaves it alone

    def _keepable(self, text: str) -> str:
        return keepable(text)
