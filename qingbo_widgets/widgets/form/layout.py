"""What stands where in the form: a table that the form is built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_
from ...service.contract.values import is_set
from . import images
from .fields import FIELDS
from .panels import Beside, Editor, Panel
from .shots import ShotsEditor

if TYPE_CHECKING:
    from .request_form import RequestForm

__all__ = ["BESIDE", "BY_MODEL", "EDITED", "MAIN", "PANELS"]

_FOLDED = ("last_frame", "callback_url", "negative_prompt")
#: What some models take; these share one place.
BY_MODEL = ("enable_audio", "cfg_scale")
#: What every model takes, above that.
MAIN = tuple(name for name in FIELDS if name not in _FOLDED + BY_MODEL)


class _More(Editor):
    """The fields that are rarely used."""

    def __init__(self, form: RequestForm) -> None:
        super().__init__(form)
        self.children = form.rows(_FOLDED)


def _preview(name: str) -> Beside:
    return Beside(lambda form: images.ImagePreview(form, name), lambda form: is_set(getattr(form, name)))


def _camera(form: RequestForm) -> Editor:
    from .camera import CameraEditor  # here and below: most panels are never opened

    return CameraEditor(form)


def _camera_chosen(form: RequestForm) -> str:
    if form.camera_control is None:
        return ""
    from .camera import summary

    return summary(form)


def _masks(form: RequestForm) -> Editor:
    from .masks import MasksEditor

    return MasksEditor(form)


def _masks_drawn(form: RequestForm) -> str:
    number = len(form.dynamic_masks) if isinstance(form.dynamic_masks, tuple) else 1
    number += form.static_mask is not None
    return str(number) if number else ""


def _presets(form: RequestForm) -> Editor:
    from .presets import PresetsPane

    return PresetsPane(form)


def _sent(form: RequestForm) -> Editor:
    from .payload import SentPane

    return SentPane(form)


def _in_shots(form: RequestForm) -> bool:
    return not form.counts("prompt") and "shots" not in form.hidden


#: What stands below some of the controls when there is use for it.
BESIDE: dict[str, Beside] = {
    "image_urls": _preview("image_urls"),
    "last_frame": _preview("last_frame"),
    "prompt": Beside(ShotsEditor, _in_shots),
}
#: What the buttons below the controls open, in their order.
PANELS: dict[str, Panel] = {
    "camera": Panel(
        N_("Camera"),
        N_("How the camera moves: presets, or axis by axis, with a preview."),
        _camera,
        ("camera_control",),
        _camera_chosen,
    ),
    "masks": Panel(
        N_("Masks"),
        N_("What stays still and what moves in the input image, and along which path."),
        _masks,
        ("static_mask", "dynamic_masks"),
        _masks_drawn,
    ),
    "more": Panel(
        N_("More"), N_("Last frame, callback URL, and what the model takes beyond that."), _More, _FOLDED
    ),
    "presets": Panel(N_("Presets"), N_("Keep the form under a name; start from an earlier task."), _presets),
    "sent": Panel(
        N_("What is sent"), N_("The JSON and the Python call, and a place to paste either."), _sent
    ),
}
#: The fields that panels and controls edit; any other is set in code only.
EDITED = frozenset({*FIELDS, "shots"}) | {name for panel in PANELS.values() for name in panel.fields}
