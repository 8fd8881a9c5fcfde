"""The drawing area for masks: the input image, on which masks are painted and their paths drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.urls import is_web_url
from ...service.contract.values import DynamicMask
from ..base import html as markup
from ..base.html import Markup
from ..base.ipw import VBox
from ..base.scripts import SCRIPTS_CLASS, missing_script
from ..base.sync import Echo, update
from .image_fields import first_image, needs_approval, report_of, source_of
from .mask_painting import STATIC, MaskPainting, Masks, why_not_painted
from .mask_points import is_point
from .state import FormState

__all__ = ["MaskDrawing"]

_WITHOUT_SCRIPT = N_("Until then, enter the URLs of masks, and type the points of their paths.")
_NO_IMAGE = N_("Choose an image above to paint masks on it here.")
_WAITS = N_("Show the image above first, then paint masks on it here.")

#: The texts of the canvas, by their name there.
_TEXTS = {
    "image": N_("The first frame"),
    "canvas": N_("First frame: {mask}, {tool}"),
    "masks": N_("Mask"),
    "static": N_("Static"),
    "dynamic": N_("Dynamic {number}"),
    "tools": N_("Tool"),
    "brush": N_("Brush"),
    "brush_help": N_("Paint the mask (B)"),
    "eraser": N_("Eraser"),
    "eraser_help": N_("Erase from the mask (E)"),
    "path": N_("Path"),
    "path_help": N_("Draw where the dynamic mask moves (P)"),
    "size": N_("Size"),
    "pixels": N_("{number} px"),
    "undo": N_("Undo"),
    "undo_help": N_("Undo (Ctrl+Z)"),
    "redo": N_("Redo"),
    "redo_help": N_("Redo (Ctrl+Shift+Z)"),
    "clear": N_("Clear"),
    "clear_help": N_("Erase the whole mask"),
    "invert": N_("Invert"),
    "invert_help": N_("Swap painted and unpainted"),
    "painted": N_("Painted."),
    "erased": N_("Erased."),
    "cleared": N_("Cleared."),
    "inverted": N_("Inverted."),
    "undone": N_("Undone."),
    "redone": N_("Redone."),
    "share": N_("{mask}: {percent} % of the image."),
    "empty": N_("{mask}: nothing painted."),
    "next": N_("Choose Path, and draw where it moves."),
    "point": N_("Point {number}: {x}, {y}"),
    "full": N_("A path has at most {limit} points."),
    "place_painted": N_("{x}, {y}: painted"),
    "sized": N_("Size: {number} px"),
    "help": N_(
        "Drag to paint; with Path, click to add points. Keys: arrows move (Shift: faster), Space paints, [ "
        "and ] resize, B, E, P choose the tool, Ctrl+Z undoes."
    ),
}


class MaskDrawing(VBox):
    """The image with its tools. The canvas is created on first use.

    Args:
        form: the form whose image is shown.
        masks: returns the current dynamic masks.
        change: called with the new dynamic masks.

    Attributes:
        painting: the contents of the masks.
        canvas: the canvas; ``None`` before its first use.
    """

    def __init__(self, form: FormState, masks: Callable[[], Masks], change: Callable[[Masks], None]) -> None:
        self._form, self._masks, self._change, self._echo = form, masks, change, Echo()
        self.painting = MaskPainting(form, masks, change, self._to_page)
        self.canvas: Any = None
        self._hint = ipywidgets.HTML()
        super().__init__([self._hint], layout={"overflow": "visible"})
        self.add_class(SCRIPTS_CLASS)

    def draw(self) -> None:
        """Show the image with the masks and paths over it, if there is an image; ``load`` loads it."""
        url = first_image(self._form)
        is_blocked = needs_approval(self._form, url)
        is_shown = bool(url) and not is_blocked
        if is_shown and self.canvas is None:
            self.canvas = self._make_canvas()
        if self.canvas is not None:
            self._draw_canvas(is_shown)
        with update(self._hint):
            if not is_shown:
                self._hint.value = markup.note(tr(_WAITS) if is_blocked else tr(_NO_IMAGE))
            else:
                self._hint.value = missing_script(tr(_WITHOUT_SCRIPT)) + self._remark()

    def _remark(self) -> Markup:
        """Return why no mask can be painted, or else where the masks go."""
        if reason := why_not_painted(self._form):
            return markup.note(reason, "hint")
        manager = self._form.manager
        notice = "" if manager is None else manager.inputs.notice
        return markup.note(notice) if notice else Markup()

    def load(self) -> None:
        """Make the page load the current image.

        May be called on any thread.
        """
        url = first_image(self._form)
        if self.canvas and url and not needs_approval(self._form, url):
            report = report_of(self._form, "image_urls", url)
            with update(self.canvas):
                self.canvas.source = source_of(report) if report is not None else _at_url(url)
            self.painting.check_picture()

    def _draw_canvas(self, is_shown: bool) -> None:
        masks, canvas, offered = self._masks(), self.canvas, self._offered()
        with self._echo, update(canvas, canvas.layout):
            canvas.layout.display = None if is_shown else "none"
            canvas.paths = [[list(p) for p in mask.trajectories if is_point(p)] for mask in masks]
            canvas.offered, canvas.paints = offered, not why_not_painted(self._form)
            if canvas.active not in offered:
                canvas.active = offered[-1] if offered else STATIC
        self.painting.follow()

    def _offered(self) -> list[int]:
        """Return the masks that can be edited, with the next dynamic one."""
        form, count = self._form, len(self._masks())
        most = form.parameter("dynamic_masks").most
        return [
            number
            for name, numbers in (
                ("static_mask", [STATIC]),
                ("dynamic_masks", range(1, min(count + 1, most) + 1)),
            )
            for number in numbers
            if form.takes(name) and name not in form.fixed and name not in form.hidden
        ]

    def _make_canvas(self) -> Any:
        from .canvas import MaskCanvas  # anywidget is slow to import

        most = self._form.parameter("dynamic_masks").limits["points"][1]
        texts = {name: tr(text) for name, text in _TEXTS.items()} | {"place": "{x}, {y}"}
        canvas = MaskCanvas(limit=most, texts=texts, layout={"margin": "4px 0", "width": "100%"})
        canvas.observe(lambda change: self._on_paths(change["new"]), "paths")
        canvas.observe(lambda change: self._on_choice(change["old"]), "active")
        canvas.on_msg(lambda _, content, buffers: self.painting.receive(content, buffers))
        with update(self):
            self.children = (self._hint, canvas)
        return canvas

    def _to_page(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if self.canvas is not None:
            self.canvas.send(content, buffers)

    def _on_paths(self, paths: Any) -> None:
        """Set the masks from the paths, after one was changed on the image, or that of a new mask begun."""
        masks = self._masks()
        if self._echo or len(paths) not in (len(masks), len(masks) + 1):
            return
        masks = (*masks, *[DynamicMask("", ())] * (len(paths) - len(masks)))
        drawn = zip(masks, paths, strict=True)
        self._change(tuple(DynamicMask(mask.mask_url, path) for mask, path in drawn))

    def _on_choice(self, left: int) -> None:
        """Remove the mask that was left if there is nothing in it."""
        masks = self._masks()
        is_empty = 0 < left <= len(masks) and masks[left - 1] == DynamicMask("", ())
        if self._echo or not is_empty:
            return
        chosen = self.canvas.active
        with self._echo:
            self.canvas.active = chosen - (chosen > left)
        self.painting.remove(left)


def _at_url(url: str) -> str:
    """Return a URL that the page can load before the picture was checked; empty for a file."""
    return url if is_web_url(url) else ""
