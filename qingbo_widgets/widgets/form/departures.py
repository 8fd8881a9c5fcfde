"""A form as it was when its contract was left, so that it comes back as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...service.contract.frames import FRAME_FIELDS, Frames, frames_of
from ...service.contract.schema import Models
from ...service.contract.values import is_set
from .changing_form import ChangingForm
from .names import Unsent, both
from .traits import is_at

__all__ = ["Departure"]


class Departure:
    """A form at the moment when its contract is left.

    Args:
        form: the form, which is still connected to the contract.

    Attributes:
        models: the models of the contract.
        values: the values of all fields.
        takes: the fields that the model takes.
        sent: the fields of the request that differ from the defaults, with the model.
        inactive: the chosen values of fields that are not part of the request.
        unsent: these, and the values that changes of the model have set aside.
    """

    def __init__(self, form: ChangingForm) -> None:
        self.models: Models = form.models
        self.values = {name: getattr(form, name) for name in form.field_names}
        self.takes = frozenset(name for name in self.values if form.takes(name))
        self.given, self.fixed = form.given, form.fixed
        self.homeless, self.homeless_images = form.homeless, form.homeless_images
        self.carrier, self.unsent_before = form.carrier, form.unsent
        self.chosen, self.requested_duration = form.chosen, form.fitted_duration.requested
        request = form.request.given
        self.sent = {
            name: value
            for name, value in request.items()
            if name == "model" or not is_at(value, form.default(name))
        }
        self.inactive = {
            name: value
            for name, value in self.values.items()
            if name in form.chosen and name not in request and is_set(value)
        }
        self.unsent = Unsent({**self.inactive, **form.carrier.set_aside}, self._unsent_images(form))
        self._arrived: Mapping[str, Any] = {}

    def arrive(self, form: ChangingForm) -> None:
        """Remember what the form shows in the contract that this one was left for."""
        self._arrived = {name: getattr(form, name) for name in form.field_names}

    def changed(self, later: Departure) -> frozenset[str]:
        """Return the fields of the contract left later that have changed since this one was left for it."""
        names = {*self._arrived, *later.values}
        return frozenset(
            name
            for name in names
            if name not in self._arrived
            or name not in later.values
            or later.values[name] != self._arrived[name]
        )

    def led_to(self, later: Departure) -> bool:
        """Return True if nothing has changed until the other contract was left."""
        return not self.changed(later)

    def _unsent_images(self, form: ChangingForm) -> Frames:
        """Return the images that are not part of the request, by what they mean."""
        frames = {name: value for name, value in self.inactive.items() if name in FRAME_FIELDS}
        return both(frames_of(frames, self.models.of(form.model)), form.carrier.images)
