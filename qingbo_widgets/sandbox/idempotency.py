"""``IdempotencyKeys``: the outcomes of submits by their ``Idempotency-Key``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .contracts.refusal import Refusal
from .gaps import Gaps

KEY_LIFETIME = 86_400.0
"""Seconds for which a key stands for the same task."""


@dataclass(frozen=True)
class _Use:
    body: Any
    time: float
    outcome: str | Refusal  # the id of the task


class IdempotencyKeys:
    """The outcomes of the submits of the last 24 hours that had a key.

    Args:
        gaps: the answers where the documentation is silent.
    """

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._uses: dict[str, _Use] = {}

    def task_id(self, key: str, body: object, now: float) -> str | None:
        """Return the task that an earlier submit with this key has created, or ``None``.

        Raises:
            Refusal: the earlier submit was refused, or had another body, and that is answered with an error.
        """
        use = self._uses.get(key)
        if use is None or now >= use.time + KEY_LIFETIME:
            return None
        if isinstance(use.outcome, Refusal):
            raise use.outcome.with_traceback(None)  # or it would grow with each answer
        if self._gaps.other_body == "refused" and body != use.body:
            raise Refusal(400, "invalid_request", "this Idempotency-Key was used with another body")
        return use.outcome

    def created(self, key: str, body: object, now: float, task_id: str) -> None:
        """Keep the task that a submit has created."""
        if key:
            self._uses[key] = _Use(body, now, task_id)

    def refused(self, key: str, body: object, now: float, refusal: Refusal) -> None:
        """Keep the refusal of a submit, if that uses up its key."""
        if key and self._gaps.refused_key == "used":
            self._uses.setdefault(key, _Use(body, now, refusal))
