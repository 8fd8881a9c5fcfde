"""The selected tasks of a gallery, and the bar with what can be done with all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...library.entry import ENDED, Entry
from ...library.judgements import parse_tags
from ...service.contract.snapshot import TaskStatus
from ...service.contract.text import shorten
from ...tasks.sweep.labels import SEPARATOR
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import button, focus, set_tooltip
from ..base.captions import differences
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.player import files_html, output_of
from ..base.sync import update
from ..base.text_fields import Text
from .comparison import LETTERS, Comparison
from .export_videos import NO_VIDEOS, export_entries
from .pairwise import Pairwise
from .panel import Panel

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
        focus: gives the focus to the first of these tasks on the page.
        focus_panel: gives the focus to the comparison or the pairs, by the CSS class of the widget.
        blind: whether the tasks are anonymous.

    Attributes:
        compare_button, rank_button, export_button, tag_button, delete_button, clear_button: the bar. A button
            that cannot work is disabled, with the reason in its tooltip.
        tags: the field for further tags; visible after ``tag_button``.
        panel: the comparison or the pairs.
    """

    def __init__(
        self,
        library: Library,
        changed: Callable[[], object],
        judged: Callable[[], object],
        deleted: Callable[[list[str]], object],
        focus: Callable[[Sequence[str]], object],
        focus_panel: Callable[[str], object],
        *,
        blind: bool = False,
    ) -> None:
        self._library, self._changed, self._judged, self._blind = library, changed, judged, blind
        self._focus, self._focus_panel = focus, focus_panel
        self._entries: dict[str, Entry] = {}
        self._clicks = Clicks()
        self._label, self._message = ipywidgets.HTML(layout={"margin": "0 10px 0 0"}), ipywidgets.HTML()
        self.compare_button = self._button(tr("Compare"), self._compare)
        self.rank_button = self._button(tr("Rank"), self._rank)
        self.export_button = self._button(tr("Export"), self._export)
        self.tag_button = self._button(tr("Tag…"), self._ask_for_tags)
        self.delete_button = self._button(tr("Delete"), lambda: deleted(list(self._entries)))
        self.clear_button = button(tr("Clear"), tr(_CLEAR_HELP), self._clear)
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
        self._tagging.add_class("qingbo-tagging")
        self.panel = Panel(library, self._closed)
        super().__init__(
            [self._bar, self._tagging, self._message, self._links, self.panel],
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

    def close_part(self, name: str) -> None:
        """Close ``compared``, the comparison or the pairs, or ``tagging``, the field for further tags."""
        if name == "compared":
            self.panel.close_opened()
        elif name == "tagging" and self._tagging.layout.display is None:
            self._ask_for_tags()

    def refresh_entries(self) -> None:
        """Read the tasks again: a running one may have ended, another may have been deleted or restored."""
        found = ((key, self._library.get(key)) for key in self._entries)
        self._entries = {key: entry for key, entry in found if entry is not None}
        self.panel.refresh()
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
        self.layout.display = None if count or self.panel.opened is not None else "none"
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
        title = shorten(entry.prompt or entry.task_id or entry.model, 60)
        difference = differences(self._entries.values(), self._library).get(entry.key, "")
        return SEPARATOR.join(filter(None, (title, difference)))

    # ------------------------------------------------------------------ what the buttons do

    def _clear(self) -> None:
        keys = self.selected
        self.clear()
        self._focus(keys)

    def _compare(self) -> None:
        library, blind = self._library, self._blind
        self._open(lambda entries: Comparison(entries, library=library, blind=blind), self.compare_button)

    def _rank(self) -> None:
        library = self._library
        self._open(lambda entries: Pairwise(entries, library=library), self.rank_button)

    def _open(self, make: Callable[[Sequence[Entry]], Comparison | Pairwise], opener: Any) -> None:
        self.panel.show(make, list(self._entries.values()), opener)
        self._draw()
        self._focus_panel(self.panel.mark)

    def _closed(self, opener: Any, entries: Sequence[Entry]) -> None:
        """Return the focus to the button that opened a panel, or to its tasks if that cannot open another."""
        self._clicks.forget()  # the next click on it is no second one
        self._draw()
        if self._entries and not opener.disabled:
            focus(opener)
        else:
            self._focus([entry.key for entry in entries])

    def _export(self) -> None:
        entries = list(self._entries.values())
        path, number = export_entries(self._library, entries)
        with update(self._message, self._links):
            self._message.value = markup.note(tr(_EXPORTED).format(number=number))
            self._links.outputs = (output_of(files_html([path]), str(path)),)

    def _ask_for_tags(self) -> None:
        is_open = self._tagging.layout.display is None
        self._tagging.layout.display = "none" if is_open else None
        focus(self.tag_button if is_open else self.tags)

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
        self._clicks.run((act, self.selected, self.panel.opened), act, self._show_error)

    def _show_error(self, message: str) -> None:
        with update(self._message):
            self._message.value = markup.note(message, "alarm")
