"""``TaskState``: the traits of a task, and observers that cannot break one another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from traitlets import All, Float, HasTraits, Instance, Int, Tuple, Unicode
from traitlets.utils.sentinel import Sentinel

from ..exceptions import QingboError
from ..service.contract.snapshot import TaskStatus

__all__ = ["TaskState"]

logger = logging.getLogger("qingbo_widgets")


class TaskState(HasTraits):
    """The state of a task as traits, read-only but for ``set_traits``."""

    task_id = Unicode("", read_only=True, help="The service's id, empty until it has answered.")
    model = Unicode("", read_only=True, help="The model's name.")
    status = Instance(TaskStatus, read_only=True, help="Where the task stands.")
    progress = Int(0, min=0, max=100, read_only=True, help="Percent, as the service tells; never falls.")
    created_at = Instance(datetime, allow_none=True, read_only=True, help="When the service made it, UTC.")
    completed_at = Instance(datetime, allow_none=True, read_only=True, help="When it ended, UTC.")
    video_urls = Tuple(read_only=True, help="The links of the finished video; they expire.")
    expires_at = Instance(datetime, allow_none=True, read_only=True, help="When the first link dies, UTC.")
    video_path = Instance(Path, allow_none=True, read_only=True, help="The saved video, once it is saved.")
    download = Float(
        None, allow_none=True, read_only=True, help="0..1 while the video is being saved, else None."
    )
    error = Instance(
        QingboError, allow_none=True, read_only=True, help="What went wrong, as wait() raises it."
    )
    eta = Float(None, allow_none=True, read_only=True, help="Seconds the task will probably still take.")
    message = Unicode("", read_only=True, help="What is happening just now, where there is something to say.")

    def set_traits(self, **changes: Any) -> None:
        """Set traits together, so that observers see all of them changed. For what follows the task."""
        with self.hold_trait_notifications():
            for name, value in changes.items():
                self.set_trait(name, value)

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
