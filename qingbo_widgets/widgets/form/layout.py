"""The layout of the form: the order of its fields, panels and companion editors."""

from __future__ import annotations

from functools import partial

from ...i18n import N_
from ...service.contract.schema import Models
from ...service.contract.values import is_set
from .fields import fields
from .image_fields import fields_with
from .images import ImagePreview
from .mask_points import without_blank
from .panels import Companion, Editor, Panel
from .preview import Preview
from .shot_fields import shot_field
from .shots import ShotsEditor
from .state import FormState
from .videos import VideoPreview

__all__ = ["TOGETHER", "by_model", "companions", "main", "panels"]

#: Short fields at the top of the form that stand side by side.
TOGETHER = ("aspect_ratio", "duration", "mode", "resolution")

#: The fields at the top of the form, of whichever contract; those of motion control are together.
_MAIN = (
    "model", "action", "prompt", "shot_type", "image_urls", "video_urls", "character_orientation",
    "keep_original_sound", "aspect_ratio", "duration", "mode", "resolution", "generate_audio",
)  # fmt: skip
_FOLDED = ("last_frame", "callback_url", "negative_prompt", "watermark")


def main(models: Models) -> tuple[str, ...]:
    """Return the fields at the top of the form of a contract."""
    return tuple(name for name in _MAIN if name in fields(models.contract))


def by_model(models: Models) -> tuple[str, ...]:
    """Return the other fields with their own control, which only some models take; they share one area."""
    return tuple(name for name in fields(models.contract) if name not in _MAIN + _FOLDED)


def _edited_in(panel: str, models: Models) -> tuple[str, ...]:
    return tuple(name for name, parameter in models.parameters.items() if parameter.editor == panel)


def _preview(kind: type[Preview], name: str) -> Companion:
    def is_shown(form: FormState) -> bool:
        return form.takes(name) and is_set(getattr(form, name))

    return Companion(lambda form: kind(form, name), is_shown)


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
    masks = without_blank(form.dynamic_masks)
    number = len(masks) if isinstance(masks, tuple) else 1
    number += form.static_mask is not None
    return str(number) if number else ""


def _presets(form: FormState) -> Editor:
    from .presets import PresetsPane

    return PresetsPane(form)


def _sent(form: FormState) -> Editor:
    from .payload import SentPane

    return SentPane(form)


def _items(name: str, form: FormState) -> Editor:
    from .items import ItemsEditor

    return ItemsEditor(form, name)


def _count(name: str, form: FormState) -> str:
    value = getattr(form, name)
    return str(len(value)) if isinstance(value, tuple) and value else ""


def _lists_shots(form: FormState) -> bool:
    field = shot_field(form.models)
    return field is not None and is_set(getattr(form, field.name)) and form.counts(field.name)


def companions(models: Models) -> dict[str, Companion]:
    """Return the editors shown below some controls when they apply, by the field of the control."""
    own = fields(models.contract)
    shown = {name: _preview(ImagePreview, name) for name in fields_with(models, "image") if name in own}
    shown |= {name: _preview(VideoPreview, name) for name in fields_with(models, "video") if name in own}
    if (field := shot_field(models)) is not None:
        shown[field.anchor] = Companion(ShotsEditor, _lists_shots)
    return shown


def panels(models: Models) -> dict[str, Panel]:
    """Return the panels that the buttons below the controls open, in the order of the buttons."""
    special = {
        "camera": Panel(
            N_("Camera"),
            N_("Camera movement: presets or single axes, with a preview."),
            _camera,
            _edited_in("camera", models),
            _camera_summary,
        ),
        "masks": Panel(
            N_("Motion brush"),
            N_("Paint what moves and what stays still in the input image, and draw the path."),
            _masks,
            _edited_in("masks", models),
            _masks_summary,
        ),
        "roles": Panel(
            N_("Images with roles"),
            N_("Images with their roles: first frame, last frame, reference."),
            partial(_items, "image_with_roles"),
            _edited_in("roles", models),
            partial(_count, "image_with_roles"),
        ),
        "elements": Panel(
            N_("Elements"),
            N_("Subjects that the prompt names as @name, each with pictures."),
            partial(_items, "element_list"),
            _edited_in("elements", models),
            partial(_count, "element_list"),
        ),
    }
    return {name: panel for name, panel in special.items() if panel.fields} | {
        "more": Panel(
            N_("More"),
            "",
            None,
            tuple(name for name in _FOLDED if name in models.parameters),
        ),
        "presets": Panel(
            N_("Presets"),
            N_("Save the form as a preset; load a preset or the settings of an earlier task."),
            _presets,
        ),
        "sent": Panel(
            N_("Request preview"),
            N_("The request as JSON and as Python, and a field to paste JSON or a curl command."),
            _sent,
        ),
    }
