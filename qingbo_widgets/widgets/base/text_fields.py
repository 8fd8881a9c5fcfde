"""Text fields that never hold the API key, because text typed into a page is stored with the notebook.

The page may send any text. A key is removed from the message before the trait is set, so that no observer, no
thread that saves the widgets' state at that moment, and no other client of the kernel receives it.
"""

from __future__ import annotations

from typing import Any

from traitlets import Unicode, validate

from ...service.contract.pasted import redacted
from ...service.secrets.known_keys import hide
from . import ipw
from .unlogged import keep_out_of_the_log

__all__ = ["PasteArea", "Text", "Textarea"]


class _Guarded:
    """A mixin that removes known keys from the value of a text field."""

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Apply a message from the page."""
        value = sync_data.get("value")
        clean = self._without_keys(value) if isinstance(value, str) else value
        super().set_state({**sync_data, "value": clean} if clean != value else sync_data)  # type: ignore[misc]
        if clean != value:
            self.send_state("value")  # type: ignore[attr-defined]  # the page still shows the key

    @validate("value")
    def _guard(self, proposal: Any) -> str:
        """Clean a value that is set in code."""
        return self._without_keys(proposal["value"])

    def _without_keys(self, text: str) -> str:
        return hide(text)


class Text(_Guarded, ipw.Text):
    """A text field of one line."""


class Textarea(_Guarded, ipw.Textarea):
    """A text field of several lines."""


class PasteArea(_Guarded, ipw.Textarea):
    """A field for pasted text, which removes any key in it; a curl command becomes the JSON that it sends.

    The message from the page still contains the key. So the message is kept out of Jupyter's log, is not sent
    for each letter, and is not echoed to the other clients of the kernel.
    """

    value = Unicode("", help="The pasted text; a key in it is removed before the value is set.").tag(
        sync=True, echo_update=False
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"continuous_update": False})
        keep_out_of_the_log(self)
        self.add_class("qingbo-paste")  # the script for Ctrl+Enter ignores this class

    def _without_keys(self, text: str) -> str:
        return redacted(text)
