"""HTML players for videos, which a path relative to the notebook refers to, so that the notebook stays small.

Use the markup in an *output*, because Jupyter resolves relative paths only there; an HTML widget never loads
them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...i18n import N_, tr
from ...media.picture_size import picture_size
from ...media.posters import poster_path, read_poster
from ...system.folder import read_inside
from ...system.host import is_vscode
from ...system.notebook import shown_path
from ...system.sound_copies import sound_copy
from ...system.video_files import is_image_name, media_type
from .embedding import EMBED_LIMIT, Embedding
from .html import Markup, block, is_web, join, note, plain_line, tag, text
from .marimo_files import marimo_url
from .page_files import not_loaded, reach_note, relative_url, uncover_next
from .sizes import size_text

__all__ = [
    "TRANSPARENT",
    "data_url",
    "embedded_url",
    "files_html",
    "heard",
    "is_image",
    "link_html",
    "live_html",
    "others_html",
    "output_of",
    "poster_behind",
    "ratio_style",
    "saved_html",
    "size_text",
    "video_html",
]

_FROM_LINK = N_("plays from the service while the video is saved")
_NOT_EVERYWHERE = N_("Some browsers cannot play {ending} files. A copy saved as MP4 plays in all of them.")
#: Endings of videos that some browsers do not play.
_NOT_IN_ALL = (".mov", ".mkv")
#: Without a picture, a player has the colour of a field, because a black box looks like a broken video.
_GROUND = "background: var(--jp-layout-color2, #8883)"
_VIDEO_STYLE = f"max-width: 100%; max-height: 480px; display: block; {_GROUND}; border-radius: 3px"
#: The height in pixels that a player has at most, so that all of it is on the screen.
_TALLEST = 480
#: The size of a player for a video that is not saved yet.
_PLANNED = (480, 270)
#: The styles of a player of a known size, with a picture behind it. Inline, and by rules that a page that is
#: not trusted keeps, as far as possible.
_BOX = f"position: relative; max-width: 100%; width: {{width}}px; {_GROUND}; border-radius: 3px"
_BEHIND = "position: absolute; top: 0; left: 0; width: 100%; height: 100%; border-radius: 3px"
_SIZED = (
    "position: relative; display: block; width: 100%; height: auto; aspect-ratio: {width} / {height}; "
    "border-radius: 3px"
)
_NO_PICTURE = Markup()
_NO_HANDLERS: Mapping[str, str] = {}
#: Marks a player that the user has started, so that the page does not put another one in its place.
_WATCHED = {
    "onplay": "this.classList.add('qingbo-watched')",
    "onerror": "this.classList.remove('qingbo-watched')",
}
#: Marks a player while it plays, so that the page does not put it away (widget.css).
_PLAYING = {
    "onplay": "this.classList.add('qingbo-playing')",
    "onpause": "this.classList.remove('qingbo-playing')",
}
#: A picture of one transparent pixel. Without a poster, a player that has loaded nothing is black.
TRANSPARENT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


#: Where the page cannot get the picture, it loads the beginning of the video. So if it gets no files at all,
#: the line below the player appears without a click.
_WITHOUT_PICTURE = (
    "const v=this.nextElementSibling;this.remove();if(v){v.removeAttribute('poster');v.preload='metadata'}"
)


def video_html(path: Path | str, handlers: Mapping[str, str] = _NO_HANDLERS) -> Markup:
    """Return a player for a file that Jupyter serves, the video's or its future one's.

    With a poster beside the video, nothing of the video is loaded before the user plays it: a browser has a
    limited number of players and of connections.

    Args:
        path: the file.
        handlers: the event handlers of the player in the page.
    """
    path = Path(path)
    url, lines = relative_url(heard(path)), [_caption(path), _playable(path), reach_note(path)]
    if url is None:
        return _figure(Markup(), *lines)
    if not path.is_file():  # requesting it would be pointless
        return _figure(_player(url, "none", _PLANNED, may_fail=True), *lines)
    poster = poster_behind(path)
    preload = "none" if poster else "metadata"
    player = _player(url, preload, _shown_size(path), poster, may_fail=True, handlers=handlers)
    return _figure(player, *lines)


def poster_behind(path: Path) -> Markup:
    """Return the picture that lies behind a player of a saved video; no markup if there is none.

    It is a file beside the video, so that a notebook with hundreds of videos stays small. An image, because
    Jupyter resolves no relative path in the attribute ``poster``.
    """
    url = relative_url(poster_path(path)) if read_poster(path) is not None else None
    if url is None:
        return Markup()
    return tag("img", src=url, alt="", loading="lazy", style=_BEHIND, onerror=_WITHOUT_PICTURE)


def ratio_style(path: Path) -> str:
    """Return the style that keeps the shape of a video before it is loaded; empty if that is not known."""
    size = picture_size(path)
    return "" if size is None else f"; aspect-ratio: {size[0]} / {size[1]}"


def heard(path: Path) -> Path:
    """Return the file that is played for a saved video: in VS Code, its copy with MP3 sound if it has one."""
    return (sound_copy(path) or path) if is_vscode() else path


def saved_html(path: Path | str, embedding: Embedding, handlers: Mapping[str, str] = _NO_HANDLERS) -> Markup:
    """Return the player of a saved video: embedded where the output embeds videos, else with its file.

    Args:
        path: the file.
        embedding: the videos that the output embeds.
        handlers: the event handlers of the player in the page.
    """
    path = Path(path)
    played = heard(path)
    data, reason = embedded_url(played, embedding)
    if data is not None:
        size = size_text(played.stat().st_size)
        caption = tr("{name}, {size}, embedded").format(name=played.name, size=size)
        return _figure(_player(data, size=_shown_size(path), handlers=handlers), caption, _playable(path))
    if not reason:
        return video_html(path, handlers)
    line = note(reason, "hint")
    return video_html(path, handlers) + line if embedding.gets_files else block(line)


def embedded_url(path: Path, embedding: Embedding) -> tuple[str | None, str]:
    """Return a video as a URL that needs no file; without one, why an output that embeds videos lacks this.

    It is a data URL, or in marimo that of a file in marimo's memory.
    """
    if not embedding.is_on:
        return None, ""
    try:
        if (url := marimo_url(path)) is not None:
            return url, ""
        reason = embedding.refusal(path)
        return (None, reason) if reason else (data_url(path), "")
    except OSError as error:
        return None, tr("{name} cannot be read: {reason}").format(
            name=path.name, reason=error.strerror or error
        )


def live_html(path: Path | str, embedding: Embedding) -> Markup:
    """Return the player of ``saved_html`` for a live view, marked while it plays."""
    return saved_html(path, embedding, _PLAYING)


def link_html(url: str) -> Markup:
    """Return a player for a video at the service; no markup if the URL is not http(s).

    For a live view only: the link expires within a day.
    """
    return _figure(_player(url.strip(), handlers=_WATCHED), tr(_FROM_LINK)) if is_web(url) else Markup()


def others_html(paths: Iterable[Path], embedding: Embedding) -> Markup:
    """Return the other videos of a task: players where the output embeds videos, else links."""
    if embedding.is_on:
        return join(saved_html(path, embedding) for path in paths)
    return files_html(paths)


def files_html(paths: Iterable[Path]) -> Markup:
    """Return links to files that Jupyter serves; only the names of those that it cannot."""
    links = []
    for path in paths:
        url = relative_url(path)
        name = text(path.name)
        links.append(tag("span", name) if url is None else tag("a", name, href=url, target="_blank"))
    return block(join(links, "<br>"))


def is_image(source: str) -> bool:
    """Return whether the URL of a video is that of an animation, which browsers show as an image."""
    return source.startswith("data:image/") or (
        not source.startswith("data:") and is_image_name(urlsplit(source).path)
    )


def data_url(path: Path, limit: int = EMBED_LIMIT) -> str:
    """Return a video as a data URL, with the media type of its content.

    Raises:
        OSError: the file cannot be read, or has more than ``limit`` bytes.
    """
    content = read_inside(path, limit)
    return f"data:{media_type(content) or 'video/mp4'};base64,{base64.b64encode(content).decode('ascii')}"


def output_of(markup: str, plain_text: str) -> dict[str, Any]:
    """Return an entry for ``Output.outputs``: the markup, and a text for hosts that show no HTML."""
    data: Mapping[str, str] = {"text/html": markup, "text/plain": plain_text}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _player(
    source: str,
    preload: str = "metadata",
    size: tuple[int, int] | None = None,
    poster: Markup = _NO_PICTURE,
    *,
    may_fail: bool = False,
    handlers: Mapping[str, str] = _NO_HANDLERS,
) -> Markup:
    """Return a player; of a known size, it takes the place of the video before anything is loaded.

    Args:
        source: the URL.
        preload: what the browser loads at once.
        size: width and height in pixels.
        poster: the picture behind it.
        may_fail: whether a line after it explains that the file cannot be loaded.
        handlers: its event handlers in the page.
    """
    line, label = not_loaded() if may_fail else Markup(), tr("The finished video")
    if is_image(source):
        if may_fail:
            handlers = {"onerror": uncover_next()}
        return tag("img", src=source, style=_VIDEO_STYLE, alt=label, **handlers) + line
    width, height = size or (0, 0)
    if may_fail:
        handlers = {**handlers, "onerror": uncover_next("this.parentElement" if size else "this")}
    video = tag(
        "video",
        src=source,
        controls="",
        loop="",  # a clip of a few seconds is watched more than once
        preload=preload,
        poster=TRANSPARENT if preload == "none" else None,
        playsinline="",
        # A page that is not trusted drops the ratio in the style, and has these.
        width=str(width) if size else None,
        height=str(height) if size else None,
        style=_SIZED.format(width=width, height=height) if size else _VIDEO_STYLE,
        aria_label=label,
        **handlers,
    )
    return (tag("div", poster, video, style=_BOX.format(width=width)) if size else video) + line


def _shown_size(path: Path) -> tuple[int, int] | None:
    """Return the size of a player that is not too tall, in pixels; ``None`` if it is unknown."""
    size = picture_size(path)
    if size is None or size[1] <= _TALLEST:
        return size
    return max(1, round(size[0] * _TALLEST / size[1])), _TALLEST


def _figure(player: Markup, *texts: str) -> Markup:
    lines = join((text(plain_line(line)) for line in texts if line), "<br>")
    caption = tag("figcaption", lines, class_="qingbo-dim") if lines else Markup()
    return block(tag("figure", player, caption))


def _playable(path: Path) -> str:
    """Return a hint for a video that only some browsers play, and an empty text for others."""
    ending = path.suffix.lower()
    return tr(_NOT_EVERYWHERE).format(ending=ending) if ending in _NOT_IN_ALL else ""


def _caption(path: Path) -> str:
    try:
        size = f", {size_text(path.stat().st_size)}"
    except OSError:
        size = ""
    return f"{shown_path(path)}{size}"
