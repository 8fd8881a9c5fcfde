"""A user's observers and callbacks, which break neither one another nor the thread that calls them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from traitlets import All, HasTraits
from traitlets.utils.sentinel import Sentinel

__all__ = ["ObservedTraits", "call_safely"]

logger = logging.getLogger("qingbo_widgets")


class _Named(Protocol):
    """A task that the service has given an id."""

    task_id: str


T = TypeVar("T", bound=_Named)


class ObservedTraits(HasTraits):
    """Traits of a task whose observers are all called, even where one of them raises."""

    def observe(
        self,
        handler: Callable[..., Any],
        names: Sentinel | str | Collection[Sentinel | str] = All,
        type: Sentinel | str = "change",
    ) -> None:
        """As in traitlets; a handler that raises is logged once and keeps nobody else from the change."""
        super().observe(_Guarded(handler), names, type)

    def unobserve(
        self,
        handler: Callable[..., Any],
        names: Sentinel | str | Collection[Sentinel | str] = All,
        type: Sentinel | str = "change",
    ) -> None:
        """As in traitlets."""
        super().unobserve(_Guarded(handler), names, type)


class _Guarded:
    """A user's observer that cannot break the others: traitlets stops at the first one that raises."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = handler
        self._is_logged = False

    def __call__(self, change: Any) -> None:
        try:
            self._handler(change)
        except BaseException:  # ``sys.exit()`` too: on the monitor's thread it would end all other tasks
            if not self._is_logged:
                logger.exception("An observer of a task failed; following goes on")
            self._is_logged = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Guarded) and self._handler == other._handler

    def __hash__(self) -> int:
        return hash(self._handler)


def call_safely(callback: Callable[[T], object], task: T) -> None:
    """Call a user's ``on_end`` callback; log what it raises."""
    try:
        callback(task)
    except BaseException:  # the thread of a ``sys.exit()`` is not its own to end
        logger.exception("An on_end callback of the task %s failed", task.task_id)
