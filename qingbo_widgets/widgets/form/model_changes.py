"""A change of the model of a form: what moves to where the next model takes it."""

from __future__ import annotations

from typing import Any

from ...service.contract.frames import FRAME_FIELDS, frames_of, set_frames
from .changing_form import ChangingForm
from .names import NO_IMAGES, both
from .traits import default_of, is_at
from .unsent_values import show_unsent

__all__ = ["follow_model"]


def follow_model(form: ChangingForm, old: object) -> None:
    """Move fields at the old model's default to the new model's default, and carry over the others."""
    before, after = form.defaults(old), form.defaults(form.model)
    moved = [
        name
        for name in after.keys() - form.fixed.keys() - form.chosen - {"duration"}
        # Within hold_trait_notifications, code may have set both the model and this field.
        if not is_at(after[name], before[name]) and is_at(getattr(form, name), before[name])
    ]
    with form.filling():  # the caller checks the request once
        for name in moved:
            setattr(form, name, after[name])
        form.carrier.carry(str(old), form.chosen)
        _house_images(form)
        form.fitted_duration.fit(before["duration"], form.default("duration"))
        show_unsent(form)


def _house_images(form: ChangingForm) -> None:
    """Set the images that no model before had a place for, if the model has one."""
    model, contract = form.models.of(form.model), form.models.parameters
    own = {name: getattr(form, name) for name in FRAME_FIELDS if form.takes(name)}
    if form.homeless_images == NO_IMAGES or form.fixed.keys() & own.keys():
        return
    kept, fields = frames_of(own, model), dict[str, Any]()
    left = set_frames(fields, both(kept, form.homeless_images), model)
    if left == form.homeless_images or both(left, kept) != both(kept, left):
        return
    for name in own:
        setattr(form, name, fields.get(name, default_of(contract[name])))
    form.homeless_images = left
    if left == NO_IMAGES:
        form.homeless = {name: value for name, value in form.homeless.items() if name not in FRAME_FIELDS}
