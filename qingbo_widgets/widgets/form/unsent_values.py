"""Values that a form keeps but does not send, because their contract did not send them either."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from traitlets import TraitError

from ...service.contract.frames import FRAME_FIELDS
from .changing_form import ChangingForm
from .names import NO_IMAGES, Unsent
from .traits import is_at

__all__ = ["keep_unsent", "show_unsent"]


def keep_unsent(form: ChangingForm, unsent: Mapping[str, Unsent], replace: Collection[str] = ()) -> None:
    """Keep values out of the request: in their field if it is not sent, elsewhere otherwise.

    Args:
        form: the form.
        unsent: the values, by the date of their contract; empty if that is another one than the form's.
        replace: the names of fields whose value may be replaced.
    """
    form.unsent = {}
    for contract, kept in unsent.items():
        own = contract == form.models.contract
        names = [name for name in kept.values if own or name not in FRAME_FIELDS]
        put = {name for name in names if _put(form, name, kept.values[name], own and name in replace)}
        images = kept.images if put.intersection(FRAME_FIELDS) else NO_IMAGES
        form.carrier.put_aside({name: kept.values[name] for name in put if not form.takes(name)}, images)
        if rest := {name: value for name, value in kept.values.items() if name not in put}:
            images = kept.images if any(name in FRAME_FIELDS for name in rest) else NO_IMAGES
            form.unsent = {**form.unsent, contract: Unsent(rest, images)}


def show_unsent(form: ChangingForm) -> None:
    """Show what was not sent in this contract before, where it is not sent with the model either."""
    contract = form.models.contract
    if kept := form.unsent.get(contract):
        values = {name: value for name, value in kept.values.items() if getattr(form, name, None) != value}
        keep_unsent(form, {**form.unsent, contract: Unsent(values, kept.images)})


def _put(form: ChangingForm, name: str, value: Any, replaces: bool) -> bool:
    """Set a field if that leaves the request as it is; return whether it did."""
    if name not in form.models.parameters or name in form.fixed or form.counts(name):
        return False
    before, request = getattr(form, name), form.request
    if not replaces and not is_at(before, form.default(name)):
        return False
    try:
        with form.filling(), form.unlocked():
            setattr(form, name, value)
            if form.request.given != request.given:
                setattr(form, name, before)
                return False
    except TraitError:  # a field of the same name, of another type
        return False
    if not is_at(getattr(form, name), form.default(name)):
        form.chosen |= {name}
    return True
