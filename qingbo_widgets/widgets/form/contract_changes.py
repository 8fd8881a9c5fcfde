"""Changes of the contract of a form: its values move by their meaning, and come back as they were."""

from __future__ import annotations

from typing import Any

from ...service.contract.frames import FRAME_FIELDS
from ...service.contract.request import VideoRequest
from .carrying import Carrier
from .changing_form import ChangingForm
from .departures import Departure
from .names import Unsent, both, in_names_of, split_unsent
from .unsent_values import keep_unsent

__all__ = ["ContractChanges", "not_taken"]


class ContractChanges:
    """The contracts that a form has left, so that each shows the form as it was.

    Args:
        form: the form.
    """

    def __init__(self, form: ChangingForm) -> None:
        self._form = form
        self._departures: dict[str, Departure] = {}

    def forget(self) -> None:
        """Forget the contracts that were left: the form has been filled in."""
        self._departures = {}

    def follow(self, left: Departure, was_connected: bool) -> None:
        """Show the fields of the new contract, with what was set before, by its meaning.

        What was not part of the request does not become part of it. A contract that was left shows the form
        as it was, unless something has changed since.

        Args:
            left: the form in the contract before.
            was_connected: whether the user has seen the form with a manager of that contract.
        """
        form = self._form
        back = self._departures.pop(form.models.contract, None)
        with form.filling():
            given = {**form.homeless, **left.sent, **form.fixed}
            fields = form.adopt_contract(given, form.hidden, left.models)
            if back is not None and back.led_to(left):
                self._restore(back)
            else:
                form.carrier = Carrier(form)
                form.set_fields(fields)
                self._remember_before(left, back)
                if was_connected:
                    form.carrier.compare_defaults(VideoRequest(**left.sent), left.models)
        if back is not None:
            form.given = back.given
        else:
            sent, _ = split_unsent(form.models, {**left.given, **left.fixed})
            form.given = in_names_of(form.models, sent).fields
        left.arrive(form)
        self._departures[left.models.contract] = left

    def _restore(self, back: Departure) -> None:
        """Show the form as it was when the contract was left."""
        form = self._form
        with form.unlocked():
            for name, value in back.values.items():
                setattr(form, name, value)
        form.fixed, form.homeless, form.homeless_images = back.fixed, back.homeless, back.homeless_images
        form.unsent, form.carrier, form.chosen = back.unsent_before, back.carrier, back.chosen
        form.fitted_duration.request(back.requested_duration)

    def _remember_before(self, left: Departure, back: Departure | None) -> None:
        """Keep what the contract before did not send, and the length that was requested there."""
        form, contract = self._form, self._form.models.contract
        waiting = dict(left.unsent_before)
        own = waiting.pop(contract, Unsent({}))
        has_changed = frozenset[str]() if back is None else back.changed(left)
        if "duration" in left.sent or left.requested_duration != left.values["duration"]:
            form.fitted_duration.requested = left.requested_duration
        if back is not None and back.values["model"] == form.model:
            # What the model has set aside comes back with the record of it, and not into its field.
            own = Unsent(
                {name: value for name, value in own.values.items() if name in back.inactive}, own.images
            )
            back.carrier.put_aside(not_taken(form), form.carrier.images)
            form.carrier = back.carrier
            if "duration" not in has_changed and form.duration == back.values["duration"]:
                form.fitted_duration.requested = back.requested_duration
        earlier = waiting.pop(left.models.contract, Unsent({}))
        theirs = Unsent({**earlier.values, **left.unsent.values}, both(left.unsent.images, earlier.images))
        keep_unsent(
            form,
            {**waiting, left.models.contract: theirs, contract: own},
            replace=own.values.keys() - has_changed,
        )
        if back is not None and back.values["model"] != form.model:
            rest = form.unsent.get(contract, Unsent({})).values
            others = {*FRAME_FIELDS, *form.chosen, *(back.inactive.keys() & back.takes)}
            form.carrier.await_model({name: value for name, value in rest.items() if name not in others})


def not_taken(form: ChangingForm) -> dict[str, Any]:
    """Return the chosen values that the form's model does not take."""
    return {name: getattr(form, name) for name in sorted(form.chosen) if not form.takes(name)}
