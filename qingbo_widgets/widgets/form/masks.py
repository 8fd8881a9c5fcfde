"""The editor of masks, which define still and moving parts of an image and the paths of the movement."""

from __future__ import annotations

from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.values import DynamicMask
from ..base import html as markup
from ..base.build import button
from ..base.html import Markup
from ..base.sync import Echo, update
from .fields import WIDE
from .mask_drawing import MaskDrawing
from .mask_painting import STATIC, Masks
from .mask_row import MaskRow, show_button, url_line
from .panels import Editor, indented
from .state import FormState, Problems
from .wording import problems_html

__all__ = ["MasksEditor"]

_ABOUT = N_(
    "Paint the part that moves (Dynamic) or stays still (Static); draw the movement with Path. Points are "
    "pixels of the image, from its lower left corner (Kling's convention)."
)
_STATIC = N_("Static mask")
_STATIC_HELP = N_("The URL or path of a PNG: the part of the image that stays still.")
_ADD = N_("Add a dynamic mask")
_ADD_HELP = N_("Adds a dynamic mask by its URL and points; at most 6.")
_IN_CODE = N_("The masks were set in code and cannot be edited here.")


class MasksEditor(Editor):
    """The editor of the static mask and the dynamic masks, with paths drawn on the image or given as JSON."""

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self._echo = Echo()
        self.static = url_line(form, tr(_STATIC), tr(_STATIC_HELP), WIDE)
        self.static.observe(lambda _: self._on_static_edit(), "value")
        self._static_note, self._note = ipywidgets.HTML(), ipywidgets.HTML()
        for note in (self._static_note, self._note):
            note.add_class("qingbo-note")
        self.rows: tuple[MaskRow, ...] = ()
        self._list = ipywidgets.VBox(layout={"overflow": "visible"})
        self.add = button(tr(_ADD), tr(_ADD_HELP), lambda: self._set((*self._masks(), DynamicMask("", ()))))
        # The image is above the controls that each click changes, so that it never moves under the pointer.
        self.drawing = MaskDrawing(form, self._masks, self._set)
        self.show_static = show_button(lambda: self.drawing.painting.show(STATIC))
        about = ipywidgets.HTML(markup.note(tr(_ABOUT)))
        self.add_class("qingbo-masks")
        self.children = (
            about,
            self.drawing,
            self.static,
            self._static_note,
            indented(self.show_static),
            self._list,
            self._note,
            indented(self.add),
        )

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Show the current masks."""
        masks = self._masks()
        while len(self.rows) < len(masks):
            show = self.drawing.painting.show
            self.rows = (*self.rows, MaskRow(self.form, len(self.rows), self._on_row_edit, show))
        with self._echo:
            for row, mask in zip(self.rows, masks, strict=False):
                row.show(mask)
            with update(self.static, self._list, self.add):
                if self.static.value.strip() != (self.form.static_mask or ""):
                    self.static.value = self.form.static_mask or ""
                visible = self.rows[: len(masks)]
                if self._list.children != visible:
                    self._list.children = visible
                self.add.disabled = len(masks) >= self.form.parameter("dynamic_masks").most
        self.drawing.draw()
        self.show_problems(problems, warnings)

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show the problems, and the image once it is known. May be called on any thread."""
        notice = markup.note(tr(_IN_CODE), "hint") if self.form.dynamic_masks and not self._masks() else ""
        painting = self.drawing.painting
        remark = painting.notes.get(STATIC, Markup())
        with update(self._static_note, self._note, self.show_static.layout):
            static = problems_html(self.form, "static_mask", problems, warnings)
            self._static_note.value = static + remark
            self.show_static.layout.display = None if STATIC in painting.unshown else "none"
            whole = tuple(problem for problem in problems if not problem.number)
            self._note.value = notice + problems_html(self.form, "dynamic_masks", whole, warnings)
        for row in self.rows:
            row.show_problems(self.form, problems, warnings, painting)
        self.drawing.load()

    def _detached_parts(self) -> tuple[Any, ...]:
        return self.rows

    # ------------------------------------------------------------------ synchronisation

    def _masks(self) -> Masks:
        masks = self.form.dynamic_masks
        if not isinstance(masks, tuple) or not all(isinstance(mask, DynamicMask) for mask in masks):
            return ()
        return masks

    def _set(self, masks: Masks) -> None:
        self.form.dynamic_masks = masks

    def _on_row_edit(self, number: int, mask: DynamicMask | None) -> None:
        masks = self._masks()
        if self._echo or number >= len(masks):
            return
        if mask is None:
            self.drawing.painting.remove(number + 1)
        else:
            self._set((*masks[:number], mask, *masks[number + 1 :]))

    def _on_static_edit(self) -> None:
        if not self._echo:
            self.form.static_mask = self.static.value.strip() or None
