"""``python -m qingbo_widgets publish``: notebooks, or the pages that another program made of them."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from ..i18n import N_, tr
from ..system.console import write_line
from ..system.notebook import SESSION
from .site import Site

__all__ = ["complete_built", "publish"]

_NO_NBCONVERT = N_("nbconvert makes the pages, but it is not installed. Install it: pip install nbconvert")
_NO_NOTEBOOK = N_("There is no notebook {path}.")
_NO_PAGE = N_("nbconvert made no page of {path}; its message is above.")
_DRIVES = N_("The notebooks are on several drives. Publish those of each drive separately.")
_NO_FOLDER = N_("There is no folder {path}.")
_NO_PAGES = N_("There are no pages in {path}. Build them first.")
_OPEN = N_("Open {path}")


def publish(notebooks: Sequence[Path], output: Path, *, execute: bool = False) -> int:
    """Make a page of each notebook, and a folder that has everything the pages show.

    Notebooks of several folders keep their places to each other.

    Args:
        notebooks: the notebooks.
        output: the folder.
        execute: whether the notebooks are run first. Their files stay as they are.

    Returns:
        The exit status: 0 if the pages are complete.
    """
    if find_spec("nbconvert") is None:
        return _fail(tr(_NO_NBCONVERT))
    paths = [Path(os.path.normpath(path.absolute())) for path in dict.fromkeys(notebooks)]
    for path in paths:
        if not path.is_file():
            return _fail(tr(_NO_NOTEBOOK).format(path=path))
    try:
        source = Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:
        return _fail(tr(_DRIVES))
    site = Site(source, output)
    pages = []
    for path in paths:
        page = site.output / path.relative_to(source).with_suffix(".html")
        if not _convert(path, page.parent, execute=execute) or not page.is_file():
            return _fail(tr(_NO_PAGE).format(path=path))
        pages.append(page)
        site.complete(page, [path.parent])
    return _end(site, pages[0] if len(pages) == 1 else site.output)


def complete_built(built: Path, source: Path) -> int:
    """Complete the pages that another program made of a folder of notebooks.

    Args:
        built: the folder of the pages, which have the places of their notebooks.
        source: the folder of the notebooks.

    Returns:
        The exit status, as that of ``publish``.
    """
    for path in (built, source):
        if not path.is_dir():
            return _fail(tr(_NO_FOLDER).format(path=path))
    site = Site(source, built)
    pages = sorted(_pages(site.output))
    if not pages:
        return _fail(tr(_NO_PAGES).format(path=built))
    for page in pages:
        mirror = site.source / page.relative_to(site.output).parent
        # Some programs make koi/index.html of koi.ipynb.
        is_index = page.stem == "index" and mirror != site.source
        site.complete(page, [mirror, mirror.parent] if is_index else [mirror])
    return _end(site, None)


def _convert(notebook: Path, folder: Path, *, execute: bool) -> bool:
    """Make the page of a notebook, with the settings that the user has for nbconvert.

    Returns:
        Whether that worked; if not, nbconvert has printed the reason.
    """
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level", "ERROR"]
    if execute:
        command.append("--execute")
    # nbconvert takes the name for a pattern.
    command += ["--output-dir", str(folder), glob.escape(str(notebook))]
    # If this runs in a notebook itself, the kernel must not take that one for its own.
    variables = {name: value for name, value in os.environ.items() if name != SESSION}
    return subprocess.run(command, stdin=subprocess.DEVNULL, env=variables, check=False).returncode == 0


def _pages(folder: Path) -> Iterator[Path]:
    for path, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        yield from (Path(path, name) for name in names if name.lower().endswith((".html", ".htm")))


def _end(site: Site, result: Path | None) -> int:
    """Print what was done and what is missing; return the exit status."""
    for problem in (problems := site.problems()):
        write_line(problem, sys.stderr)
    if report := site.report():
        write_line(report)
    if result is not None:
        write_line(tr(_OPEN).format(path=result))
    return 1 if problems else 0


def _fail(message: str) -> int:
    write_line(message, sys.stderr)
    return 1
