"""The tiles of a gallery's page, one for each task; all pages share the same widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import tr
from ...media.posters import can_make_posters
from ...service.contract.text import shorten
from ...tasks.sweep.labels import SEPARATOR
from ..base import html as markup
from ..base.build import button, create_shared, set_class
from ..base.composite import CompositeMixin
from ..base.html import Markup
from ..base.ipw import GridBox, VBox
from ..base.posters import jpeg_html, poster_of
from ..base.sync import update
from .facts import Facts, facts_of

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.judgements import Judgement
    from ...library.library import Library

__all__ = ["CSS", "Tiles"]

CSS = markup.read_css(__file__, "tiles.css")


class Tiles(CompositeMixin, GridBox):
    """A grid of tiles. Turning the page changes their content, not the number of widgets.

    Args:
        library: the library of the tasks and posters.
        clicked: called with the key of the clicked tile.
        poster_ready: called on another thread when a missing poster is ready.
        last: another widget of the grid, placed below the row of the open tile. It is the first child, so
            that tiles that come and go do not make the page draw it again, with the video in it.

    Attributes:
        lacks_pictures: whether shown videos have no picture because the packages that make one are missing.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(
        self,
        library: Library,
        clicked: Callable[[str], object],
        poster_ready: Callable[[], object],
        last: ipywidgets.Widget,
    ) -> None:
        self._library, self._clicked, self._poster_ready, self._last = library, clicked, poster_ready, last
        self._tiles: list[_Tile] = []
        self.lacks_pictures = False
        # Each widget costs the page some milliseconds, so the tiles share two layouts, which place them
        # before or after the one widget between them.
        self._before, self._after = ipywidgets.Layout(order="0"), ipywidgets.Layout(order="2")
        last.layout.order = "1"
        columns = "repeat(auto-fill, minmax(130px, 1fr))"
        super().__init__(
            [last],
            layout={
                "grid_template_columns": columns,
                "grid_gap": "10px",
                "grid_auto_flow": "row dense",
                "overflow": "visible",
            },
        )

    def show(
        self, page: Sequence[tuple[Entry, Judgement]], opened: str | None, *, blind: bool = False
    ) -> None:
        """Show a page of tasks.

        Args:
            page: the tasks with their judgements.
            opened: the key of the open task.
            blind: show no text of unrated tasks.
        """
        while len(self._tiles) < len(page):
            self._tiles.append(_Tile(self._clicked, self._before))
        is_after = self.lacks_pictures = False
        facts = facts_of(page, self._library, blind=blind)
        for tile, (entry, _) in zip(self._tiles, page, strict=False):
            is_open = entry.key == opened
            tile.show(entry.key, self._picture(entry), facts[entry.key], is_open)
            tile.layout = self._after if is_after else self._before
            is_after = is_after or is_open
        children = (self._last, *self._tiles[: len(page)])
        if self.children != children:
            with update(self):
                self.children = children

    def _detached_parts(self) -> tuple[Any, ...]:
        return (*self._tiles, self._before, self._after)

    def _picture(self, entry: Entry) -> bytes | None:
        video = self._library.video_of(entry)
        if video is None:
            return None
        picture = poster_of(video, self._poster_ready)
        if picture is None and not can_make_posters() and video.is_file():
            self.lacks_pictures = True
        return picture


class _Tile(VBox):
    """The tile of one task: poster, prompt, a few facts, and a button that covers all of it."""

    def __init__(self, clicked: Callable[[str], object], layout: ipywidgets.Layout) -> None:
        self._key = ""
        self._html = create_shared(ipywidgets.HTML)
        self.button = button("", "", lambda: clicked(self._key), layout={}, shares_style=True)
        super().__init__([self._html, self.button], layout=layout)
        self.add_class("qingbo-tile")

    def show(self, key: str, picture: bytes | None, facts: Facts, is_open: bool) -> None:
        self._key = key
        with update(self._html, self.button):
            self._html.value = _tile_html(key, facts, picture)
            # The description is for screen readers.
            self.button.description = tr("Open: {prompt}").format(prompt=_name(facts))
        set_class(self, "qingbo-open", is_open)


def _name(facts: Facts) -> str:
    """Return what a screen reader calls a task: its prompt, and what tells it from others of that prompt."""
    return SEPARATOR.join(filter(None, (shorten(facts.title, 60), facts.difference)))


def _facts_html(line: str, class_: str) -> Markup:
    """Return facts that wrap between two of them, so that a number is never cut."""
    *facts, last = markup.plain_line(line).split(SEPARATOR)
    # The separator ends the line that it is on, and begins none.
    texts = [*(fact + SEPARATOR.rstrip().replace(" ", "\N{NO-BREAK SPACE}") for fact in facts), last]
    spans = (markup.user_text(text, "span") for text in texts)
    return markup.tag("div", markup.join(spans, " "), class_=class_)


def _tile_html(key: str, facts: Facts, picture: bytes | None) -> Markup:
    if picture is None:
        picture_html = markup.user_text(shorten(facts.title, 60), class_="qingbo-poster")
    else:
        picture_html = jpeg_html(picture, class_="qingbo-poster")
    if facts.count > 1:
        text = tr("{number} videos").format(number=facts.count)
        picture_html += markup.tag("div", markup.text(text), class_="qingbo-tile-count")
    lines = [markup.user_text(facts.title, class_="qingbo-tile-prompt")]
    if facts.difference:
        lines.append(_facts_html(facts.difference, "qingbo-tile-difference"))
    lines += [_facts_html(line, "qingbo-tile-facts") for line in facts.lines]
    name = tr("Select: {prompt}").format(prompt=_name(facts))
    # Only the script of the page makes it work, and shows it.
    box = markup.tag("input", type="checkbox", class_="qingbo-check", tabindex="-1", aria_label=name)
    return picture_html + box + markup.tag("div", *lines, class_="qingbo-tile-words", data_key=key)
