"""The dated contracts of the service, behind one protocol."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from .request import VideoRequest
from .schema import Models
from .snapshot import TaskSnapshot
from .terms import Terms
from .v2026_04 import Contract202604
from .v2026_11 import Contract202611

__all__ = ["CONTRACTS", "Contract"]


class Contract(Protocol):
    """A dated contract between the service and its clients."""

    @property
    def name(self) -> str:
        """The date of the contract, such as ``2026-04``."""

    @property
    def base_url(self) -> str:
        """The address at which the service offers the contract."""

    @property
    def models(self) -> Models:
        """The models of the contract."""

    @property
    def terms(self) -> Terms:
        """The facts of the contract besides its models."""

    def encode(self, request: VideoRequest) -> dict[str, Any]:
        """Return the JSON body of ``POST /tasks`` for a request without problems."""

    def decode(self, body: object, asked: str = "") -> TaskSnapshot:
        """Return the snapshot in the response to a submit, status or cancel.

        Args:
            body: the response.
            asked: the id of the task that the request was about, if any.

        Raises:
            ValueError: the response cannot be about a task.
        """


CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {contract.name: contract for contract in (Contract202604(), Contract202611())}
)
"""Every supported contract, by its date."""
