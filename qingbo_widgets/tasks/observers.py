"""Isolation of a user's observers and callbacks: their errors affect neither each other nor the thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from traitlets import All, HasTraits
from traitlets.utils.sentinel import Sentinel

__all__ = ["ObservedTraits", "call_safely"]

logger = logging.getLogger("qingbo_widgets")


class _Named(Protocol):
    """A task with an id from the service."""

    task_id: str


T = TypeVar("T", bound=_Named)


class ObservedTraits(HasTraits):
    """Traits of a task; all of their observers are called, even if one of them raises."""

    def observe(
        self,
        handler: Callable[..., Any],
        names: Sentinel | str | Collection[Sentinel | str] = All,
        type: Sentinel | str = "change",
    ) -> None:
        """Observe as in traitlets; a handler's exception is logged once and stops no other handler."""
        super().observe(_Guarded(handler), names, type)

    def unobserve(
        self,
        handler: Callable[..., Any],
        names: Sentinel | str | Collection[Sentinel | str] = All,
        type: Sentinel | str = "change",
    ) -> None:
        """Stop observing, as in traitlets."""
        super().unobserve(_Guarded(handler), names, type)


class _Guarded:
    """Wrapper that contains an observer's exceptions, because traitlets stops at the first one raised."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = handler
        self._is_logged = False

    def __call__(self, change: Any) -> None:
        try:
            self._handler(change)
        except BaseException:  # ``sys.exit()`` too: on the monitor's thread it would end all other tasks
            if not self._is_logged:
                logger.exception("An observer of a task failed; following continues")
            self._is_logged = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Guarded) and self._handler == other._handler

    def __hash__(self) -> int:
        return hash(self._handler)


def call_safely(callback: Callable[[T], object], task: T) -> None:
    """Call a user's ``on_end`` callback and log its exceptions."""
    try:
        callback(task)
    except BaseException:  # ``sys.exit()`` in a callback must not end the pool's thread
        logger.exception("An on_end callback of the task %s failed", task.task_id)
