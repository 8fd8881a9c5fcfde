"""The drawing area for masks: the input image with the paths over it, where a click adds a point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.values import DynamicMask
from ...tasks.background.image_checks import image_reports
from ..base import html as markup
from ..base.build import set_tooltip
from ..base.ipw import VBox
from ..base.scripts import SCRIPTS_CLASS, missing_script
from ..base.sync import Echo, update
from .fields import LABEL_WIDTH
from .image_fields import needs_approval, service_of, source_of, urls_of
from .mask_points import is_point
from .state import FormState

__all__ = ["MaskDrawing", "Masks"]

_DRAW = N_("Draw path")
_DRAW_HELP = N_("Which path gets the points that are clicked on the image.")
_CANVAS = N_("The input image. Click to add points to path {number}.")
_AS_NUMBERS = N_("Until then, the points are typed.")
_NO_IMAGE = N_("Put in an image URL above, and paths can be drawn on it here.")
_WAITS = N_("Look at the image above first, and paths can be drawn on it here.")

Masks = tuple[DynamicMask, ...]


class MaskDrawing(VBox):
    """The image, and above it a dropdown for the path to draw. The canvas is created on first use.

    Args:
        form: the form whose image is shown.
        masks: returns the current masks.
        change: called with the new masks after a click on the image.
    """

    def __init__(self, form: FormState, masks: Callable[[], Masks], change: Callable[[Masks], None]) -> None:
        self._form, self._masks, self._change, self._echo = form, masks, change, Echo()
        self.choice = ipywidgets.Dropdown(
            description=tr(_DRAW),
            options=[("1", 0)],
            layout={"width": "auto", "max_width": "220px", "display": "none"},
        )
        self.choice.style.description_width = LABEL_WIDTH
        set_tooltip(self.choice, tr(_DRAW_HELP))
        self.choice.observe(lambda _: self._choose(), "value")
        self.canvas: Any = None
        self._hint = ipywidgets.HTML()
        super().__init__([self.choice, self._hint], layout={"overflow": "visible"})
        self.add_class(SCRIPTS_CLASS)

    def offer(self, count: int) -> None:
        """Offer the paths of this many masks for drawing; the selection is kept."""
        with self._echo, update(self.choice, self.choice.layout):
            options = tuple((str(number + 1), number) for number in range(max(1, count)))
            if tuple(self.choice.options) != options:
                chosen = self.choice.value or 0
                self.choice.options = options
                self.choice.value = min(chosen, len(options) - 1)
            self.choice.layout.display = None if count > 1 else "none"

    def draw(self) -> None:
        """Show the image with the paths over it, if there are an image and a mask."""
        url, masks = next(iter(urls_of(self._form, "image_urls")), ""), self._masks()
        is_blocked = needs_approval(self._form, url)
        if url and masks and not is_blocked and self.canvas is None:
            self.canvas = self._make_canvas()
        canvas = self.canvas if url and masks and not is_blocked and self.canvas else None
        with update(self._hint, *([canvas] if canvas is not None else [])):
            if masks and (is_blocked or not url):
                self._hint.value = markup.note(tr(_WAITS) if is_blocked else tr(_NO_IMAGE))
            else:
                self._hint.value = missing_script(tr(_AS_NUMBERS)) if canvas is not None else ""
            if self.canvas:
                self.canvas.layout.display = None if canvas is not None else "none"
            if canvas is None:
                return
            active = min(self.choice.value or 0, len(masks) - 1)
            with self._echo:
                canvas.active, canvas.label = active, tr(_CANVAS).format(number=active + 1)
                canvas.paths = [[list(p) for p in m.trajectories if is_point(p)] for m in masks]

        self.load()

    def load(self) -> None:
        """Make the page load the current image. May be called on any thread."""
        url = next(iter(urls_of(self._form, "image_urls")), "")
        if self.canvas and url and not needs_approval(self._form, url):
            report = image_reports.get(url, service_of(self._form))
            with update(self.canvas):
                self.canvas.source = source_of(report) if report is not None else url

    def _choose(self) -> None:
        if not self._echo:
            self.draw()

    def _make_canvas(self) -> Any:
        from .canvas import PathCanvas  # anywidget is slow to import

        most = self._form.parameter("dynamic_masks").limits["points"][1]
        canvas = PathCanvas(limit=most, layout={"margin": "4px 0", "width": "100%"})
        canvas.observe(lambda change: self._on_paths(change["new"]), "paths")
        with update(self):
            self.children = (self.choice, canvas, self._hint)
        return canvas

    def _on_paths(self, paths: Any) -> None:
        """Set the masks from the paths after a click on the image."""
        masks = self._masks()
        if self._echo or len(paths) != len(masks):
            return
        drawn = zip(masks, paths, strict=True)
        self._change(tuple(DynamicMask(mask.mask_url, path) for mask, path in drawn))
