"""``Gallery``: the tasks of a library as pictures, one page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...library.library import Library
from ...library.search import choices, select, worths
from ...system.folder import is_file_inside
from ...tasks import connection
from ...tasks.manager import TaskManager
from ..base import html as markup
from ..base.composite import Composite
from ..base.embedding import COPY_LIMIT, Embedding, gets_files, setting_of
from ..base.html import Markup
from ..base.output import CellOutput
from ..base.player import output_of, saved_html
from ..base.sync import refresher, update, weakly
from .costs import worth_text
from .detail import TaskDetail
from .filters import Filters
from .pager import SIZES, Pager
from .preview import preview_html
from .selection import Selection
from .static_copy import players
from .tile_input import make_tile_input
from .tiles import CSS, Tiles
from .trash_line import TrashLine

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.judgements import Judgement

__all__ = ["Gallery"]

_EMPTY = N_(
    "The library in {folder} has no videos yet. Make the first one with qw.VideoStudio(), or with "
    "qw.generate(prompt)."
)
_NONE = N_("No videos match.")
_VIDEOS = N_("{shown} of the {total:,} tasks in {folder}:")
#: The maximum of tasks on a page that shows no Jupyter widgets, where each video is loaded at once.
_MOST = 6
_STATIC_COPY = N_("A gallery of {total:,} tasks in {folder}. Run this cell in a notebook to show it.")
_NO_PICTURES = N_('Thumbnails need av and Pillow: pip install "qingbo_widgets[frames]", then Refresh.')


class Gallery(Composite):
    """A browser for a library: search, filter, sort, open, judge, and generate again.

    Pictures are small stills, so that a page loads quickly; a video is loaded when it is opened. A gallery
    has only the widgets of one page, however many tasks and pages there are.

    Args:
        source: a library, a manager, or the folder of a library. By default the library of the default
            manager, or ``qingbo_videos``.
        page_size: the number of tasks on a page: 12, 24 or 48.
        blind: show only the video of an unrated task, not its prompt, model or request. The tasks are
            shuffled then, and cannot be searched or sorted by anything that identifies them.

    Attributes:
        library: the library shown.
        filters: search, filters and order.
        pager: turns the pages.
        selection: the selected tasks, and what can be done with them.
        trash_line: undoes deletions.
        tiles: the pictures.
        opened: the panel of the open task.
        page: the number of the current page, from 1.
        total: the number of tasks that match the filters.
    """

    def __init__(
        self, source: Library | TaskManager | str | None = None, *, page_size: int = 24, blind: bool = False
    ) -> None:
        if page_size not in SIZES:
            sizes = ", ".join(map(str, SIZES))
            raise ValueError(
                tr("page_size must be one of {sizes}, not {size!r}.").format(sizes=sizes, size=page_size)
            )
        # A gallery does not connect: without a manager it still shows the library.
        manager = connection.default() if source is None else None
        source = manager or source or "qingbo_videos"
        if isinstance(source, TaskManager):
            manager, source = source, source.library
        self.library = source if isinstance(source, Library) else Library(source)
        self.page, self.total, self._blind = 1, 0, blind
        self._shown: list[tuple[Entry, Judgement]] = []
        self._worth: str | None = None
        self._key: str | None = None
        self._opened: tuple[Entry, Judgement] | None = None
        self._head, self._hint = ipywidgets.HTML(), ipywidgets.HTML()
        self.filters = Filters(self._search, blind=blind)
        self._input = make_tile_input(
            self._pick,
            {
                "delete": self._delete_one,
                "preview": self._play,
                "escape": self._escape,
                "close": lambda name: self.selection.close_part(name),
            },
        )
        self._embed = setting_of(manager)
        self._input.plays = gets_files(self._embed)
        self.selection = Selection(
            self.library, self._mark, self._judged, self.delete, self._focus_first, self._input.focus_panel,
            blind=blind,
        )  # fmt: skip
        self.trash_line = TrashLine(self.library, self._restored, self._focus_first)
        self.opened = TaskDetail(self.library, manager, self._judged, self._go, self._delete_one)
        self._preview = ipywidgets.Output(layout={"margin": "0"})
        self._preview.add_class("qingbo-preview")
        self.tiles = Tiles(self.library, self.open_video, weakly(self, "_redraw_soon"), self.opened)
        self.pager = Pager(page_size, self.show_page, self._search, self.reload)
        # A box of its own hides the error message of a page that cannot load the script.
        script = ipywidgets.Box([self._input], layout={"display": "none"})
        super().__init__(
            [
                self._head, self.filters, self.pager, self.selection, self.trash_line, self._hint,
                self.tiles, self._preview, script,
            ],
            layout={"overflow": "visible"},
        )  # fmt: skip
        self.add_class("qingbo")
        self.add_class("qingbo-gallery")
        self.cell_output = CellOutput(self)
        self._head.value = markup.style() + markup.style(CSS) + self.cell_output.style
        self.reload()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The tasks of the current page, in order."""
        return tuple(entry for entry, _ in self._shown)

    def show_page(self, page: int) -> None:
        """Show another page; a number out of range becomes the nearest page."""
        if page != self.page:
            self.page, self._key = page, None
            self._draw()

    def open_video(self, key: str | None) -> None:
        """Open a task of the current page by its key; ``None`` closes the open task."""
        self._key = key if any(entry.key == key for entry, _ in self._shown) else None
        self._arrange()

    def reload(self) -> None:
        """Read the library again."""
        self._worth = None
        self.filters.offer(choices(self.library.journal))
        self.selection.refresh_entries()
        self.trash_line.refresh_trash()
        self._draw()

    def delete(self, keys: Sequence[str]) -> None:
        """Move tasks to the trash of the library; the line above the pictures brings them back.

        Raises:
            QingboError: see ``Library.delete``.
        """
        shown = [entry.key for entry in self.entries]
        deleted = self.library.delete(keys)
        following = next_after(shown, set(deleted.keys))
        self.trash_line.show(deleted)
        self.selection.refresh_entries()
        if self._key in deleted.keys:
            self._key = None
        self.filters.offer(choices(self.library.journal))
        self._worth = None
        self._draw()
        last = self._shown[-1][0].key if self._shown else ""
        self._input.focus_tile(following or last)

    def refresh(self) -> bool:
        """Redraw the page, because a missing poster is ready."""
        if self.comm is not None:
            self._arrange()
        return False

    def _redraw_soon(self) -> None:
        """Redraw at the next tick, because a missing poster is ready: called on the posters' thread."""
        refresher.add(self)

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self.opened, self.tiles)

    def _html_without_widgets(self) -> Markup:
        if self._blind:  # the names of the files say what they show
            return super()._html_without_widgets()
        shown = self._shown[:_MOST]
        text = tr(_VIDEOS).format(shown=len(shown), total=self.total, folder=self.library.folder.name)
        return markup.note(text) + self._players(shown)

    def _players(self, page: Sequence[tuple[Entry, Judgement]], *, is_copy: bool = False) -> Markup:
        """Return the videos of a page of tasks, embedded where the manager embeds them."""
        embedding = Embedding(self._embed, COPY_LIMIT, is_copy=is_copy)
        return players(self.library, page, lambda path: saved_html(path, embedding))

    def _ipython_display_(self, **_: Any) -> None:
        text = tr(_STATIC_COPY).format(total=self.total, folder=self.library.folder.name)
        videos = Markup() if self._blind else markup.unloaded(self._players(self._shown, is_copy=True))
        html = markup.block(markup.note(text), videos, class_=self.cell_output.copy_class)
        self.cell_output.show(html, text)

    def _judged(self) -> None:
        """Redraw the page; it keeps its tasks, even if the one being judged no longer matches the filters."""
        judgements = self.library.judgements.of_all([entry.key for entry, _ in self._shown])
        self._shown = [(entry, judgements[entry.key]) for entry, _ in self._shown]
        self.filters.offer(choices(self.library.journal))
        self._worth = None
        self._show_count()
        self._arrange()

    def _pick(self, on: Sequence[str], off: Sequence[str]) -> None:
        shown = {entry.key: entry for entry in self.entries}
        # The user may have clicked while the page was being turned.
        found = (shown.get(key) or self.library.get(key) for key in on[: SIZES[-1]])
        self.selection.change((entry for entry in found if entry is not None), off)

    def _mark(self) -> None:
        with update(self._input):
            self._input.picked = list(self.selection.selected)

    def _delete_one(self, key: str) -> None:
        """Delete the selected tasks if the task is one of them, else the task alone."""
        keys = self.selection.selected if key in self.selection.selected else (key,)
        try:
            self.delete(keys)
        except QingboError as error:
            self._hint.value = markup.note(error, "alarm")

    def _restored(self, keys: Sequence[str]) -> None:
        self.reload()
        self._focus_first(keys)

    def _focus_first(self, keys: Collection[str] = ()) -> None:
        """Give the first of these tiles the focus, else the first one: the focused button goes away."""
        shown = [entry.key for entry in self.entries]
        if shown:
            self._input.focus_tile(next((key for key in shown if key in keys), shown[0]))

    def _escape(self, _: str) -> None:
        """Take back the selection; without one, close the open task."""
        if self.selection.selected:
            self.selection.clear()
        else:
            self._go(0)

    def _play(self, key: str) -> None:
        """Put the video of a tile into the output that the script lays over its picture."""
        entry = next((entry for entry in self.entries if entry.key == key), None)
        video = None if entry is None else self.library.video_of(entry)
        is_there = video is not None and is_file_inside(video)
        shown = preview_html(video, key) if video is not None and is_there else None
        with update(self._preview):
            self._preview.outputs = () if shown is None else (output_of(shown, ""),)

    def _search(self) -> None:
        self.page, self._key, self._worth = 1, None, None
        self._draw()

    def _go(self, step: int) -> None:
        """Open the previous (-1) or next (1) task, on another page if necessary; 0 closes."""
        keys = [entry.key for entry, _ in self._shown]
        if step == 0 or self._key not in keys:
            key, self._key = self._key, None
            self.open_video(None)
            if step == 0 and key is not None:
                self._input.focus_tile(key if key in keys else (keys or [""])[0])
            return
        place = keys.index(self._key) + step
        if 0 <= place < len(keys):
            self.open_video(keys[place])
        elif 1 <= self.page + step <= self.pager.last_page(self.total):
            self.page += step
            self._draw(opened=0 if step > 0 else -1)

    def _draw(self, opened: int | None = None) -> None:
        """Read the page from the database and show it.

        Args:
            opened: the place on the page of a task to open, so that the panel stays for the next key.
        """
        size = self.pager.size
        self.total, self._shown = select(
            self.library.journal, self.filters.selection, limit=size, offset=(self.page - 1) * size
        )
        nearest = min(max(self.page, 1), self.pager.last_page(self.total))
        if not self._shown and self.page != nearest:
            self.page = nearest
            self._draw(opened)
            return
        if opened is not None:
            self._key = self._shown[opened][0].key if self._shown else None
        self._show_count()
        self._arrange()

    def _show_count(self) -> None:
        text = self._count((self.page - 1) * self.pager.size + 1)
        self.pager.show(self.page, self.total, text, self._worth_of_selection())

    def _worth_of_selection(self) -> str:
        """Return what the selected tasks are worth, if filters are set; turning the page changes nothing."""
        if self._worth is None:
            is_shown = self.filters.are_set and not self._blind and bool(self.total)
            self._worth = worth_text(worths(self.library.journal, self.filters.selection)) if is_shown else ""
        return self._worth

    def _count(self, first: int) -> str:
        if self._shown:
            last = first + len(self._shown) - 1
            return tr("{first:,}–{last:,} of {total:,}").format(first=first, last=last, total=self.total)
        is_empty = select(self.library.journal, limit=1)[0] == 0
        return tr(_EMPTY).format(folder=self.library.folder.name) if is_empty else tr(_NONE)

    def _arrange(self) -> None:
        opened = self._opened = self._find_opened()
        with update(self._hint):
            self.tiles.show(self._shown, self._key, blind=self._blind)
            self._hint.value = markup.note(tr(_NO_PICTURES), "hint") if self.tiles.lacks_pictures else ""
            if opened is None:
                self.opened.show(None)
            else:
                self.opened.show(opened[0], hidden=self._blind and opened[1].rating is None)

    def _find_opened(self) -> tuple[Entry, Judgement] | None:
        """Return the open task, which new tasks may have moved to another page while its video plays."""
        if self._key is None:
            return None
        on_page = next((shown for shown in self._shown if shown[0].key == self._key), None)
        if on_page is not None or self._opened is None or self._opened[0].key != self._key:
            return on_page
        return self._opened[0], self.library.judgements.of_all([self._key])[self._key]


def next_after(keys: Sequence[str], deleted: Collection[str]) -> str | None:
    """Return the first key after the deleted ones that stays, or the last one before them."""
    places = [place for place, key in enumerate(keys) if key in deleted]
    if not places:
        return None
    after = (key for key in keys[places[0] :] if key not in deleted)
    before = (key for key in reversed(keys[: places[0]]) if key not in deleted)
    return next(after, None) or next(before, None)
