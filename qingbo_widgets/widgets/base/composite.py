"""Base classes for widgets that close their parts with themselves."""

from __future__ import annotations

from typing import Any

from ...i18n import N_, tr
from ...system.host import enable_custom_widgets, in_notebook
from .html import Markup, note
from .ipw import VBox, Widget
from .output import bundle
from .page_scripts import install_soon
from .sync import close_parts, close_whole, refresher, update

__all__ = ["Composite", "CompositeMixin"]

_IN_MARIMO = N_(
    "marimo shows no Jupyter widgets, so {name} cannot be used here. Instead: "
    'task = await qw.generate("…"); task in a cell then shows the video.'
)
_NO_PAGE = N_('widgets need a notebook; here: qw.generate("…").wait()')


class CompositeMixin(Widget):
    """A mixin that closes every part with the widget, on the page or not. Must be the first base class."""

    def __init__(self, *arguments: Any, **traits: Any) -> None:
        enable_custom_widgets()
        super().__init__(*arguments, **traits)
        install_soon()

    def __repr__(self) -> str:
        # That of ipywidgets contains the HTML and style sheets of all parts.
        name = type(self).__name__
        return f"<{name}>" if in_notebook() else f"<{name}: {tr(_NO_PAGE)}>"

    def _mime_(self) -> tuple[str, str]:
        """Return the widget for marimo, as HTML."""
        html: str = bundle(self._html_without_widgets())["text/html"]
        return "text/html", html

    def _html_without_widgets(self) -> Markup:
        """Return what a page shows that shows no Jupyter widgets: by default, what to do there."""
        return note(tr(_IN_MARIMO).format(name=type(self).__name__))

    def close(self) -> None:
        """Close the widget with all its parts. Tasks, libraries and sweeps continue."""
        if self.comm is None:
            return  # already closed, or __init__ raised: ipywidgets closes discarded widgets
        self._stop()
        with update():  # so that no other thread starts drawing it
            refresher.discard(self)
            for part in self._detached_parts():
                if part is not None:
                    close_whole(part)
            close_parts(self)
            super().close()

    def _stop(self) -> None:
        """Stop background work of the widget, before it is closed."""

    def _detached_parts(self) -> tuple[Any, ...]:
        """Return the parts that may not be on the page; ``None`` for a part that does not exist yet."""
        return ()


class Composite(CompositeMixin, VBox):
    """A vertical box of parts. Closing it closes every part, which ipywidgets does not do."""
