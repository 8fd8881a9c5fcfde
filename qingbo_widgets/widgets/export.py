"""Export to HTML pages that open without Jupyter, with the videos embedded or in a folder beside the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..exceptions import QingboError
from ..i18n import N_, locale, tr
from ..service.contract.text import shorten
from ..system.folder import Folder, is_file_inside, open_inside, write_whole
from .base import html as markup
from .base.html import Markup
from .base.player import data_url, is_image, size_text
from .base.settings import prompt_of
from .card import head, request_facts
from .sweep import table

if TYPE_CHECKING:
    from ..tasks.sweep.sweep import Sweep
    from ..tasks.task import Task

__all__ = ["export_page", "export_sweep", "export_task"]

#: The maximum of video bytes in one file; browsers struggle with more.
ONE_FILE_LIMIT = 300 * 2**20

_TOO_LARGE = N_(
    "The videos have {size}, but one file holds at most {limit}: pass a folder name without .html."
)

_CSS = markup.read_css(__file__, "export.css")


def export_task(task: Task, path: Path) -> Path:
    """Write the page of one task; see ``Task.export_html``."""
    from ..tasks.saved_video import video_of

    video = video_of(task)

    def body(play: Callable[[Path], Markup]) -> Markup:
        request = json.dumps(task.request.as_dict(), ensure_ascii=False, indent=2) if task.request else ""
        code = markup.code_block(request) if request else Markup()
        return head.headline(task) + request_facts.about(task) + play(video) + code

    return export_page(path, shorten(_title(task), 80), body, [video])


def export_sweep(sweep: Sweep, path: Path) -> Path:
    """Write the page of a sweep; see ``Sweep.export_html``."""
    videos = [video for task in sweep.tasks if (video := task.video_path) and is_file_inside(video)]

    def body(play: Callable[[Path], Markup]) -> Markup:
        def play_if_there(video: Path) -> Markup:
            if is_file_inside(video):
                return play(video)
            return markup.note(tr("The file {name} no longer exists.").format(name=video.name), "hint")

        return table.saved_headline(sweep) + table.notes(sweep) + table.table_html(sweep, play_if_there)

    return export_page(path, tr("Sweep {name}").format(name=sweep.name), body, videos)


def export_page(
    path: Path, title: str, body: Callable[[Callable[[Path], Markup]], Markup], videos: Iterable[Path]
) -> Path:
    """Write a page with videos.

    Args:
        path: a file with the suffix .html, which gets the videos embedded, or a folder for page and videos.
        title: the title of the page.
        body: returns the content; called with the function that returns the player of a video.
        videos: the videos.

    Returns:
        The path of the page.

    Raises:
        QingboError: the videos are too large for one file.
        OSError: the page cannot be written, or a video cannot be read.
    """
    videos = list(videos)
    if path.suffix.lower() in (".html", ".htm"):
        size = sum(video.stat().st_size for video in videos)
        if size > ONE_FILE_LIMIT:
            limit = size_text(ONE_FILE_LIMIT)
            raise QingboError(tr(_TOO_LARGE).format(size=size_text(size), limit=limit))
        return _write(path, title, body(_embedded))
    for video in videos:
        with open_inside(video) as file:
            Folder(path).write(f"videos/{video.name}", file)
    return _write(path / "index.html", title, body(lambda video: _player(f"videos/{quote(video.name)}")))


def _embedded(video: Path) -> Markup:
    return _player(data_url(video, ONE_FILE_LIMIT))


def _player(source: str) -> Markup:
    if is_image(source):
        return markup.tag("img", src=source, alt=tr("The finished video"))
    attributes: dict[str, Any] = {"controls": "", "preload": "metadata", "playsinline": "", "loop": ""}
    return markup.tag("video", src=source, **attributes, aria_label=tr("The finished video"))


def _write(path: Path, title: str, body: Markup) -> Path:
    """Write the page, in full or not at all."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing is loaded from the network, whatever a prompt contains.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; media-src 'self' data: file:; img-src 'self' data: file:; "
        "style-src 'unsafe-inline'\">"
    )
    style = markup.style(markup.OUTPUT_CSS) + markup.style(_CSS)
    foot = markup.tag("footer", markup.text(tr("Made with qingbo_widgets.")))
    content = markup.user_text(title, "h1") + body + foot
    head += f"<title>{markup.escape(title)}</title>{style}"
    html = f'<!doctype html><html lang="{locale()}"><head>{head}</head>'
    write_whole(path, f"{html}<body>{content}</body></html>\n")
    return path


def _title(task: Task) -> str:
    return prompt_of(task.request) or task.task_id
