"""Contract 2026-11 of the service."""

from __future__ import annotations

from typing import ClassVar

from .dated import DatedContract

__all__ = ["Contract202611"]


class Contract202611(DatedContract):
    """The service's contract of November 2026. Every parameter stands at the root of a body."""

    name: ClassVar[str] = "2026-11"
