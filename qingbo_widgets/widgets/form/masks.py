"""Masks: what stays still, what moves, and along which path. Drawn on the image, or given as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.problem import Problem
from ...service.contract.values import DynamicMask, is_pair
from ...tasks.background.image_checks import pictures
from ..base import html as markup
from ..base.build import button
from ..base.ipw import VBox
from ..base.sync import Echo, update
from ..base.text_fields import Text, Textarea
from .fields import LABEL_WIDTH, set_tooltip
from .image_fields import is_unasked, service_of, source_of, urls_of
from .panels import Editor, indented, problems_html
from .state import FormState, Problems

__all__ = ["MasksEditor", "points_in", "points_text"]

_ABOUT = N_(
    "Masks need an image. A dynamic mask says which part moves, its path says where to. Points are pixels of "
    "the image, x to the right and y upward from the lower left corner: so Kling counts, and the service's "
    "own documentation does not say."
)
_STATIC = N_("Static mask URL")
_STATIC_HELP = N_("A public URL of a PNG: the part of the image that stays still.")
_MASK = N_("Mask {number} URL")
_MASK_HELP = N_("A public URL of a PNG with alpha: the part of the image that moves.")
_PATH = N_("Path {number}")
_PATH_HELP = N_('The points of the path as JSON: [[120, 80], [300, 200]], or [{"x": 120, "y": 80}, …].')
_PLACEHOLDER = N_("[[120, 80], [300, 200]]: click on the image, or write here")
_URL_PLACEHOLDER = N_("https://…  a PNG")
_ADD = N_("Add a mask")
_ADD_HELP = N_("Another part of the image that moves; at most 6.")
_REMOVE = N_("Remove")
_REMOVE_HELP = N_("Remove mask {number} with its path.")
_DRAW = N_("Draw path")
_DRAW_HELP = N_("Which path gets the points that are clicked on the image.")
_CANVAS = N_("The input image. Click to add points to path {number}.")
_NO_IMAGE = N_("Put in an image URL above, and paths can be drawn on it here.")
_WAITS = N_("Look at the image above first, and paths can be drawn on it here.")
_NOT_POINTS = N_("This is no list of points such as [[120, 80], [300, 200]].")
_IN_CODE = N_("The masks were set in code in a form that cannot be edited here.")

_WIDE = {"width": "auto", "max_width": "740px", "margin": "2px 0"}


def points_text(points: Any) -> str:
    """A trajectory as JSON, on one line."""
    if not isinstance(points, tuple) or not points:
        return ""
    return json.dumps([list(point) if isinstance(point, tuple) else point for point in points], default=str)


def points_in(text: str) -> tuple[tuple[float, float], ...]:
    """The points that somebody has written or pasted: a list, or the service's ``trajectories``.

    Raises:
        ValueError: it is none of these.
    """
    text = text.strip().rstrip(",")
    if not text:
        return ()
    if text.startswith('"'):
        text = "{" + text + "}"
    read = json.loads(text)
    if isinstance(read, dict):
        read = read.get("trajectories")
    points = DynamicMask("", tuple(read)).trajectories if isinstance(read, list) else ()
    if not points or not all(is_pair(point) and all(_is_number(part) for part in point) for point in points):
        raise ValueError(tr(_NOT_POINTS))
    return points


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class _Row(VBox):
    """One dynamic mask: its URL, its path as JSON, a button that removes it."""

    def __init__(self, number: int, change: Callable[[int, DynamicMask | None], None]) -> None:
        self._number, self._change, self._echo = number, change, Echo()
        label = number + 1
        self.url = _line(
            tr(_MASK).format(number=label),
            tr(_MASK_HELP),
            {"flex": "1 1 260px", "width": "auto", "margin": "2px 0"},
        )
        self.path = Textarea(
            description=tr(_PATH).format(number=label), placeholder=tr(_PLACEHOLDER), rows=2, layout=_WIDE
        )
        self.path.style.description_width = LABEL_WIDTH
        set_tooltip(self.path, tr(_PATH_HELP))
        self.remove = button(tr(_REMOVE), tr(_REMOVE_HELP).format(number=label), lambda: change(number, None))
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
        super().__init__([line, self.path, self.note], layout={"overflow": "visible"})
        self._mask, self._wrong = DynamicMask("", ()), ""
        self._shown: object = None
        for control in (self.url, self.path):
            control.observe(lambda _: self._take(), "value")

    def show(self, mask: DynamicMask) -> None:
        """Show this mask; nothing is written back while somebody types."""
        self._mask = mask
        with self._echo, update(self.url, self.path):
            if self.url.value.strip() != mask.mask_url:
                self.url.value = str(mask.mask_url)
            # What cannot be read yet stays, as long as the path itself is the same.
            if self._points() != mask.trajectories and (not self._wrong or mask.trajectories != self._shown):
                self.path.value, self._wrong = points_text(mask.trajectories), ""
            self._shown = mask.trajectories

    def tell(self, problems: Problems, warnings: Problems) -> None:
        """Say what is wrong with this mask. May be called on any thread."""
        mine = [
            tuple(
                dataclasses.replace(p, message=p.message.partition(": ")[2])
                for p in found
                if self._is_mine(p)
            )
            for found in (problems, warnings)
        ]
        with update(self.note):
            self.note.value = self._wrong + problems_html("dynamic_masks", *mine)

    def _is_mine(self, problem: Problem) -> bool:
        return problem.field == "dynamic_masks" and problem.number == self._number + 1

    def _points(self) -> Any:
        try:
            return points_in(self.path.value)
        except (ValueError, RecursionError):
            return None

    def _take(self) -> None:
        if self._echo:
            return
        points = self._points()
        self._wrong = markup.note(tr(_NOT_POINTS), "alarm") if points is None else ""
        with update(self.note):
            self.note.value = self._wrong
        kept = self._mask.trajectories if points is None else points
        self._mask = DynamicMask(self.url.value.strip(), kept)
        self._change(self._number, self._mask)


class MasksEditor(Editor):
    """The static mask and the dynamic masks of a form."""

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self._echo = Echo()
        self.static = _line(tr(_STATIC), tr(_STATIC_HELP), _WIDE)
        self.static.observe(lambda _: self._take_static(), "value")
        self._static_note, self._note = ipywidgets.HTML(), ipywidgets.HTML()
        for note in (self._static_note, self._note):
            note.add_class("qingbo-note")
        self.rows: tuple[_Row, ...] = ()
        self._list = ipywidgets.VBox(layout={"overflow": "visible"})
        self.add = button(tr(_ADD), tr(_ADD_HELP), lambda: self._set((*self._masks(), DynamicMask("", ()))))
        self.draw = ipywidgets.Dropdown(
            description=tr(_DRAW),
            options=[("1", 0)],
            layout={"width": "auto", "max_width": "220px", "display": "none"},
        )
        self.draw.style.description_width = LABEL_WIDTH
        set_tooltip(self.draw, tr(_DRAW_HELP))
        self.draw.observe(lambda _: self._choose(), "value")
        self.canvas: Any = None
        self._hint = ipywidgets.HTML()
        about = ipywidgets.HTML(markup.note(tr(_ABOUT)))
        # The image stands above what changes with every click on it, so that it never moves under the hand.
        self._image = ipywidgets.VBox([self.draw, self._hint], layout={"overflow": "visible"})
        self.children = (
            about,
            self._image,
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
            self.rows = (*self.rows, _Row(len(self.rows), self._take))
        with self._echo:
            for row, mask in zip(self.rows, masks, strict=False):
                row.show(mask)
            with update(self.static, self._list, self.add, self.draw, self.draw.layout):
                if self.static.value.strip() != (self.form.static_mask or ""):
                    self.static.value = self.form.static_mask or ""
                shown = self.rows[: len(masks)]
                if self._list.children != shown:
                    self._list.children = shown
                self.add.disabled = len(masks) >= self.form.parameter("dynamic_masks").most
                options = tuple((str(number + 1), number) for number in range(max(1, len(masks))))
                if tuple(self.draw.options) != options:
                    chosen = self.draw.value or 0
                    self.draw.options = options
                    self.draw.value = min(chosen, len(options) - 1)
                self.draw.layout.display = None if len(masks) > 1 else "none"
        self.show_problems(problems, warnings)
        self._draw()

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Say what is wrong, and show the image once it is known. May be called on any thread."""
        strange = markup.note(tr(_IN_CODE), "hint") if self.form.dynamic_masks and not self._masks() else ""
        with update(self._static_note, self._note):
            self._static_note.value = problems_html("static_mask", problems, warnings)
            whole = tuple(problem for problem in problems if not problem.number)
            self._note.value = strange + problems_html("dynamic_masks", whole, warnings)
        for row in self.rows:
            row.tell(problems, warnings)
        self._load()

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return self.rows

    # ------------------------------------------------------------------ both ways

    def _masks(self) -> tuple[DynamicMask, ...]:
        masks = self.form.dynamic_masks
        if not isinstance(masks, tuple) or not all(isinstance(mask, DynamicMask) for mask in masks):
            return ()
        return masks

    def _set(self, masks: tuple[DynamicMask, ...]) -> None:
        self.form.dynamic_masks = masks

    def _take(self, number: int, mask: DynamicMask | None) -> None:
        masks = self._masks()
        if not self._echo and number < len(masks):
            self._set((*masks[:number], *([] if mask is None else [mask]), *masks[number + 1 :]))

    def _take_static(self) -> None:
        if not self._echo:
            self.form.static_mask = self.static.value.strip() or None

    # ------------------------------------------------------------------ the image

    def _choose(self) -> None:
        if not self._echo:
            self._draw()

    def _draw(self) -> None:
        """The image with the paths over it, made when there are an image and a mask."""
        url, masks = next(iter(urls_of(self.form, "image_urls")), ""), self._masks()
        waits = is_unasked(self.form, url)
        if url and masks and not waits and self.canvas is None:
            self.canvas = self._make_canvas()
        canvas = self.canvas if url and masks and not waits and self.canvas else None
        with update(self._hint, *([canvas] if canvas is not None else [])):
            if masks and (waits or not url):
                self._hint.value = markup.note(tr(_WAITS) if waits else tr(_NO_IMAGE))
            else:
                self._hint.value = ""
            if self.canvas:
                self.canvas.layout.display = None if canvas is not None else "none"
            if canvas is None:
                return
            active = min(self.draw.value or 0, len(masks) - 1)
            with self._echo:
                canvas.active, canvas.label = active, tr(_CANVAS).format(number=active + 1)
                canvas.paths = [[list(p) for p in m.trajectories if _is_point(p)] for m in masks]

        self._load()

    def _load(self) -> None:
        """Let the page load the image that counts now."""
        url = next(iter(urls_of(self.form, "image_urls")), "")
        if self.canvas and url and not is_unasked(self.form, url):
            report = pictures.known(url, service_of(self.form))
            with update(self.canvas):
                self.canvas.source = source_of(report) if report is not None else url

    def _make_canvas(self) -> Any:
        from .canvas import PathCanvas  # anywidget takes long to import

        most = self.form.parameter("dynamic_masks").limits["points"][1]
        canvas = PathCanvas(limit=most, layout={"margin": "4px 0", "width": "100%"})
        canvas.observe(lambda change: self._drawn(change["new"]), "paths")
        with update(self._image):
            self._image.children = (self.draw, canvas, self._hint)
        return canvas

    def _drawn(self, paths: Any) -> None:
        """Somebody has clicked on the image."""
        masks = self._masks()
        if self._echo or len(paths) != len(masks):
            return
        drawn = zip(masks, paths, strict=True)
        self._set(tuple(DynamicMask(mask.mask_url, path) for mask, path in drawn))


def _is_point(point: object) -> bool:
    return is_pair(point) and all(_is_number(part) for part in point)  # type: ignore[attr-defined]


def _line(description: str, explained: str, layout: dict[str, str]) -> Any:
    line = Text(description=description, placeholder=tr(_URL_PLACEHOLDER), layout=layout)
    line.style.description_width = LABEL_WIDTH
    set_tooltip(line, explained)
    return line
