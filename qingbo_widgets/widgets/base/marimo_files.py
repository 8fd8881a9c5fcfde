"""Videos in marimo, whose page gets no files from the folder of the notebook.

marimo serves what its own elements show, as files in memory that last as long as their cell. So a video of
any size plays, and the output stays small, for which marimo has a limit of 8 MB.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

from ...system.folder import open_inside
from ...system.host import is_marimo

__all__ = ["marimo_url"]


def marimo_url(path: Path) -> str | None:
    """Return the URL at which marimo's page gets a video of the running cell; ``None`` in other hosts.

    Raises:
        OSError: the file cannot be read, or leads out of its folder.
    """
    if not is_marimo():
        return None
    open_inside(path).close()  # a library from elsewhere may have a link to any file in place of a video
    with path.open("rb") as file:
        element = sys.modules["marimo"].video(src=file).text
    found = re.search(r"""\bsrc=(?:'([^']*)'|"([^"]*)")""", element)
    return None if found is None else html.unescape(found[1] or found[2])
