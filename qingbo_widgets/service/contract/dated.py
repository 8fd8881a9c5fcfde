"""``DatedContract``: the parts that every contract of the service has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from .models import models_of
from .reading import read_snapshot
from .request import VideoRequest
from .schema import Models
from .snapshot import TaskSnapshot
from .terms import Terms, terms_of
from .wire import write_body

__all__ = ["DatedContract"]


class DatedContract:
    """A contract of the service whose models and terms are data, found by its date.

    Attributes:
        name: the contract's date.
    """

    name: ClassVar[str]

    @property
    def base_url(self) -> str:
        """The address at which the service offers the contract."""
        return self.models.base_url

    @property
    def models(self) -> Models:
        """The models of the contract."""
        return models_of(self.name)

    @property
    def terms(self) -> Terms:
        """The facts of the contract besides its models."""
        return terms_of(self.name)

    def encode(self, request: VideoRequest) -> dict[str, Any]:
        """Return the JSON body of ``POST /tasks`` for a request without problems."""
        return write_body(request.values(self.models), self.models)

    def decode(self, body: object, asked: str = "") -> TaskSnapshot:
        """Return the snapshot in the response to a submit, status or cancel.

        Args:
            body: the response.
            asked: the id of the task that the request was about, if any.

        Raises:
            ValueError: the response cannot be about a task, because it has no usable id.
        """
        return read_snapshot(body, asked)
