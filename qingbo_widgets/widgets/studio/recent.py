"""The latest videos of the library, from every notebook: to use their settings, or to look at them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...library.requests import request_of
from ...service.contract.snapshot import TaskStatus
from ...service.contract.text import shorten
from ...tasks.sweep.labels import SEPARATOR
from ..base import html as markup
from ..base.build import button, create_shared, set_class, set_expanded
from ..base.captions import differences
from ..base.composite import CompositeMixin
from ..base.embedding import held_by, setting_of
from ..base.ipw import VBox
from ..base.player import output_of, saved_html
from ..base.posters import poster_html, poster_of
from ..base.sync import update, weakly

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.library import Library

__all__ = ["MOST", "Recent", "recent_videos"]

#: The number of videos shown.
MOST = 6
#: The number of finished tasks that are looked at: a video may be a card already, or deleted.
_LOOKED_AT = 40

_TITLE = N_("Recent")
_ALL = N_("All videos:")
_USE, _USE_HELP = N_("Use settings"), N_("Fills in the form as it was for this video. Nothing is submitted.")
_PLAY = N_("Play: {prompt}")
#: The player is below the strip and may be out of sight. Only after a click: the page may draw it again.
_INTO_VIEW = (
    "if (navigator.userActivation?.isActive)"
    " this.closest('.qingbo-panel-recent')?.scrollIntoView({block: 'nearest'})"
)


def recent_videos(library: Library, shown: Collection[str]) -> list[Entry]:
    """Return the latest tasks with a video, without those whose keys are in ``shown``."""
    finished = library.entries(status=TaskStatus.completed.value, limit=_LOOKED_AT + len(shown))
    others = (entry for entry in finished if entry.file and entry.key not in shown)
    found = [entry for entry in others if (video := library.video_of(entry)) and video.is_file()]
    return found[:MOST]


class Recent(CompositeMixin, VBox):
    """The strip of the latest videos. Nothing is shown while there is none.

    Args:
        use: called with the task whose settings the form should get.

    Attributes:
        tiles: the tile of each video, newest first.
    """

    def __init__(self, use: Callable[[Entry], object]) -> None:
        self._use = use
        self.tiles: tuple[_Tile, ...] = ()
        self._shown: tuple[tuple[Entry, Path], ...] = ()
        self._differences: dict[str, str] = {}
        self._opened = ""
        title = markup.span(tr(_TITLE), "qingbo-status")
        gallery = markup.text(tr(_ALL)) + " " + markup.tag("code", markup.escape("qw.Gallery()"))
        head = markup.tag(
            "div", title, markup.tag("span", gallery, class_="qingbo-dim"), class_="qingbo-head"
        )
        self._head = create_shared(ipywidgets.HTML, value=head)
        self._row = create_shared(ipywidgets.HBox, "", "qingbo-recent-row", layout={"overflow": "visible"})
        self._player = create_shared(ipywidgets.Output, "", "qingbo-panel-recent", layout={"margin": "0"})
        super().__init__(layout={"overflow": "visible"})
        self.add_class("qingbo-recent")

    def show(self, library: Library, entries: list[Entry]) -> None:
        """Show these tasks, newest first, and the one whose video is open, which the user may be watching."""
        keys = [entry.key for entry in entries]
        opened = [entry for entry, _ in self._shown if entry.key == self._opened and entry.key not in keys]
        kept = [*entries[: MOST - len(opened)], *opened]
        places = [(entry, library.video_of(entry)) for entry in kept]
        shown = tuple((entry, video) for entry, video in places if video is not None and video.is_file())
        if [entry.key for entry, _ in shown] == [entry.key for entry, _ in self._shown]:
            return
        self._shown, self._differences = shown, differences((entry for entry, _ in shown), library)
        with update(self, self._row):
            while len(self.tiles) < len(shown):
                self.tiles += (_Tile(self._use, self._toggle, weakly(self, "draw")),)
            self._row.children = self.tiles[: len(shown)]
            if self._opened not in [entry.key for entry, _ in shown]:
                self._open("")
            self.draw()
            self.children = (self._head, self._row, self._player) if shown else ()

    def draw(self) -> None:
        """Draw the tiles, because a poster is ready or another video was opened."""
        with update():
            for tile, (entry, video) in zip(self.tiles, self._shown, strict=False):
                difference = self._differences.get(entry.key, "")
                tile.show(entry, video, difference, is_open=entry.key == self._opened)

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._head, self._row, self._player, *self.tiles)

    def _toggle(self, key: str) -> None:
        self._open("" if key == self._opened else key)
        self.draw()

    def _open(self, key: str) -> None:
        if key == self._opened:
            return
        self._opened = key
        videos = [video for entry, video in self._shown if entry.key == key]
        embedding = held_by(self, setting_of())
        embedding.clear()
        with update(self._player):
            # A page's own style would show an image of an output that is only "hidden".
            scroll = markup.run_in_page(_INTO_VIEW, style="display: none")
            self._player.outputs = tuple(
                output_of(saved_html(video, embedding) + scroll, str(video)) for video in videos
            )


class _Tile(CompositeMixin, VBox):
    """One video: a poster that plays it, and a button that fills in the form."""

    def __init__(
        self, use: Callable[[Entry], object], toggle: Callable[[str], object], ready: Callable[[], object]
    ) -> None:
        self._entry: Entry | None = None
        self._ready = ready
        self._html = create_shared(ipywidgets.HTML)
        self.poster_button = button(
            "",
            "",
            lambda: self._entry and toggle(self._entry.key),
            "qingbo-cover",
            "qingbo-opens-recent",
            layout={},
            shares_style=True,
        )
        self._poster = create_shared(
            ipywidgets.VBox, "", "qingbo-line", children=[self._html, self.poster_button]
        )
        self.use_button = button(
            tr(_USE),
            tr(_USE_HELP),
            lambda: self._entry and use(self._entry),
            "qingbo-small",
            shares_style=True,
        )
        super().__init__([self._poster, self.use_button], layout={"overflow": "visible"})
        self.add_class("qingbo-recent-tile")

    def show(self, entry: Entry, video: Path, difference: str, *, is_open: bool) -> None:
        """Show a task, with what tells it from others of the same prompt."""
        self._entry = entry
        prompt, whole = (
            SEPARATOR.join(filter(None, (shorten(entry.prompt or entry.model, length), difference)))
            for length in (60, 300)
        )
        line = markup.user_text(difference, class_="qingbo-dim") if difference else markup.Markup()
        with update(self._html, self.poster_button, self.use_button):
            self._html.value = poster_html(poster_of(video, self._ready)) + line
            self.poster_button.description = tr(_PLAY).format(prompt=prompt)
            self.poster_button.tooltip = whole
            self.use_button.disabled = request_of(entry) is None
            set_expanded(self.poster_button, is_open)
        set_class(self, "qingbo-open", is_open)
