"""A Sphinx extension: the pages get the videos and pictures that the outputs of their notebooks show.

Add it to ``extensions`` in ``conf.py``, beside the one that reads notebooks, such as ``myst_nb``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util import logging

from ..version import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]

logger = logging.getLogger(__name__)

#: Endings of the pages of builders that write HTML, but none for a browser.
_OTHER_PAGES = (".xhtml", ".fjson", ".fpickle")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("build-finished", _complete)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}


def _complete(app: Sphinx, exception: Exception | None) -> None:
    """Complete every page; a file that is missing is a warning of the type ``qingbo``."""
    builder: Any = app.builder  # only those of HTML have a suffix
    if exception is not None or builder.format != "html" or builder.out_suffix in _OTHER_PAGES:
        return
    from .site import Site

    site = Site(Path(app.srcdir), Path(app.outdir))
    whole = _page(builder, app.config.root_doc)  # of the builder that makes one page of all documents
    folders: dict[Path, dict[Path, None]] = {}
    for name in sorted(app.env.found_docs):
        page = _page(builder, name)
        folder = Path(os.fspath(app.env.doc2path(name))).parent
        folders.setdefault(page if page.is_file() else whole, {})[folder] = None
    for page, places in folders.items():
        if page.is_file():
            site.complete(page, list(places))
    for problem in site.problems():
        logger.warning("%s", problem, type="qingbo", subtype="missing")
    if site.copied:
        logger.info("%s", site.report())


def _page(builder: Any, name: str) -> Path:
    """Return the path of the page of a document."""
    return Path(os.fspath(builder.get_outfilename(name)))
