"""The comparison or the ranking that a gallery has open below its selection bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...i18n import tr
from ..base.build import button
from ..base.composite import Composite
from ..base.sync import update
from .comparison import Comparison
from .pairwise import Pairwise

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.library import Library

__all__ = ["Panel"]


class Panel(Composite):
    """A comparison or a ranking of tasks, with *Close*; empty while none is open.

    A deleted task leaves it, and returns when the deletion is undone. With fewer than two, it is empty.

    Args:
        library: the library of the tasks.
        closed: called after the user has closed it, with the button that had opened it and the tasks.

    Attributes:
        opened: the comparison or the pairs; ``None`` if neither is open.
    """

    def __init__(self, library: Library, closed: Callable[[Any, Sequence[Entry]], object]) -> None:
        self._library, self._closed = library, closed
        self.opened: Comparison | Pairwise | None = None
        self._make: Callable[[Sequence[Entry]], Comparison | Pairwise] | None = None
        self._opener: Any = None
        #: All tasks it was opened with, and the keys of those it shows.
        self._entries: tuple[Entry, ...] = ()
        self._shown: tuple[str, ...] = ()
        at_left = {"width": "auto", "align_self": "flex-start"}
        self._close_button = button(
            tr("Close"), tr("Back to the gallery."), self.close_opened, layout=at_left
        )
        super().__init__(layout={"overflow": "visible"})
        self.add_class("qingbo-compared")

    def show(
        self,
        make: Callable[[Sequence[Entry]], Comparison | Pairwise],
        entries: Sequence[Entry],
        opener: Any,
    ) -> None:
        """Show what ``make`` returns for some tasks, in place of what is open.

        Args:
            make: returns the comparison or the pairs of tasks.
            entries: the tasks.
            opener: the button that was clicked.
        """
        self._show(make(entries), entries)
        self._make, self._entries, self._opener = make, tuple(entries), opener

    @property
    def mark(self) -> str:
        """The CSS class that only what is open has; empty if nothing is."""
        return "" if self.opened is None else f"qingbo-{self.opened.model_id}"

    def refresh(self) -> None:
        """Show the tasks that the library still has, or has again."""
        if self._make is None:
            return
        there = [entry for entry in self._entries if self._has_video(entry)]
        if tuple(entry.key for entry in there) != self._shown:
            self._show(self._make(there) if len(there) > 1 else None, there)

    def close_opened(self) -> None:
        """Close what is open."""
        if self.opened is None:
            return
        entries, opener = self._entries, self._opener
        self._make, self._entries, self._opener = None, (), None
        self._show(None, ())
        self._closed(opener, entries)

    def _show(self, widget: Comparison | Pairwise | None, entries: Sequence[Entry]) -> None:
        before, self.opened = self.opened, widget
        self._shown = tuple(entry.key for entry in entries)
        if widget is not None:
            widget.add_class(self.mark)
        with update(self):
            self.children = () if widget is None else (self._close_button, widget)
        if before is not None:
            before.close()

    def _has_video(self, entry: Entry) -> bool:
        now = self._library.get(entry.key)
        video = None if now is None else self._library.video_of(now)
        return video is not None and video.is_file()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._close_button, self.opened)
