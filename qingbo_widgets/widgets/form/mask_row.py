"""The controls of one dynamic mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.problem import Problem
from ...service.contract.values import DynamicMask
from ..base import html as markup
from ..base.build import button, set_tooltip
from ..base.html import Markup
from ..base.ipw import VBox
from ..base.sync import Echo, update
from ..base.text_fields import Textarea
from .fields import LABEL_WIDTH, WIDE
from .mask_painting import MaskPainting
from .mask_points import NOT_POINTS, points_in, points_text
from .panels import indented
from .state import FormState, Problems
from .url_list import UrlList
from .wording import problems_html

__all__ = ["MaskRow", "show_button", "url_line"]

_MASK = N_("Dynamic mask {number}")
_MASK_HELP = N_("The URL or path of a PNG with alpha: the part of the image that moves.")
_PATH = N_("Path {number}")
_PATH_HELP = N_('The points of the path as JSON: [[120, 80], [300, 200]], or [{"x": 120, "y": 80}, …].')
_SHOW = N_("Show on the image")
_PLACEHOLDER = N_("[[120, 80], [300, 200]]: draw on the image, or type here")
_URL_PLACEHOLDER = N_("https://…  or a PNG file")
_REMOVE = N_("Remove")
_REMOVE_HELP = N_("Removes dynamic mask {number} with its path.")
_SHOW_HELP = N_("Loads the mask to show and edit it. A server that has it sees your IP address.")


class MaskRow(VBox):
    """The editor of one dynamic mask: its URL, its path as JSON, and a button that removes it.

    Args:
        form: the form.
        number: the index of the mask, from 0.
        change: called with the index and the new mask; ``None`` to remove it.
        show: called with the number of the mask, from 1, to show it on the picture.
    """

    def __init__(
        self,
        form: FormState,
        number: int,
        change: Callable[[int, DynamicMask | None], None],
        show: Callable[[int], None],
    ) -> None:
        self._number, self._change, self._echo = number, change, Echo()
        label = number + 1
        self.url = url_line(
            form,
            tr(_MASK).format(number=label),
            tr(_MASK_HELP),
            {"flex": "1 1 260px", "width": "auto", "margin": "2px 0"},
        )
        self.path = Textarea(
            description=tr(_PATH).format(number=label), placeholder=tr(_PLACEHOLDER), rows=2, layout=WIDE
        )
        self.path.style.description_width = LABEL_WIDTH
        set_tooltip(self.path, tr(_PATH_HELP))
        self.remove = button(
            tr(_REMOVE),
            tr(_REMOVE_HELP).format(number=label),
            lambda: change(number, None),
            "qingbo-small",
        )
        self.note = ipywidgets.HTML()
        self.note.add_class("qingbo-note")
        line = ipywidgets.HBox(
            [self.url, self.remove],
            layout={
                "flex_flow": "row wrap",
                "align_items": "flex-end",
                "max_width": "740px",
                "overflow": "visible",
            },
        )
        self.path.add_class("qingbo-mono")
        self.show_button = show_button(lambda: show(label))
        parts = [line, self.path, self.note, indented(self.show_button)]
        super().__init__(parts, layout={"overflow": "visible"}, _dom_classes=("qingbo-row",))
        self._mask, self._error_html = DynamicMask("", ()), ""
        self._shown: object = None
        for control in (self.url, self.path):
            control.observe(lambda _: self._on_edit(), "value")

    def show(self, mask: DynamicMask) -> None:
        """Show this mask; a path that cannot be parsed yet stays as typed."""
        self._mask = mask
        with self._echo, update(self.url, self.path):
            if self.url.value.strip() != mask.mask_url:
                self.url.value = str(mask.mask_url)
            # Text that cannot be parsed yet stays, as long as the path itself is unchanged.
            if self._points() != mask.trajectories and (
                not self._error_html or mask.trajectories != self._shown
            ):
                self.path.value, self._error_html = points_text(mask.trajectories), ""
            self._shown = mask.trajectories

    def show_problems(
        self, form: FormState, problems: Problems, warnings: Problems, painting: MaskPainting
    ) -> None:
        """Show the problems of this mask. May be called on any thread."""
        own = [filter(self._is_mine, issues) for issues in (problems, warnings)]
        html = problems_html(form, "dynamic_masks", *own)
        remark = painting.notes.get(self._number + 1, Markup())
        with update(self.note, self.show_button.layout):
            self.note.value = markup.join([Markup(self._error_html), html, remark])
            self.show_button.layout.display = None if self._number + 1 in painting.unshown else "none"

    def _is_mine(self, problem: Problem) -> bool:
        return problem.field == "dynamic_masks" and problem.number == self._number + 1

    def _points(self) -> Any:
        try:
            return points_in(self.path.value)
        except (ValueError, RecursionError):
            return None

    def _on_edit(self) -> None:
        if self._echo:
            return
        points = self._points()
        self._error_html = markup.note(tr(NOT_POINTS), "alarm") if points is None else ""
        with update(self.note):
            self.note.value = self._error_html
        trajectories = self._mask.trajectories if points is None else points
        self._mask = DynamicMask(self.url.value.strip(), trajectories)
        self._change(self._number, self._mask)


def url_line(form: FormState, description: str, help_text: str, layout: dict[str, str]) -> Any:
    """Return a field for the URL or the file of a mask."""
    line = UrlList(
        description=description,
        placeholder=tr(_URL_PLACEHOLDER),
        tooltip=help_text,
        most=1,
        style={"description_width": LABEL_WIDTH},
        layout=layout,
    )
    line.take_files("mask", form)
    return line


def show_button(act: Callable[[], None]) -> Any:
    """Return the button that shows a mask of another server on the picture; it is hidden at first."""
    return button(tr(_SHOW), tr(_SHOW_HELP), act, "qingbo-small", layout={"width": "auto", "display": "none"})
