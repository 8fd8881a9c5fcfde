"""A gallery without its widgets: the videos of the page that it showed first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...service.contract.text import shorten
from ...system.folder import is_file_inside
from ..base import html as markup
from ..base.html import Markup
from .facts import facts_of

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.judgements import Judgement
    from ...library.library import Library

__all__ = ["players"]

_GRID = "display: grid; gap: 8px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 200px), 1fr))"


def players(
    library: Library, page: Sequence[tuple[Entry, Judgement]], play: Callable[[Path], Markup]
) -> Markup:
    """Return the saved videos of a page with their prompts; no markup if there are none.

    Args:
        library: the library of the tasks.
        page: the tasks with their judgements.
        play: returns the player of a video.
    """
    facts = facts_of(page, library, blind=False)
    shown = []
    for entry, _ in page:
        video = library.video_of(entry)
        if video is not None and is_file_inside(video):
            prompt = markup.user_text(shorten(facts[entry.key].title, 60))
            shown.append(markup.tag("div", prompt, play(video)))
    return markup.tag("div", *shown, style=_GRID) if shown else Markup()
