"""A change of the model: what the next model takes is kept by its meaning, the rest is set aside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...service.contract.frames import FRAME_FIELDS, Frames
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models
from ...service.contract.switching import Switched, switched
from ...service.contract.values import is_set
from .form_fields import FormFields
from .names import NO_IMAGES, both, images_left

__all__ = ["Carrier"]


class Carrier:
    """The values of a form that changes of the model have moved or set aside, until a model takes them again.

    A value comes back as it was, unless the user has changed its field since.

    Args:
        form: the form.
    """

    def __init__(self, form: FormFields) -> None:
        self._form = form
        self.forget()

    def forget(self) -> None:
        """Forget everything: the form has been filled in."""
        #: The values as they were, and those that were put in their place.
        self._originals: dict[str, Any] = {}
        self._replaced: dict[str, Any] = {}
        #: The model for which the original frames were given.
        self._model = ""
        self._set_aside: Mapping[str, Any] = {}
        self._images = Frames()
        self._defaults: Mapping[str, Any] = {}
        #: The model before, and the date of its contract, whose defaults were other ones.
        self.before = ("", "")

    def put_aside(self, values: Mapping[str, Any], images: Frames = NO_IMAGES) -> None:
        """Name values in fields that the model does not take among those set aside."""
        self._set_aside = {**self._set_aside, **values}
        self._images = both(self._images, images)

    def await_model(self, values: Mapping[str, Any]) -> None:
        """Let values come back with the next model that takes them, unless their field changes before."""
        for name, value in values.items():
            self._originals[name], self._replaced[name] = value, getattr(self._form, name)

    @property
    def set_aside(self) -> dict[str, Any]:
        """The values that the form's model does not take, by field."""
        form = self._form
        return {
            name: value
            for name, value in self._set_aside.items()
            # A field of frames was emptied; another that the model does not take has kept its value.
            if (self._is_untouched(name) if name in self._replaced else is_set(getattr(form, name, value)))
        }

    @property
    def images(self) -> Frames:
        """The images among the values set aside, by what they mean."""
        return self._images if any(name in FRAME_FIELDS for name in self.set_aside) else Frames()

    @property
    def defaults_changed(self) -> dict[str, Any]:
        """The fields left alone for which the model before used another value: that value, by field.

        A field that shows the value it has now needs no note.
        """
        form = self._form
        return {
            name: value
            for name, value in self._defaults.items()
            if not form.is_chosen(name) and not is_set(getattr(form, name))
        }

    def compare_defaults(self, request: VideoRequest, home: Models) -> None:
        """Compare the defaults of the form's model with those that a request had in another contract."""
        form = self._form
        if home.contract != form.models.contract:
            self._defaults = switched(request, form.model, form.models, home).defaults_changed
            self.before = (request.model, home.contract)

    def carry(self, old: str, chosen: Collection[str]) -> None:
        """Move the chosen values of a form whose model has changed to where the new model takes them.

        Args:
            old: the model before.
            chosen: the fields that were set to another value than the default.
        """
        form, parameters = self._form, self._form.models.parameters
        frames = [name for name in FRAME_FIELDS if name in parameters]
        is_untouched = bool(self._model) and all(map(self._is_untouched, frames))
        self._model = self._model if is_untouched else old
        values = {name: getattr(form, name) for name in chosen if name not in ("model", "duration", *frames)}
        values |= {
            name: value
            for name, value in self._originals.items()
            if self._is_untouched(name) and name not in frames
        }
        values |= {
            name: self._originals.get(name, getattr(form, name)) if is_untouched else getattr(form, name)
            for name in frames
        }
        if not is_untouched:  # images set aside that were not moved anywhere: not those of `image_urls`,
            # whose meaning is that of an earlier model
            values |= {
                name: value
                for name, value in self.set_aside.items()
                if name in frames and name != "image_urls" and self._is_untouched(name)
            }
        values = {name: value for name, value in values.items() if name not in form.fixed}
        source = VideoRequest(**{"model": self._model, **values})
        change = switched(source, form.model, form.models, form.models)
        request, set_aside = self._with_frames(source, change)
        self._originals, self._replaced = {}, {}
        for name, value in values.items():
            if form.takes(name) or name in frames:
                self._put(name, value, request.given.get(name), always=name in frames)
        self._set_aside = {name: value for name, value in set_aside.items() if value is not False}
        models = form.models
        self._images = images_left(source, models.of(self._model), request, models.of(form.model))
        self._defaults, self.before = change.defaults_changed, (old, models.contract)

    def _with_frames(self, source: VideoRequest, change: Switched) -> tuple[VideoRequest, dict[str, Any]]:
        """Return the request of a change and what it sets aside, with images that need not move.

        They come back as they were to the model that they were given for. A last frame that still waits for
        the first one stays in its field if the model has one: the form asks for the first frame then.
        """
        form, request, set_aside = self._form, dict(change.request.given), dict(change.set_aside)
        if form.model == self._model:
            kept = {name: source.given[name] for name in FRAME_FIELDS if name in source.given}
        elif form.takes("last_frame") and not {"image_urls", "last_frame"} & request.keys():
            kept = {name: set_aside[name] for name in ("last_frame",) if name in set_aside}
        else:
            return change.request, set_aside
        replaced = FRAME_FIELDS if form.model == self._model else tuple(kept)
        rest = {name: value for name, value in request.items() if name not in replaced}
        return VideoRequest(**{**rest, **kept}), {
            name: value for name, value in set_aside.items() if name not in replaced
        }

    def _put(self, name: str, value: Any, wanted: Any, *, always: bool) -> None:
        """Set a field, and remember what it was if that differs; ``always`` remembers it anyway."""
        form = self._form
        target = form.defaults(form.model)[name] if wanted is None else wanted
        if target != getattr(form, name):
            setattr(form, name, target)
        if target != value or always:
            self._originals[name], self._replaced[name] = value, getattr(form, name)

    def _is_untouched(self, name: str) -> bool:
        """Return True if the field still has the value that a change of the model gave it."""
        return name not in self._replaced or bool(getattr(self._form, name) == self._replaced[name])
