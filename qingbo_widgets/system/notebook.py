"""The place of this kernel's notebook: the folder against which its page resolves relative paths.

Jupyter has no interface for this question. Each host answers it in a way of its own, and none of them when
the notebook is moved while its kernel runs: the file is then found again by its identity in the file system.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .host import VSCODE_NOTEBOOK, in_notebook, running_cell, shell

__all__ = [
    "SESSION",
    "Place",
    "beside_notebook",
    "locate",
    "notebook_folder",
    "notebook_place",
    "relative_path",
    "shown_path",
]

#: The variable of papermill (with ``--inject-paths``), which runs a copy of the input that it saves there.
OUTPUT = "PAPERMILL_OUTPUT_PATH"
#: Variables that a host sets in the user's namespace to the path of the notebook: VS Code, then papermill.
VARIABLES = (VSCODE_NOTEBOOK, OUTPUT, "PAPERMILL_INPUT_PATH")
#: The environment variable that the Jupyter server sets.
SESSION = "JPY_SESSION_NAME"
#: How the folder is known if no host names it: the kernel started there, or it is the working directory.
START, WORKING_FOLDER = "start", "cwd"

#: The name of a drive, which Jupyter's collaboration puts before a path; one letter is a drive of Windows.
_DRIVE = re.compile(r"^[A-Za-z][\w-]+:(?!//)")
#: Limits of a search for a moved notebook: seconds, and levels up.
_SECONDS, _LEVELS = 0.5, 3
#: Seconds after a search in vain until the next one, which double each time.
_SEARCH_AGAIN = 5.0


@dataclass(frozen=True)
class Place:
    """The place of a notebook.

    Attributes:
        folder: its folder, an absolute path that may lead through links, as the page's does.
        source: how it is known: the name of a variable, ``START`` or ``WORKING_FOLDER``.
        file: the notebook's file; ``None`` if it is not known, or is not on this machine.
        named: the file that the host names, which need not exist.
        moved_from: the folder in which the notebook was when its kernel first used it, if that has changed.
    """

    folder: Path
    source: str
    file: Path | None = None
    named: Path | None = None
    moved_from: Path | None = None


def notebook_place() -> Place:
    """Return where the notebook of this kernel is; outside a kernel, the working directory.

    In a kernel the answer does not change with the working directory, only with the place of the file.
    """
    if not in_notebook():
        return Place(Path.cwd(), WORKING_FOLDER)
    return _notebook.place()


def notebook_folder() -> Path:
    """Return the folder of the notebook, against which its page resolves relative paths."""
    return notebook_place().folder


def beside_notebook(path: str | Path) -> Path:
    """Return the absolute path that a path relative to the notebook means; ``~`` is the home folder.

    A link is not followed, because the page reaches the files of a linked folder by the name of the link.
    After a move of the notebook, a folder that it has left behind is meant, unless it has another one.
    """
    path = Path(path).expanduser()
    if path.is_absolute():
        return path.resolve() if ".." in path.parts else path
    place = notebook_place()
    found = place.folder / path
    if place.moved_from is not None and not found.exists() and (place.moved_from / path).exists():
        found = place.moved_from / path
    # The parent of a linked folder is that of its target.
    return found.resolve() if ".." in path.parts else found


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


def shown_path(path: Path | str) -> str:
    """Return a path for a message: relative to the notebook if possible."""
    return relative_path(path) or str(path)


def locate(
    environment: Mapping[str, str], namespace: Mapping[str, Any], start: Path, *, has_page: bool
) -> Place:
    """Return where the notebook of a kernel is, by what its host has set.

    Args:
        environment: the environment variables of the kernel.
        namespace: the user's variables.
        start: the folder in which the kernel started.
        has_page: whether a page runs the cells. A program such as papermill, run from a notebook, hands on
            the name of that notebook.
    """
    for name in VARIABLES:
        if (place := _place_of(namespace.get(name), name, start)) is not None:
            return place
    place = _place_of(environment.get(SESSION), SESSION, start)
    if place is not None and (has_page or _is_same(place.folder, start)):
        return place
    return Place(start, START)


def _place_of(text: object, source: str, start: Path) -> Place | None:
    """Return the place that a host names, ``None`` if that is not on this machine."""
    if not isinstance(text, str) or not text.strip() or "://" in text:
        return None
    paths = [path for spelling in dict.fromkeys(_spellings(text)) for path in _paths(spelling, source, start)]
    for path in paths:
        if _holds(path.is_file):
            return Place(path.parent, source, path, path)
    is_new = source == OUTPUT and text.endswith(".ipynb")  # papermill may write it at the end
    for path in paths if is_new or _is_absolute(text) else ():
        if _holds(path.is_dir):  # nbclassic names its sessions '', which leaves the folder
            return Place(path, source)
        if _holds(path.parent.is_dir):
            return Place(path.parent, source, None, path)
    return None


def _spellings(text: str) -> Iterator[str]:
    """Yield a path as it is, without the name of a drive, and decoded."""
    for spelling in (text, unquote(text)):
        yield spelling
        yield _DRIVE.sub("", spelling)
        yield str(Path(spelling).parent / _DRIVE.sub("", Path(spelling).name))


def _paths(text: str, source: str, start: Path) -> tuple[Path, ...]:
    """Return the absolute paths that a path may mean.

    A program's path is relative to the folder in which it starts the kernel. That of a session is relative to
    a root that is not known, and the kernel starts beside the notebook.
    """
    path = Path(text)
    if path.is_absolute():
        return (path,)
    inside = Path(os.path.normpath(start / path))
    return (start / path.name, inside) if source == SESSION else (inside,)


def _is_absolute(text: str) -> bool:
    return any(Path(spelling).is_absolute() for spelling in _spellings(text))


def _holds(test: Callable[[], bool]) -> bool:
    """Return the result of a test of a path; ``False`` for one that this system cannot have."""
    with suppress(OSError, ValueError):
        return test()
    return False


def _is_same(folder: Path, other: Path) -> bool:
    return folder == other or os.path.realpath(folder) == os.path.realpath(other)


class _Notebook:
    """The notebook of this kernel: where it was first found, and where it has been moved since."""

    def __init__(self) -> None:
        self._place: Place | None = None
        self._identity: tuple[int, int] | None = None
        self._first_folder: Path | None = None
        self._search_from, self._pause = 0.0, _SEARCH_AGAIN

    def place(self) -> Place:
        """Return the present place."""
        if self._place is None:
            kernel = shell()
            start = Path(getattr(kernel, "starting_dir", "") or Path.cwd())
            namespace = getattr(kernel, "user_ns", {})
            has_page = bool(running_cell()[0])
            self._place = locate(os.environ, namespace, start, has_page=has_page)
            self._first_folder = self._place.folder
        file = self._place.file
        if file is None:
            return self._place
        identity = _identity(file)
        if identity is not None:
            self._identity = identity  # programs that save by replacing the file change it
            return self._place
        if self._identity is not None and time.monotonic() >= self._search_from:
            found = _find(self._identity, file.parent, time.monotonic() + _SECONDS)
            if found is not None:
                self._follow(found)
            else:
                self._search_from, self._pause = time.monotonic() + self._pause, 2 * self._pause
        return self._place

    def _follow(self, file: Path) -> None:
        assert self._place is not None
        moved_from = None if file.parent == self._first_folder else self._first_folder
        self._pause = _SEARCH_AGAIN
        self._place = replace(self._place, folder=file.parent, file=file, named=file, moved_from=moved_from)


_notebook = _Notebook()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what identifies a file wherever it is on its disk; ``None`` if it does not exist."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _find(identity: tuple[int, int], folder: Path, deadline: float) -> Path | None:
    """Return the notebook with this identity, in or near a folder, nearest first; ``None`` if not found."""
    seen = set[Path]()
    for root in (folder, *list(folder.parents)[:_LEVELS]):
        folders = deque([root])
        while folders and time.monotonic() < deadline:
            inner, found = _look_into(folders.popleft(), identity)
            if found is not None:
                return found
            folders += [path for path in inner if path not in seen]
            seen.update(inner)
    return None


def _look_into(folder: Path, identity: tuple[int, int]) -> tuple[list[Path], Path | None]:
    """Return the visible folders inside a folder, and the notebook with this identity."""
    inner = list[Path]()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.endswith(".ipynb") and _identity(path) == identity:
                return inner, path
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                inner.append(path)
    return inner, None
