"""``private_html_class``: HTML for the user at the page only, which is in no saved notebook.

Jupyter saves the state of widgets with a notebook: JupyterLab if the user chose that, ``nbconvert --execute``
and papermill by default. An ``ipywidgets.HTML`` has its text in the state. This widget has it in messages,
which are not saved; a page that shows the widget asks for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ..base.html import Markup
from ..base.unlogged import keep_out_of_the_log

__all__ = ["private_html_class"]

_SCRIPT = Path(__file__).with_name("private_html.js")


@cache
def private_html_class() -> type[Any]:
    """Return the widget class. The first call imports anywidget, which is slow."""
    import anywidget

    class PrivateHTML(anywidget.AnyWidget):
        """HTML that no notebook saves.

        Attributes:
            html: what pages show; ``show`` changes it.
        """

        _esm = _SCRIPT.read_text(encoding="utf-8")  # given a path, anywidget would keep every widget alive

        def __init__(self, **traits: Any) -> None:
            self.html = Markup()
            super().__init__(**traits)
            keep_out_of_the_log(self)
            self.on_msg(lambda *_: self._send_html())

        def show(self, html: Markup) -> None:
            """Show other HTML."""
            if html != self.html:
                self.html = html
                self._send_html()

        def _send_html(self) -> None:
            self.send({"html": str(self.html)})

    return PrivateHTML
