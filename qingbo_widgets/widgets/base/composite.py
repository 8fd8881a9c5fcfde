"""Widgets made of parts, which close them all."""

from __future__ import annotations

from typing import Any

from .ipw import VBox, Widget
from .sync import close_parts, close_whole, refresher, update

__all__ = ["Composite", "MadeOfParts"]


class MadeOfParts(Widget):
    """A widget that closes every part with itself, on the page or not. For a first base class."""

    def close(self) -> None:
        """Close it with all its parts. Tasks, libraries and sweeps go on."""
        if self.comm is None:
            return  # closed before, or refused before it was built: ipywidgets closes what is forgotten
        self._stop()
        with update():  # so that nobody begins to draw it meanwhile
            refresher.discard(self)
            for part in self._parts_elsewhere():
                if part is not None:
                    close_whole(part)
            close_parts(self)
            super().close()

    def _stop(self) -> None:
        """End what goes on beside the widget, before it is closed."""

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        """Return the parts that may be on no page just now; ``None`` among them are not made yet."""
        return ()


class Composite(MadeOfParts, VBox):
    """A box of parts, one below the other. Closing it closes every part; ipywidgets leaves them."""
