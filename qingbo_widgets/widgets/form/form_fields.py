"""The form as its parts without widgets see it, so that the form can import them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ...service.contract.problem import Problem
    from ...service.contract.request import VideoRequest
    from ...service.contract.schema import Models, Parameter
    from ...tasks.task import Owner, Task

__all__ = ["FormFields"]


class FormFields(Protocol):
    """A form whose attributes are the fields of a request.

    Attributes:
        model: the chosen model.
        duration: the length of the video in seconds.
        hidden: the fields that are not shown.
        fixed: the values of fields that cannot be changed.
        unapproved: URLs and paths that were filled in, of which nothing is read before the user allows it.
        problems: the reasons why the service would refuse the request.
        unsaved_masks: why painted masks could not be saved, by their numbers.
    """

    model: str
    duration: int
    hidden: frozenset[str]
    fixed: Mapping[str, Any]
    unapproved: frozenset[str]
    problems: tuple[Problem, ...]
    unsaved_masks: Mapping[int, str]

    @property
    def manager(self) -> Owner | None:
        """The manager that submits the request."""

    @property
    def request(self) -> VideoRequest:
        """The current request."""
        ...

    @property
    def models(self) -> Models:
        """The models of the contract that carries the request."""

    def takes(self, name: str) -> bool:
        """Return True if the chosen model takes the field."""
        ...

    def is_chosen(self, name: str) -> bool:
        """Return True if the field was set to a value other than the default."""
        ...

    def counts(self, name: str) -> bool:
        """Return True if the field belongs to the request."""
        ...

    def parameter(self, name: str) -> Parameter:
        """Return the chosen model's description of a field."""
        ...

    def defaults(self, model: object) -> dict[str, Any]:
        """Return a model's defaults for all fields."""
        ...

    def submit(self) -> Task:
        """Submit the current request."""
        ...

    def show_problems(self) -> None:
        """Show new problems of the unchanged request. May be called on any thread."""
