"""An image on which paths are drawn with the mouse or the arrow keys. Needs anywidget."""

from __future__ import annotations

from pathlib import Path

import anywidget
from traitlets import Int, List, Unicode

__all__ = ["PathCanvas"]


class PathCanvas(anywidget.AnyWidget):
    """Paths over an image.

    A click adds a point to the active path; a point is dragged, or moved with the arrow keys, and removed
    with the Delete key.
    """

    _esm = Path(__file__).with_name("canvas.js")

    source = Unicode("", help="What the page loads to show the image: a URL, or the data itself.").tag(
        sync=True
    )
    label = Unicode("", help="What the image shows, for those who do not see it.").tag(sync=True)
    paths = List(
        List(List()),
        help="Each path a list of points [x, y]: pixels of the image, from its lower left corner.",
    ).tag(sync=True)
    active = Int(0, help="The number of the path that is being drawn, from 0.").tag(sync=True)
    limit = Int(77, help="The most points that a path may have.").tag(sync=True)
