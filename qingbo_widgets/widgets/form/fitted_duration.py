"""The duration of a form: what was asked for, and the nearest that the model renders."""

from __future__ import annotations

from ...service.contract.schema import Parameter
from .form_fields import FormFields
from .traits import default_of

__all__ = ["FittedDuration"]


class FittedDuration:
    """The duration of a form, fitted to what its model renders; the requested one comes back with its model.

    Args:
        form: the form, whose ``duration`` is set.

    Attributes:
        requested: the length that was asked for, in seconds, also while the model renders only another one.
    """

    def __init__(self, form: FormFields) -> None:
        self._form = form
        self.requested = self._fitted = 0
        self._limits: Parameter

    def request(self, seconds: int | None = None) -> None:
        """Take the form's duration as fitted, for the requested one; by default, it is what was requested."""
        self._fitted = self._form.duration
        self.requested = self._fitted if seconds is None else seconds
        self.take_limits()

    def take_limits(self) -> None:
        """Take the possible durations as those that the form's duration is fitted to."""
        self._limits = self._form.parameter("duration")

    def follow_duration(self) -> None:
        """Take the form's duration as requested if it was set since it was fitted."""
        if self._form.duration != self._fitted:
            self.requested = self._fitted = self._form.duration

    @property
    def is_outdated(self) -> bool:
        """True if another field has changed the durations that are possible."""
        return self._form.parameter("duration").choices != self._limits.choices

    def follow_limits(self) -> None:
        """Fit the duration after another field has changed the durations that are possible."""
        self.fit(default_of(self._limits), default_of(self._form.parameter("duration")))

    def fit(self, before: int, default: int) -> None:
        """Set the requested duration, or the nearest that the model renders.

        Args:
            before: the default before the change, in seconds.
            default: the default now, which an unchanged duration moves to.
        """
        form = self._form
        if "duration" in form.fixed:
            return
        if not form.is_chosen("duration") and self.requested == before:
            self.requested = default
        self.take_limits()
        choices = self._limits.choices if form.takes("duration") else ()
        self._fitted = min(
            choices,
            key=lambda seconds: (abs(seconds - self.requested), seconds),
            default=self.requested,
        )
        form.duration = self._fitted
