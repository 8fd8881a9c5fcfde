"""Files as the page of a notebook gets them: by a path relative to the notebook, or not at all."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ...i18n import N_, sentences, tr
from ...system.host import VOILA, host_without_files
from ...system.notebook import relative_path
from .html import Markup, tag, text

__all__ = ["not_loaded", "reach_note", "relative_url", "uncover_next", "why_unreachable"]

_EMBED_INSTEAD = N_(
    "To embed the video in the notebook: task.show(embed=True); all videos: qw.connect(embed=True)."
)
_SERVES_NONE = N_("{host} serves no files to the page, so it cannot play the video.")
_NOT_LOADED = N_("This page cannot load the video: the file is missing, or Jupyter does not serve it.")
_IN_VOILA = N_("In Voila, start it with {option}.")
_ALLOWLIST = r"--VoilaConfiguration.file_allowlist='.*\.(png|jpg|mp4)'"
_OUTSIDE = N_(
    "The file is outside the notebook's folder. It plays if Jupyter was started in a folder above both."
)


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
    host = host_without_files()
    if host not in ("", VOILA):
        return tr(_SERVES_NONE).format(host=host)
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


def not_loaded() -> Markup:
    """Return the line that ``uncover_next`` shows below a player whose file the page cannot get.

    No check in the kernel finds that out on every host. Where the page runs no handlers, as in a notebook
    that is not trusted, the line stays hidden.
    """
    lines = [tr(_NOT_LOADED), tr(_EMBED_INSTEAD)]
    if host_without_files() == VOILA:
        lines.append(tr(_IN_VOILA).format(option=_ALLOWLIST))
    return tag("div", text(sentences(*lines)), class_="qingbo-hint", hidden="", style="display: none")


def uncover_next(element: str = "this") -> str:
    """Return the handler of a player's ``onerror`` that shows the line after it, or after its box."""
    return f"const e={element}.nextElementSibling;e.hidden=false;e.style.display=''"
