"""Contract 2026-04 of the service."""

from __future__ import annotations

from typing import ClassVar

from .dated import DatedContract
from .models import DEFAULT_CONTRACT

__all__ = ["Contract202604"]


class Contract202604(DatedContract):
    """The service's contract of April 2026.

    In a body, ``model``, ``action``, ``prompt``, ``aspect_ratio``, ``duration`` and ``extra.mode`` are always
    sent, all others only if they are set. With shots, ``prompt`` and ``duration`` are absent; with an input
    image, ``aspect_ratio`` is. (Documentation: "Submit: request".)
    """

    name: ClassVar[str] = DEFAULT_CONTRACT
