"""The field in which a contract takes several shots, read and written as a tuple of ``Shot``."""

from __future__ import annotations

from collections.abc import Mapping

from ...i18n import N_, tr
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models
from ...service.contract.values import Item, Shot, is_set
from .shot_list import ShotLimits, Shots, split, total
from .state import FormState

__all__ = ["ShotField", "SwitchedShots", "seconds_text", "shot_field"]

_SPENT = N_("{total} of {limit} s, {left} s left")
_FULL = N_("{total} of {limit} s, nothing left")
_OVER = N_("{total} of {limit} s, {over} s too many")


class ShotField:
    """The field ``shots`` of contract 2026-04: the shots stand instead of the prompt.

    Attributes:
        name: the name of the field.
        names: every field that belongs to the shots.
        anchor: the field below which the shots are edited.
    """

    name = "shots"
    names: tuple[str, ...] = ("shots",)
    anchor = "prompt"

    def limits(self, form: FormState) -> ShotLimits:
        """Return the limits of the form's model; without limits of its own, those of the contract."""
        parameter = form.parameter(self.name)
        limits = (
            parameter.limits if parameter.limits.get("count") else form.models.parameters[self.name].limits
        )
        fewest, most = limits["count"]
        return ShotLimits(fewest, most, limits["seconds"][1])

    def most_characters(self, form: FormState) -> int:
        """Return the maximum number of characters of a shot's prompt; 0 for no limit."""
        return form.parameter(self.name).most

    def read(self, form: FormState) -> Shots:
        """Return the shots of the form."""
        shots = getattr(form, self.name)
        return shots if isinstance(shots, tuple) else (shots,)

    def write(self, form: FormState, shots: Shots) -> None:
        """Set the shots of the form."""
        setattr(form, self.name, shots)

    def with_text(self, request: VideoRequest, index: int, text: str) -> VideoRequest:
        """Return a request with another prompt in one of its shots."""
        shots = request.shots
        if index >= len(shots):
            return request
        shot = Shot(text, getattr(shots[index], "duration", 0))
        return request.replace(shots=(*shots[:index], shot, *shots[index + 1 :]))

    def is_used(self, form: FormState) -> bool:
        """Return True if the form has several shots."""
        return is_set(getattr(form, self.name))

    def start(self, form: FormState, saved: Shots) -> None:
        """Turn to several shots: the saved ones, or two halves of the prompt."""
        self.write(form, saved or split((Shot(form.prompt, max(form.duration, 2)),), 0))

    def stop(self, form: FormState) -> None:
        """Turn to one prompt."""
        setattr(form, self.name, ())


class SwitchedShots(ShotField):
    """The fields ``multi_shot``, ``shot_type`` and ``multi_prompt`` of contract 2026-11."""

    name = "multi_prompt"
    names = ("multi_shot", "shot_type", "multi_prompt")
    anchor = "shot_type"

    def limits(self, form: FormState) -> ShotLimits:
        """Return the limits of the form's model: its number of shots, and its longest duration."""
        fewest, most = form.parameter(self.name).limits.get("count") or (1, 6)
        return ShotLimits(fewest, most, max(form.parameter("duration").choices, default=15))

    def most_characters(self, form: FormState) -> int:
        """Return the maximum number of characters of a shot's prompt; 0 for no limit."""
        return form.parameter(self.name).members["prompt"].most

    def read(self, form: FormState) -> Shots:
        """Return the shots of the form; a part of another shape is returned as it is."""
        return tuple(
            Shot(item.get("prompt", ""), item.get("duration", 0)) if isinstance(item, Mapping) else item
            for item in super().read(form)
        )

    def write(self, form: FormState, shots: Shots) -> None:
        """Set the shots of the form, numbered from 1."""
        items = (
            Item({"index": number, **shot.as_dict()}) if isinstance(shot, Shot) else shot
            for number, shot in enumerate(shots, 1)
        )
        setattr(form, self.name, tuple(items))

    def with_text(self, request: VideoRequest, index: int, text: str) -> VideoRequest:
        """Return a request with another prompt in one of its shots."""
        items = request.multi_prompt
        if index >= len(items):
            return request
        item = Item({**items[index], "prompt": text})
        return request.replace(multi_prompt=(*items[:index], item, *items[index + 1 :]))

    def is_used(self, form: FormState) -> bool:
        """Return True if the form has several shots, listed or chosen by the model."""
        return form.multi_shot is True

    def start(self, form: FormState, saved: Shots) -> None:
        """Turn to several shots: those of the form, the saved ones, or two halves of the prompt."""
        form.multi_shot = True  # first, or the switch would turn back for a moment
        if form.shot_type is None:
            form.shot_type = "customize"
        if form.shot_type == "customize" and not is_set(form.multi_prompt):
            super().start(form, saved)

    def stop(self, form: FormState) -> None:
        """Turn to one prompt; the shots stay in the form, and are not sent."""
        form.multi_shot = form.shot_type = None

    def follow_type(self, form: FormState, saved: Shots) -> None:
        """List shots, or leave them to the model, after the user has chosen a type of shots."""
        if form.shot_type == "intelligence":
            form.multi_prompt = ()
        elif form.multi_shot and not is_set(form.multi_prompt):
            super().start(form, saved)


def shot_field(models: Models) -> ShotField | None:
    """Return the field of a contract for several shots; ``None`` if it has none."""
    for field in (ShotField(), SwitchedShots()):
        if field.name in models.parameters:
            return field
    return None


def seconds_text(shots: Shots, longest: int) -> str:
    """Return the distribution of the seconds as text.

    Args:
        shots: the shots.
        longest: their longest total duration in seconds.
    """
    spent = total(shots)
    left = longest - spent
    line = tr(_SPENT) if left > 0 else tr(_FULL) if left == 0 else tr(_OVER)
    return line.format(total=spent, limit=longest, left=left, over=-left)
