"""Notes on the place of a library that the user may look for elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from ..i18n import N_, tr
from ..library.library import Library
from ..system.notebook import SESSION, Place, notebook_place

__all__ = ["library_note"]

_MOVED = N_(
    "This notebook was moved to {new}, but its library stays in {folder}. To move it too, shut down the "
    "kernel and move that folder beside the notebook."
)
_NOT_THERE = N_(
    "Jupyter names this notebook {file}, which does not exist. Videos are saved in {folder}. If they do not "
    "play, shut down (not restart) the kernel and open the notebook again."
)
_ELSEWHERE = N_(
    "Videos are saved in {folder}, beside the notebook. The working directory has a library of that name "
    "too, with tasks of its own: connect(library={other}) opens it."
)


def library_note(name: str | Path, library: Library) -> str:
    """Return what to say about the place of a library; mostly empty.

    Args:
        name: the folder as the caller passed it.
        library: the library.
    """
    if Path(name).expanduser().is_absolute():
        return ""
    place, folder = notebook_place(), library.folder
    if place.moved_from is not None and not _is_inside(folder, place.folder):
        return tr(_MOVED).format(new=place.folder, folder=folder)
    if _is_gone(place):
        return tr(_NOT_THERE).format(file=place.named, folder=folder)
    try:
        other = Path.cwd() / name
    except OSError:  # the working directory was removed
        return ""
    is_another = os.path.realpath(other) != os.path.realpath(folder)
    if is_another and not library.journal.exists and Library(other).journal.exists:
        return tr(_ELSEWHERE).format(folder=folder, other=repr(str(other)))
    return ""


def _is_gone(place: Place) -> bool:
    """Return whether the host names a notebook that is not there, rather than a session of another kind."""
    named = place.named
    if place.source != SESSION or named is None or named.suffix != ".ipynb" or "-jvsc-" in named.name:
        return False  # a console, a notebook of a VS Code on another machine, papermill's future output
    return not named.exists()


def _is_inside(folder: Path, other: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(other))
