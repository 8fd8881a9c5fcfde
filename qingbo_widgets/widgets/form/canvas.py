"""A canvas for drawing paths on an image with the mouse or the arrow keys. Needs anywidget."""

from __future__ import annotations

from pathlib import Path

import anywidget
from traitlets import Int, List, Unicode

from ..base.html import read_css

__all__ = ["PathCanvas"]

_SCRIPT = Path(__file__).with_name("canvas.js")


class PathCanvas(anywidget.AnyWidget):
    """An image with editable paths over it.

    A click adds a point to the active path. Points can be dragged or moved with the arrow keys, and are
    removed with the Delete key.
    """

    # Of a path anywidget keeps every widget that was made.
    _esm = _SCRIPT.read_text(encoding="utf-8")
    _css = read_css(__file__, "canvas.css")

    source = Unicode("", help="The image source that the page loads: a URL or a data URL.").tag(sync=True)
    label = Unicode("", help="The text alternative of the image, for screen readers.").tag(sync=True)
    paths = List(
        List(List()),
        help="The paths, each a list of points [x, y] in pixels of the image from its lower left corner.",
    ).tag(sync=True)
    active = Int(0, help="The index of the path being drawn, from 0.").tag(sync=True)
    limit = Int(77, help="The maximum number of points in a path.").tag(sync=True)
