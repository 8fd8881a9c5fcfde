"""The form as the modules see it that move its values when its model or its contract changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ...service.contract.frames import Frames
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models
from .carrying import Carrier
from .fitted_duration import FittedDuration
from .form_fields import FormFields
from .names import Unsent

__all__ = ["ChangingForm"]


class ChangingForm(FormFields, Protocol):
    """A form whose values move to other fields.

    Attributes:
        chosen: the fields that were set to values other than the defaults of the then chosen model.
        given: the values that the code or a record has given.
        homeless: the values without a place in the contract.
        homeless_images: the images among them, by what they mean.
        unsent: the values that are kept but not sent, by the date of their contract.
        carrier: the record of the changes of the model.
        fitted_duration: the duration, and that which was asked for.
    """

    chosen: frozenset[str]
    given: Mapping[str, Any]
    homeless: Mapping[str, Any]
    homeless_images: Frames
    unsent: Mapping[str, Unsent]
    carrier: Carrier
    fitted_duration: FittedDuration

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all fields."""

    @property
    def request(self) -> VideoRequest:
        """The current request."""

    def default(self, name: str) -> Any:
        """Return the chosen model's default for a field."""
        ...

    def filling(self) -> AbstractContextManager[None]:
        """Set fields within the context without handling each change."""
        ...

    def unlocked(self) -> AbstractContextManager[None]:
        """Let every field be set within the context, also a fixed one."""
        ...

    def set_fields(self, fields: Mapping[str, Any]) -> None:
        """Set some fields, and all others to the defaults of the model."""
        ...

    def adopt_contract(
        self, given: Mapping[str, Any], hidden: Iterable[str], home: Models | None = None
    ) -> dict[str, Any]:
        """Take on the fields of the manager's contract; return the given fields in its names."""
        ...
