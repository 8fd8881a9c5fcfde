"""The selected tasks of a gallery, and the bar with what can be done with all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...library.entry import ENDED, Entry
from ...library.judgements import parse_tags
from ...service.contract.snapshot import TaskStatus
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import button, focus, set_tooltip
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.player import files_html, output_of
from ..base.sync import update
from ..base.text_fields import Text
from .comparison import LETTERS, Comparison
from .export_videos import NO_VIDEOS, export_entries
from .pairwise import Pairwise

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["Selection"]

_COMPARE_HELP = N_("Plays the selected videos side by side.")
_RANK_HELP = N_("Shows two of the selected videos at a time, and ranks all by your choices.")
_EXPORT_HELP = N_("Writes the selected videos into one HTML page that opens without Jupyter.")
_TAG_HELP = N_("Adds a tag to all selected videos.")
_DELETE_HELP = N_("Moves the selected videos to the trash of the library. Undo restores them.")
_CLEAR_HELP = N_("Clears the selection; so does Esc.")
_HOW_MANY = N_("Select 2 to 6 videos.")
_AT_LEAST = N_("Select at least 2 videos.")
_NO_VIDEO = N_("“{task}” has no saved video.")
_RUNNING = N_("“{task}” is still running: wait until it ends, or cancel it.")
_BLIND = N_("Not available in a blind gallery: it would show the names.")
_EXPORTED = N_("Videos exported: {number}.")
_TAGGED = N_("Videos tagged “{tags}”: {number}.")


class Selection(Composite):
    """The selected tasks, which stay selected on other pages and in other searches, and the bar for them.

    Args:
        library: the library of the tasks.
        changed: called after each change of the selection.
        judged: called after tags were added.
        deleted: called with the keys of the tasks to delete.
        blind: whether the tasks are anonymous.

    Attributes:
        compare_button, rank_button, export_button, tag_button, delete_button, clear_button: the bar. A button
            that cannot work is disabled, with the reason in its tooltip.
        tags: the field for further tags; visible after ``tag_button``.
        opened: the comparison or the pairs; ``None`` if neither is open.
    """

    def __init__(
        self,
        library: Library,
        changed: Callable[[], object],
        judged: Callable[[], object],
        deleted: Callable[[list[str]], object],
        *,
        blind: bool = False,
    ) -> None:
        self._library, self._changed, self._judged, self._blind = library, changed, judged, blind
        self._entries: dict[str, Entry] = {}
        self._clicks = Clicks()
        self.opened: Comparison | Pairwise | None = None
        self._label, self._message = ipywidgets.HTML(layout={"margin": "0 10px 0 0"}), ipywidgets.HTML()
        self.compare_button = self._button(tr("Compare"), self._compare)
        self.rank_button = self._button(tr("Rank"), self._rank)
        self.export_button = self._button(tr("Export"), self._export)
        self.tag_button = self._button(tr("Tag…"), self._ask_for_tags)
        self.delete_button = self._button(tr("Delete"), lambda: deleted(list(self._entries)))
        self.clear_button = button(tr("Clear"), tr(_CLEAR_HELP), self.clear)
        self._bar = ipywidgets.HBox(
            [
                self._label, self.compare_button, self.rank_button, self.export_button, self.tag_button,
                self.delete_button, self.clear_button,
            ],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )  # fmt: skip
        self._bar.add_class("qingbo-selection-bar")
        self.tags = Text(
            description=tr("Add tags"), placeholder=tr("water, slow"), continuous_update=False,
            style={"description_width": "initial"},
        )  # fmt: skip
        self.tags.observe(lambda change: self._add_tags(change["new"]), "value")
        self._tagging = ipywidgets.HBox([self.tags], layout={"display": "none"})
        self._links = ipywidgets.Output(layout={"margin": "0"})
        at_left = {"width": "auto", "align_self": "flex-start"}
        self._close_button = button(
            tr("Close"), tr("Back to the gallery."), self._close_opened, layout=at_left
        )
        self._place = ipywidgets.VBox(layout={"overflow": "visible"})
        super().__init__(
            [self._bar, self._tagging, self._message, self._links, self._place],
            layout={"overflow": "visible", "display": "none"},
        )
        self.add_class("qingbo-selection")
        self._draw()

    @property
    def selected(self) -> tuple[str, ...]:
        """The keys of the selected tasks, in the order of their selection."""
        return tuple(self._entries)

    def change(self, on: Iterable[Entry], off: Iterable[str] = ()) -> None:
        """Select tasks, and take others out of the selection."""
        for key in off:
            self._entries.pop(key, None)
        self._entries |= {entry.key: entry for entry in on}
        self._draw()
        self._changed()

    def clear(self) -> None:
        """Select nothing; a comparison that is open stays."""
        self.change((), list(self._entries))

    def refresh_entries(self) -> None:
        """Read the selected tasks again: a running one may have ended, and a task may have been deleted."""
        if self._entries:
            found = ((key, self._library.get(key)) for key in self._entries)
            self._entries = {key: entry for key, entry in found if entry is not None}
            self._draw()
            self._changed()

    # ------------------------------------------------------------------ what the page shows

    def _draw(self) -> None:
        count = len(self._entries)
        text = tr("{number} selected").format(number=count) if count else ""
        with update(self._label, self._message, self._links, self._tagging):
            spoken = announcement(f"selection-{id(self)}", text)
            self._label.value = markup.span(text, "qingbo-status") + spoken
            self._message.value, self._links.outputs = "", ()
            if not count:
                self._tagging.layout.display = "none"
        self._bar.layout.display = None if count else "none"
        self.layout.display = None if count or self.opened is not None else "none"
        for part, refusal, help_text in self._refusals():
            part.disabled = bool(refusal)
            set_tooltip(part, refusal or help_text)

    def _refusals(self) -> Iterable[tuple[Any, str, str]]:
        """Yield each button with the reason why it cannot work now, and with its usual tooltip."""
        count = len(self._entries)
        without = next((entry for entry in self._entries.values() if not entry.file), None)
        lacks = tr(_NO_VIDEO).format(task=self._name(without)) if without is not None else ""
        few = "" if 2 <= count <= len(LETTERS) else tr(_HOW_MANY)
        yield self.compare_button, few or lacks, tr(_COMPARE_HELP)
        yield self.rank_button, (tr(_AT_LEAST) if count < 2 else "") or lacks, tr(_RANK_HELP)
        has_video = any(entry.file for entry in self._entries.values())
        blind = tr(_BLIND) if self._blind else ""
        yield self.export_button, blind or ("" if has_video else tr(NO_VIDEOS)), tr(_EXPORT_HELP)
        reason = self._library.read_only or ""
        yield self.tag_button, reason, tr(_TAG_HELP)
        yield self.delete_button, reason or self._running(), tr(_DELETE_HELP)

    def _running(self) -> str:
        final = (*ENDED, TaskStatus.unconfirmed)
        running = next((entry for entry in self._entries.values() if entry.status not in final), None)
        return "" if running is None else tr(_RUNNING).format(task=self._name(running))

    def _name(self, entry: Entry) -> str:
        if self._blind:
            return tr("A video")
        return markup.shorten(entry.prompt or entry.task_id or entry.model, 60)

    # ------------------------------------------------------------------ what the buttons do

    def _compare(self) -> None:
        entries = list(self._entries.values())
        self._open(Comparison(entries, library=self._library, blind=self._blind))

    def _rank(self) -> None:
        self._open(Pairwise(list(self._entries.values()), library=self._library))

    def _open(self, widget: Comparison | Pairwise) -> None:
        self._close_opened()
        self.opened = widget
        with update(self._place):
            self._place.children = (self._close_button, widget)
        self._draw()

    def _close_opened(self) -> None:
        opened, self.opened = self.opened, None
        if opened is not None:
            with update(self._place):
                self._place.children = ()
            opened.close()
            self._draw()

    def _export(self) -> None:
        entries = list(self._entries.values())
        path, number = export_entries(self._library, entries)
        with update(self._message, self._links):
            self._message.value = markup.note(tr(_EXPORTED).format(number=number))
            self._links.outputs = (output_of(files_html([path]), str(path)),)

    def _ask_for_tags(self) -> None:
        is_open = self._tagging.layout.display is None
        self._tagging.layout.display = "none" if is_open else None
        if not is_open:
            focus(self.tags)

    def _add_tags(self, text: str) -> None:
        tags = parse_tags(text)
        if tags:
            self._run(lambda: self._tag(tags))

    def _tag(self, tags: tuple[str, ...]) -> None:
        store = self._library.judgements
        for key, judgement in store.of_all(self._entries.keys()).items():
            store.tag(key, {*judgement.tags, *tags})
        self.tags.value = ""
        self._judged()
        with update(self._message):
            text = tr(_TAGGED).format(number=len(self._entries), tags=", ".join(tags))
            self._message.value = markup.note(text)

    def _button(self, description: str, act: Callable[[], object]) -> Any:
        return button(description, "", lambda: self._run(act))

    def _run(self, act: Callable[[], object]) -> None:
        """Act, unless a double click repeats it; show the error if it fails."""
        self._clicks.run((act, self.selected, self.opened), act, self._show_error)

    def _show_error(self, message: str) -> None:
        with update(self._message):
            self._message.value = markup.note(message, "alarm")

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._close_button, self.opened)
