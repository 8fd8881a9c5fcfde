"""The saved video of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..exceptions import QingboError
from ..i18n import tr
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..system.folder import is_file_inside

__all__ = ["video_of"]


class _Saved(Protocol):
    """A task that may have saved its video."""

    @property
    def key(self) -> str:
        """Its idempotency key."""

    task_id: str
    status: TaskStatus
    video_path: Path | None


def video_of(task: _Saved) -> Path:
    """Return the saved video of a task.

    Raises:
        QingboError: it is not saved, or no longer there.
    """
    path = task.video_path
    if path is None or not is_file_inside(path):
        name, status = task.task_id or task.key[:8], status_name(task.status)
        if path is None:
            told = tr("The video of {task} is not saved yet ({status}).").format(task=name, status=status)
        else:
            told = tr("The video of {task} is no longer at {path}.").format(task=name, path=path)
        raise QingboError(told)
    return path
