"""The pictures of a gallery's page: one tile a task, the same few widgets for every page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...media.posters import can_make, read_poster
from ...service.contract.status_names import status_name
from ...tasks.background.poster_queue import posters
from ..base import html as markup
from ..base.build import alike, button
from ..base.composite import MadeOfParts
from ..base.html import Markup
from ..base.ipw import GridBox, VBox
from ..base.sync import update

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.judgements import Judgement
    from ...library.library import Library

__all__ = ["CSS", "Tiles", "stars"]

_HIDDEN = N_("Not rated yet")

CSS = markup.read_css(__file__, "tiles.css")


class Tiles(MadeOfParts, GridBox):
    """A grid of tiles. Another page changes what they show and not how many widgets there are.

    Args:
        library: where the posters are.
        clicked: called with the key of a tile that was clicked.
        made: called, on another thread, when a poster that was missing is there.
        last: a widget that stands in the grid too, below the row of the tile that is open.

    Attributes:
        lacks_pictures: whether videos shown have no picture because nothing that makes one is installed.
    """

    children: Any  # for mypy, which knows nothing of the base

    def __init__(
        self,
        library: Library,
        clicked: Callable[[str], object],
        made: Callable[[], object],
        last: ipywidgets.Widget,
    ) -> None:
        self._library, self._clicked, self._made, self._last = library, clicked, made, last
        self._tiles: list[_Tile] = []
        self.lacks_pictures = False
        # Each widget costs the page some milliseconds, so the tiles share what they have in common; which
        # of two layouts a tile has puts it before or after the one widget that stands between them.
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
        """Show these tasks.

        Args:
            page: the tasks.
            opened: the key of the one that is open.
            blind: show no words of those that are not rated.
        """
        while len(self._tiles) < len(page):
            self._tiles.append(_Tile(self._clicked, self._before))
        is_after = self.lacks_pictures = False
        for tile, (entry, judgement) in zip(self._tiles, page, strict=False):
            is_open = entry.key == opened
            hidden = blind and judgement.rating is None
            tile.show(entry, self._picture(entry), judgement, is_open, hidden)
            tile.layout = self._after if is_after else self._before
            is_after = is_after or is_open
        children = (*(tile for tile in self._tiles[: len(page)]), self._last)
        if self.children != children:
            with update(self):
                self.children = children

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (*self._tiles, self._before, self._after)

    def _picture(self, entry: Entry) -> bytes | None:
        video = self._library.video_of(entry)
        if video is None:
            return None
        picture = read_poster(video)
        if picture is None and video.is_file():
            if can_make():
                posters.ask(video, self._made)
            else:
                self.lacks_pictures = True
        return picture


class _Tile(VBox):
    """One task: the poster, the prompt, a few facts, and a button over all of it."""

    def __init__(self, clicked: Callable[[str], object], layout: ipywidgets.Layout) -> None:
        self._key = ""
        self._look = alike(ipywidgets.HTML)
        self.button = button("", "", lambda: clicked(self._key), layout={}, is_alike=True)
        super().__init__([self._look, self.button], layout=layout)
        self.add_class("qingbo-tile")

    def show(
        self, entry: Entry, picture: bytes | None, judgement: Judgement, is_open: bool, hidden: bool
    ) -> None:
        self._key = entry.key
        prompt = markup.shorten(entry.prompt or entry.task_id or entry.model, 140)
        if hidden:
            entry, prompt = replace(entry, model="", request=None), tr(_HIDDEN)
        with update(self._look, self.button):
            self._look.value = _tile_html(entry, prompt, picture, judgement)
            # What the button is called is for those who do not see the picture.
            self.button.description = tr("Open: {prompt}").format(prompt=markup.shorten(prompt, 60))
        (self.add_class if is_open else self.remove_class)("qingbo-open")


def stars(rating: int | None) -> str:
    """A rating as a few signs; nothing for none."""
    return "" if rating is None else "★" * rating + "☆" * (5 - rating)


def _tile_html(entry: Entry, prompt: str, picture: bytes | None, judgement: Judgement) -> Markup:
    if picture is None:
        drawn = markup.tag("div", markup.escape(markup.shorten(prompt, 60)), class_="qingbo-poster")
    else:
        data = base64.b64encode(picture).decode("ascii")
        drawn = markup.tag("img", src=f"data:image/jpeg;base64,{data}", alt="", class_="qingbo-poster")
        drawn = drawn.removesuffix("</img>")
    status = "" if entry.file else status_name(entry.status)
    facts = " · ".join(fact for fact in (stars(judgement.rating), status, entry.model) if fact)
    said = markup.tag("div", markup.escape(prompt), class_="qingbo-tile-prompt") + markup.tag(
        "div", markup.escape(markup.plain(facts)), class_="qingbo-tile-facts"
    )
    return drawn + markup.tag("div", said, class_="qingbo-tile-words")
