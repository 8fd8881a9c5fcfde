"""HTML players for videos, which a path relative to the notebook refers to, so that the notebook stays small.

Use the markup in an *output*, because Jupyter resolves relative paths only there; an HTML widget never loads
them.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from ...i18n import N_, sentences, tr
from ...system.folder import read_inside
from ...system.host import is_colab, is_voila
from ...system.notebook import notebook_folder
from ...system.video_files import is_image_name, media_type
from .html import Markup, block, is_web, join, note, plain, tag, text

__all__ = [
    "EMBED_LIMIT",
    "data_url",
    "embed_html",
    "files_html",
    "is_image",
    "link_html",
    "not_loaded",
    "output_of",
    "reach_note",
    "relative_path",
    "relative_url",
    "saved_html",
    "size_text",
    "uncover_next",
    "video_html",
]

#: Largest size in bytes of a video that may be embedded into the notebook.
EMBED_LIMIT = 20 * 2**20

_EMBED_INSTEAD = N_("To put the video into the notebook itself: task.show(embed=True).")
_NOT_LOADED = N_(
    "This page cannot load the video: its file is not there, or the page gets no files from where the "
    "notebook runs."
)
_IN_VOILA = N_("In Voila, start it with {option}.")
_ALLOWLIST = r"--VoilaConfiguration.file_allowlist='.*\.(png|jpg|mp4)'"
_FROM_LINK = N_("from the service's link, while the video is being saved")
_OUTSIDE = N_("The file is outside the notebook's folder; it plays where Jupyter was started above both.")
_NOT_EVERYWHERE = N_("Not every browser plays {ending} files; a copy saved as MP4 plays in all of them.")
_TOO_LARGE = N_("{name} has {size}, and at most {limit} are put into a notebook. It is saved as {path}.")
#: Endings of videos that some browsers do not play.
_NOT_IN_ALL = (".mov", ".mkv")
_VIDEO_STYLE = "max-width: 100%; max-height: 480px; display: block; background: #000; border-radius: 3px"


def relative_path(path: Path | str) -> str | None:
    """Return a path relative to the notebook, with slashes on every system; ``None`` on another drive.

    A folder may have several paths: through a link, a drive letter mapped to a network share, a short name
    such as ``RUNNER~1``. If the path is not below the notebook's folder, the resolved paths are tried.
    """
    folder = notebook_folder()
    fallback = None
    for target, base in ((path, folder), (os.path.realpath(path), os.path.realpath(folder))):
        try:
            relative = os.path.relpath(target, base).replace(os.sep, "/")
        except ValueError:  # on another drive
            continue
        fallback = fallback or relative
        if not relative.startswith("../"):
            return relative
    return fallback


def relative_url(path: Path | str) -> str | None:
    """Return the path as a relative URL, or ``None`` if there is none (another drive on Windows)."""
    relative = relative_path(path)
    if relative is None:
        return None
    # "./" keeps a name with a colon from being read as a URL scheme.
    url = quote(relative, safe="/")
    return url if url.startswith("../") else f"./{url}"


def why_unreachable(path: Path | str) -> str | None:
    """Return the reason why the page may not get this file, or ``None`` if it should."""
    if is_colab():
        return tr("Colab gives the page no files, so it cannot play the video.")
    url = relative_url(path)
    if url is None:
        return tr("The file is on another drive than the notebook, so the page cannot play it.")
    parts = PurePosixPath(url).parts
    if any(part.startswith(".") and part not in (".", "..") for part in parts):
        return tr("The file is in a hidden folder, which Jupyter does not serve.")
    if ".." in parts:
        return tr(_OUTSIDE)
    return None


def reach_note(path: Path | str) -> str:
    """Return why the page may not get this file, and how to play it all the same; empty if it should."""
    reason = why_unreachable(path)
    return sentences(reason, tr(_EMBED_INSTEAD)) if reason else ""


def video_html(path: Path | str, *, preload: str = "metadata") -> Markup:
    """Return a player for a file that Jupyter serves.

    Args:
        path: the video.
        preload: ``none`` for a file that does not exist yet, because requesting it would be pointless.
    """
    url, lines = relative_url(path), [_caption(Path(path)), _playable(Path(path)), reach_note(path)]
    if url is None:
        return _figure(Markup(), *lines)
    return _figure(_player(url, preload, onerror=uncover_next()) + not_loaded(), *lines)


def saved_html(path: Path | str) -> Markup:
    """Return the player that works on this host: with the video embedded if the page gets no files."""
    return embed_html(path) if is_colab() else video_html(path)


def link_html(url: str) -> Markup:
    """Return a player for a video at the service; no markup if the URL is not http(s).

    For a live view only: the link expires within a day.
    """
    return _figure(_player(url.strip()), tr(_FROM_LINK)) if is_web(url) else Markup()


def embed_html(path: Path | str, *, limit: int = EMBED_LIMIT) -> Markup:
    """Return a player with the video embedded; a message if the video is larger than ``limit`` bytes."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > limit:
            message = tr(_TOO_LARGE).format(
                name=path.name, size=size_text(size), limit=size_text(limit), path=path
            )
            return note(message, "hint")
        data = data_url(path, limit)
    except OSError as error:
        reason = error.strerror or error
        return note(tr("{name} cannot be read: {reason}").format(name=path.name, reason=reason), "alarm")
    caption = tr("{name}, {size}, in the notebook").format(name=path.name, size=size_text(size))
    return _figure(_player(data), caption, _playable(path))


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


def not_loaded() -> Markup:
    """Return the line that ``uncover_next`` shows below a player whose file the page cannot get.

    No check in the kernel finds that out on every host. Where the page runs no handlers, as in a notebook
    that is not trusted, the line stays hidden.
    """
    lines = [tr(_NOT_LOADED), tr(_EMBED_INSTEAD)]
    if is_voila():
        lines.append(tr(_IN_VOILA).format(option=_ALLOWLIST))
    return tag("div", text(sentences(*lines)), class_="qingbo-hint", hidden="", style="display: none")


def uncover_next() -> str:
    """Return the handler of a player's ``onerror`` that shows the line after it."""
    return "const e=this.nextElementSibling;e.hidden=false;e.style.display=''"


def output_of(markup: str, plain_text: str) -> dict[str, Any]:
    """Return an entry for ``Output.outputs``: the markup, and a text for hosts that show no HTML."""
    data: Mapping[str, str] = {"text/html": markup, "text/plain": plain_text}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def size_text(size: int) -> str:
    """Format a number of bytes for the user, such as 9.8 MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _player(source: str, preload: str = "metadata", **handlers: str) -> Markup:
    if is_image(source):
        return tag("img", src=source, style=_VIDEO_STYLE, alt=tr("The finished video"), **handlers)
    return tag(
        "video",
        src=source,
        controls="",
        loop="",  # a clip of a few seconds is watched more than once
        preload=preload,
        playsinline="",
        style=_VIDEO_STYLE,
        aria_label=tr("The finished video"),
        **handlers,
    )


def _figure(player: Markup, *texts: str) -> Markup:
    lines = join((text(plain(line)) for line in texts if line), "<br>")
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
    return f"{relative_path(path) or path}{size}"
