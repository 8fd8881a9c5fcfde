"""HTML players for videos, which a path relative to the notebook refers to, so that the notebook stays small.

Use the markup in an *output*, because Jupyter resolves relative paths only there; an HTML widget never loads
them.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from ...i18n import N_, tr
from ...system.folder import read_inside
from .html import Markup, escape, is_web, join, note, plain, tag

__all__ = [
    "EMBED_LIMIT",
    "embed_html",
    "link_html",
    "notebook_folder",
    "output_of",
    "relative_path",
    "relative_url",
    "size_text",
    "video_html",
]

#: Largest size in bytes of a video that may be embedded into the notebook.
EMBED_LIMIT = 20 * 2**20

_EMBED_INSTEAD = N_("To put the video into the notebook itself: task.show(embed=True).")
_FROM_LINK = N_("from the service's link, while the video is being saved")
_OUTSIDE = N_("The file is outside the notebook's folder; it plays where Jupyter was started above both.")
_TOO_LARGE = N_("{name} has {size}, and at most {limit} are put into a notebook. It is saved as {path}.")
_VIDEO_STYLE = "max-width: 100%; max-height: 480px; display: block; background: #000; border-radius: 3px"


def notebook_folder() -> Path:
    """Return the folder of the notebook, against which Jupyter resolves relative paths.

    This is the folder in ``JPY_SESSION_NAME``, Jupyter's name of the session, because the user may have
    changed the kernel's working directory; without it, the working directory.
    """
    session = Path(os.environ.get("JPY_SESSION_NAME", ""))
    if session.is_absolute() and session.parent.is_dir():
        return session.parent
    return Path.cwd()


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
    """Return the reason why Jupyter may not serve this file to the page, or ``None`` if it should."""
    url = relative_url(path)
    if url is None:
        return tr("The file is on another drive than the notebook, so the page cannot play it.")
    parts = PurePosixPath(url).parts
    if any(part.startswith(".") and part not in (".", "..") for part in parts):
        return tr("The file is in a hidden folder, which Jupyter does not serve.")
    if ".." in parts:
        return tr(_OUTSIDE)
    return None


def video_html(path: Path | str, *, preload: str = "metadata") -> Markup:
    """Return a player for a file that Jupyter serves.

    Args:
        path: the video.
        preload: ``none`` for a file that does not exist yet, because requesting it would be pointless.
    """
    url, reason = relative_url(path), why_unreachable(path)
    lines = [_caption(Path(path))]
    if reason:
        lines.append(f"{reason} {tr(_EMBED_INSTEAD)}")
    player = Markup() if url is None else _player(url, preload)
    return _figure(player, *lines)


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
        data = base64.b64encode(read_inside(path, limit)).decode("ascii")
    except OSError as error:
        reason = error.strerror or error
        return note(tr("{name} cannot be read: {reason}").format(name=path.name, reason=reason), "alarm")
    caption = tr("{name}, {size}, in the notebook").format(name=path.name, size=size_text(size))
    return _figure(_player(f"data:video/mp4;base64,{data}"), caption)


def output_of(markup: str, text: str) -> dict[str, Any]:
    """Return an entry for ``Output.outputs``: the markup, and a text for hosts that show no HTML."""
    data: Mapping[str, str] = {"text/html": markup, "text/plain": text}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def size_text(size: int) -> str:
    """Format a number of bytes for the user, such as 9.8 MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _player(source: str, preload: str = "metadata") -> Markup:
    return tag(
        "video",
        src=source,
        controls="",
        loop="",  # a clip of a few seconds is watched more than once
        preload=preload,
        playsinline="",
        style=_VIDEO_STYLE,
        aria_label=tr("The finished video"),
    )


def _figure(player: Markup, *texts: str) -> Markup:
    lines = join((escape(plain(line)) for line in texts if line), "<br>")
    caption = tag("figcaption", lines, class_="qingbo-dim") if lines else Markup()
    return tag("div", tag("figure", player, caption), class_="qingbo-html")


def _caption(path: Path) -> str:
    try:
        size = f", {size_text(path.stat().st_size)}"
    except OSError:
        size = ""
    return f"{relative_path(path) or path}{size}"
