"""The line of a gallery that undoes a deletion, and empties the trash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.problem import listed
from ...system.notebook import shown_path
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import button, set_tooltip
from ..base.clicks import Clicks
from ..base.ipw import HBox
from ..base.player import size_text
from ..base.sync import update

if TYPE_CHECKING:
    from ...library.deletion import Deletion
    from ...library.library import Library

__all__ = ["TrashLine"]

_DELETED_ONE, _DELETED = N_("Deleted 1 video."), N_("Deleted {number} videos.")
_UNCONFIRMED = N_("Not confirmed: {number}. The service may charge for them.")
_TRASH = N_("Videos in the trash: {number} ({size}).")
_STAYS = N_(
    "Not counted, and never deleted here, because their list cannot be read: {folders}. To keep the videos, "
    "move them into the library and run Library.import_; else remove the folder."
)
_UNDO_HELP = N_("Restores the videos with their ratings, tags and notes.")
_ERASE_HELP = N_("Deletes the videos in the trash from the disk. This cannot be undone.")
_SURE = N_("Delete permanently ({number})")
_SURE_HELP = N_("Click again to delete them from the disk. This cannot be undone.")


class TrashLine(HBox):
    """A line that is visible while the trash of the library contains files; empty until ``refresh_trash``.

    Args:
        library: the library.
        restored: called with the keys of the tasks that came back.
        emptied: called after the trash was emptied.

    Attributes:
        undo_button: restores the latest deletion.
        erase_button: deletes the videos that the line counts permanently, at the second click.
    """

    def __init__(
        self,
        library: Library,
        restored: Callable[[tuple[str, ...]], object],
        emptied: Callable[[], object],
    ) -> None:
        self._library, self._restored, self._emptied = library, restored, emptied
        self._latest: Deletion | None = None
        #: The names and keys of the deletions that the next click erases; empty if it only asks.
        self._agreed: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._clicks = Clicks()
        self._text = ipywidgets.HTML(layout={"margin": "0 10px 0 0"})
        self._unreadable = ipywidgets.HTML(layout={"width": "100%", "margin": "0"})
        self.undo_button = button(
            tr("Undo"),
            tr(_UNDO_HELP),
            lambda: self._clicks.run(self._undo, self._undo, self._say),
        )
        self.erase_button = button("", "", lambda: self._clicks.run(self._erase, self._erase, self._say))
        super().__init__(
            [self._text, self.undo_button, self.erase_button, self._unreadable],
            layout={"flex_flow": "row wrap", "align_items": "center", "display": "none"},
        )

    def show(self, deletion: Deletion) -> None:
        """Show a deletion that was just made."""
        self._latest = deletion
        self._clicks.forget()  # its Undo is no second click on that of an earlier one
        self.refresh_trash()

    def refresh_trash(self) -> None:
        """Read the trash again: another kernel may have changed it."""
        self._agreed = ()
        self._draw(self._library.deletions)

    def _draw(self, deletions: tuple[Deletion, ...]) -> None:
        number = sum(len(deletion.keys) for deletion in deletions)
        unreadable = self._library.unreadable_deletions
        lines = []
        if self._latest not in deletions:  # another kernel has restored or erased it
            self._latest = None
        if self._latest is not None:
            count = len(self._latest.keys)
            lines.append(tr(_DELETED_ONE if count == 1 else _DELETED).format(number=count))
            if self._latest.unconfirmed:
                lines.append(tr(_UNCONFIRMED).format(number=self._latest.unconfirmed))
        if number:
            size = size_text(sum(deletion.size for deletion in deletions)).replace(" ", "\N{NO-BREAK SPACE}")
            lines.append(tr(_TRASH).format(number=number, size=size))
        is_read_only = self._library.read_only is not None
        with update(self._text, self.undo_button, self.erase_button, self._unreadable):
            self._unreadable.value = markup.note(_stays(unreadable)) if unreadable else ""
            spoken = announcement(f"trash-{id(self)}", lines[0] if self._latest is not None and lines else "")
            self._text.value = markup.span(" ".join(lines)) + spoken
            self.undo_button.disabled = self.erase_button.disabled = is_read_only
            text = tr(_SURE).format(number=number) if self._agreed else tr("Empty trash")
            self.erase_button.description = text
            self.erase_button.button_style = "danger" if self._agreed else ""
            set_tooltip(self.erase_button, tr(_SURE_HELP if self._agreed else _ERASE_HELP))
            for part in (self._text, self.undo_button, self.erase_button):
                part.layout.display = None if number else "none"
        self.layout.display = None if number or unreadable else "none"

    def _undo(self) -> None:
        keys = self._library.restore(self._latest)  # which the line names, not that of another gallery
        self._latest = None
        self.refresh_trash()
        self._restored(keys)

    def _erase(self) -> None:
        deletions = self._library.deletions
        now = tuple((deletion.name, deletion.keys) for deletion in deletions)
        if self._agreed != now:  # not yet, or another gallery has deleted more since
            self._agreed = now
            self._draw(deletions)
            return
        self._library.empty_trash(deletions)
        self._latest = None
        self.refresh_trash()
        self._emptied()

    def _say(self, message: str) -> None:
        with update(self._text):
            self._text.value = markup.note(message, "alarm")


def _stays(folders: Sequence[Path]) -> str:
    """Return the sentences about the folders that nothing here deletes."""
    return tr(_STAYS).format(folders=listed(map(shown_path, folders)))
