"""Masks: what stays still, what moves, and along which path. Drawn on the image, or given as JSON."""

from __future__ import annotations

from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.values import DynamicMask
from ..base import html as markup
from ..base.build import button
from ..base.sync import Echo, update
from .fields import WIDE
from .mask_drawing import MaskDrawing, Masks
from .mask_row import MaskRow, url_line
from .panels import Editor, indented, problems_html
from .state import FormState, Problems

__all__ = ["MasksEditor"]

_ABOUT = N_(
    "Masks need an image. A dynamic mask says which part moves, its path says where to. Points are pixels of "
    "the image, x to the right and y upward from the lower left corner: so Kling counts, and the service's "
    "own documentation does not say."
)
_STATIC = N_("Static mask URL")
_STATIC_HELP = N_("A public URL of a PNG: the part of the image that stays still.")
_ADD = N_("Add a mask")
_ADD_HELP = N_("Another part of the image that moves; at most 6.")
_IN_CODE = N_("The masks were set in code in a form that cannot be edited here.")


class MasksEditor(Editor):
    """The static mask and the dynamic masks of a form."""

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self._echo = Echo()
        self.static = url_line(tr(_STATIC), tr(_STATIC_HELP), WIDE)
        self.static.observe(lambda _: self._take_static(), "value")
        self._static_note, self._note = ipywidgets.HTML(), ipywidgets.HTML()
        for note in (self._static_note, self._note):
            note.add_class("qingbo-note")
        self.rows: tuple[MaskRow, ...] = ()
        self._list = ipywidgets.VBox(layout={"overflow": "visible"})
        self.add = button(tr(_ADD), tr(_ADD_HELP), lambda: self._set((*self._masks(), DynamicMask("", ()))))
        # The image stands above what changes with every click on it, so that it never moves under the hand.
        self.drawing = MaskDrawing(form, self._masks, self._set)
        about = ipywidgets.HTML(markup.note(tr(_ABOUT)))
        self.children = (
            about,
            self.drawing,
            self.static,
            self._static_note,
            self._list,
            self._note,
            indented(self.add),
        )

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Show the masks as they are now."""
        masks = self._masks()
        while len(self.rows) < len(masks):
            self.rows = (*self.rows, MaskRow(len(self.rows), self._take))
        with self._echo:
            for row, mask in zip(self.rows, masks, strict=False):
                row.show(mask)
            with update(self.static, self._list, self.add):
                if self.static.value.strip() != (self.form.static_mask or ""):
                    self.static.value = self.form.static_mask or ""
                shown = self.rows[: len(masks)]
                if self._list.children != shown:
                    self._list.children = shown
                self.add.disabled = len(masks) >= self.form.parameter("dynamic_masks").most
                self.drawing.offer(len(masks))
        self.show_problems(problems, warnings)
        self.drawing.draw()

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Say what is wrong, and show the image once it is known. May be called on any thread."""
        strange = markup.note(tr(_IN_CODE), "hint") if self.form.dynamic_masks and not self._masks() else ""
        with update(self._static_note, self._note):
            self._static_note.value = problems_html("static_mask", problems, warnings)
            whole = tuple(problem for problem in problems if not problem.number)
            self._note.value = strange + problems_html("dynamic_masks", whole, warnings)
        for row in self.rows:
            row.tell(problems, warnings)
        self.drawing.load()

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return self.rows

    # ------------------------------------------------------------------ both ways

    def _masks(self) -> Masks:
        masks = self.form.dynamic_masks
        if not isinstance(masks, tuple) or not all(isinstance(mask, DynamicMask) for mask in masks):
            return ()
        return masks

    def _set(self, masks: Masks) -> None:
        self.form.dynamic_masks = masks

    def _take(self, number: int, mask: DynamicMask | None) -> None:
        masks = self._masks()
        if not self._echo and number < len(masks):
            self._set((*masks[:number], *([] if mask is None else [mask]), *masks[number + 1 :]))

    def _take_static(self) -> None:
        if not self._echo:
            self.form.static_mask = self.static.value.strip() or None
