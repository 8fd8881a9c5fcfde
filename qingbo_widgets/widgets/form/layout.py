"""The layout of the form: tables of its fields, panels and companion editors."""

from __future__ import annotations

from ...i18n import N_
from ...service.contract.models import declared
from ...service.contract.values import is_set
from . import images
from .fields import fields
from .image_fields import fields_with
from .panels import Companion, Editor, Panel
from .shots import ShotsEditor
from .state import FormState

__all__ = ["MAIN", "by_model", "companions", "is_edited", "panels"]

_FOLDED = ("last_frame", "callback_url", "negative_prompt")
#: The fields that every model takes, at the top of the form.
MAIN = ("model", "prompt", "image_urls", "aspect_ratio", "duration", "mode")


def by_model() -> tuple[str, ...]:
    """Return the fields with their own control that only some models take; they share one area."""
    return tuple(name for name in fields() if name not in MAIN + _FOLDED)


def _edited_in(panel: str) -> tuple[str, ...]:
    return tuple(name for name, parameter in declared().items() if parameter.editor == panel)


def _preview(name: str) -> Companion:
    def is_shown(form: FormState) -> bool:
        return form.takes(name) and is_set(getattr(form, name))

    return Companion(lambda form: images.ImagePreview(form, name), is_shown)


def _camera(form: FormState) -> Editor:
    from .camera import CameraEditor  # imported late, here and below, because most panels are never opened

    return CameraEditor(form)


def _camera_summary(form: FormState) -> str:
    if form.camera_control is None:
        return ""
    from .camera import summary

    return summary(form)


def _masks(form: FormState) -> Editor:
    from .masks import MasksEditor

    return MasksEditor(form)


def _masks_summary(form: FormState) -> str:
    number = len(form.dynamic_masks) if isinstance(form.dynamic_masks, tuple) else 1
    number += form.static_mask is not None
    return str(number) if number else ""


def _presets(form: FormState) -> Editor:
    from .presets import PresetsPane

    return PresetsPane(form)


def _sent(form: FormState) -> Editor:
    from .payload import SentPane

    return SentPane(form)


def _uses_shots(form: FormState) -> bool:
    return not form.counts("prompt") and "shots" not in form.hidden


def companions() -> dict[str, Companion]:
    """Return the editors shown below some controls when they apply, by the field of the control."""
    previews = {name: _preview(name) for name in fields_with("image")}
    return {**previews, "prompt": Companion(ShotsEditor, _uses_shots)}


def panels() -> dict[str, Panel]:
    """Return the panels that the buttons below the controls open, in the order of the buttons."""
    return {
        "camera": Panel(
            N_("Camera"),
            N_("How the camera moves: presets, or axis by axis, with a preview."),
            _camera,
            _edited_in("camera"),
            _camera_summary,
        ),
        "masks": Panel(
            N_("Masks"),
            N_("What stays still and what moves in the input image, and along which path."),
            _masks,
            _edited_in("masks"),
            _masks_summary,
        ),
        "more": Panel(
            N_("More"),
            N_("Last frame, callback URL, and what the model takes beyond that."),
            None,
            _FOLDED,
        ),
        "presets": Panel(
            N_("Presets"), N_("Keep the form under a name; start from an earlier task."), _presets
        ),
        "sent": Panel(
            N_("What is sent"), N_("The JSON and the Python call, and a place to paste either."), _sent
        ),
    }


def is_edited(name: str) -> bool:
    """Return True if a control or a panel edits the field; False if it can be set only in code."""
    return declared()[name].editor != "code"
