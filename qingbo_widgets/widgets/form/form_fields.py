"""The form as its parts without widgets see it, so that the form can import them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ...service.contract.problem import Problem
    from ...service.contract.schema import Models, Parameter
    from ...tasks.task import Owner

__all__ = ["FormFields"]


class FormFields(Protocol):
    """A form whose attributes are the fields of a request.

    Attributes:
        model: the chosen model.
        fixed: the values of fields that cannot be changed.
        unapproved: URLs that the user has not approved for fetching yet.
        pending: problems that end by themselves or after another try, each with its kind.
    """

    model: str
    fixed: Mapping[str, Any]
    unapproved: frozenset[str]
    pending: Mapping[Problem, str]

    @property
    def manager(self) -> Owner | None:
        """The manager that submits the request."""

    @property
    def models(self) -> Models:
        """The models of the contract that carries the request."""

    def takes(self, name: str) -> bool:
        """Return True if the chosen model takes the field."""
        ...

    def is_chosen(self, name: str) -> bool:
        """Return True if the field was set to a value other than the default."""
        ...

    def parameter(self, name: str) -> Parameter:
        """Return the chosen model's description of a field."""
        ...

    def defaults(self, model: object) -> dict[str, Any]:
        """Return a model's defaults for all fields."""
        ...
