"""Export of videos of a library to one HTML page, with what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...library.other_videos import saved_beside
from ...system.folder import is_file_inside
from ...system.notebook import beside_notebook
from ..base import html as markup
from ..base.html import Markup
from ..export import ONE_FILE_LIMIT, export_page
from .facts import facts_of

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.library import Library

__all__ = ["NO_VIDEOS", "export_entries"]

NO_VIDEOS = N_("None of the selected tasks has a saved video.")


def export_entries(library: Library, entries: Sequence[Entry], path: Path | None = None) -> tuple[Path, int]:
    """Write a page with the videos of some tasks of a library, their prompts and settings.

    Args:
        library: the library of the tasks.
        entries: the tasks; those without a saved video are left out.
        path: as in ``export_sweep``; by default ``videos-DATE-TIME.html`` beside the notebook, or a folder of
            that name if one file cannot hold the videos.

    Returns:
        The path of the page, and the number of videos.

    Raises:
        QingboError: no task has a saved video.
        OSError: the page cannot be written.
    """
    judged = library.judgements.of_all([entry.key for entry in entries])
    shown = [
        (entry, [video, *saved_beside(video)])
        for entry in entries
        if (video := library.video_of(entry)) is not None and is_file_inside(video)
    ]
    if not shown:
        raise QingboError(tr(NO_VIDEOS))
    facts = facts_of([(entry, judged[entry.key]) for entry, _ in shown], library, blind=False)
    videos = [video for _, group in shown for video in group]
    if path is None:
        is_one_file = sum(video.stat().st_size for video in videos) <= ONE_FILE_LIMIT
        ending = ".html" if is_one_file else ""
        path = beside_notebook(f"videos-{datetime.now():%Y-%m-%d-%H%M%S}{ending}")  # a name

    def body(play: Callable[[Path], Markup]) -> Markup:
        figures = []
        for entry, group in shown:
            texts = [markup.user_text(entry.prompt, class_="qingbo-prompt")]
            lines = (facts[entry.key].difference, *facts[entry.key].lines)
            texts += [markup.note(line) for line in lines if line]
            note = judged[entry.key].note
            texts += [markup.user_text(note, class_="qingbo-dim")] if note else []
            figures.append(markup.tag("section", *map(play, group), *texts))
        return markup.tag("div", *figures, class_="qingbo-exported")

    title = tr("{number} videos").format(number=len(videos))
    return export_page(path, title, body, videos), len(videos)
