"""A canvas for painting masks on an image and drawing their paths. Needs anywidget."""

from __future__ import annotations

from pathlib import Path

import anywidget
from traitlets import Bool, Dict, Int, List, Unicode

from ..base.html import read_css
from ..base.scripts import one_module

__all__ = ["MaskCanvas"]


class MaskCanvas(anywidget.AnyWidget):
    """An image with painted masks and editable paths over it, and the tools for both.

    Masks are numbered: 0 is the static one, 1 and more are the dynamic ones. The page sends a painted mask
    as a message ``{"kind": "painted", "mask": 1, "width": 1200, "height": 675}`` with its runs (``mask_png``)
    as a buffer, before any click that follows the painting. It asks for the masks with
    ``{"kind": "ready"}``, and gets each as ``{"kind": "mask", "mask": 1}``, with the bytes of an image unless
    it is empty.
    """

    # Of a path anywidget keeps every widget that was made.
    _esm = one_module(Path(__file__).with_name("canvas.js"))
    _css = read_css(__file__, "canvas.css")

    source = Unicode("", help="The image source that the page loads: a URL or a data URL.").tag(sync=True)
    paths = List(
        List(List()),
        help="The path of each dynamic mask: points [x, y] in pixels from the lower left corner.",
    ).tag(sync=True)
    active = Int(1, help="The number of the mask being edited.").tag(sync=True)
    offered = List(Int(), help="The numbers of the masks that can be edited.").tag(sync=True)
    paints = Bool(False, help="Whether masks can be painted; paths always can be drawn.").tag(sync=True)
    limit = Int(77, help="The maximum number of points in a path.").tag(sync=True)
    texts = Dict(help="The texts of the page, by name.").tag(sync=True)
