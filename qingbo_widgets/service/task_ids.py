"""The check of a task id that a caller passes."""

from __future__ import annotations

from ..exceptions import InvalidRequest
from ..i18n import tr
from .contract.problem import Problem
from .secrets.known_keys import hide_in, holds_key

__all__ = ["valid_task_id"]


def valid_task_id(task_id: object) -> str:
    """Return a task id without the blanks around it.

    Raises:
        InvalidRequest: it cannot be the id of a task.
    """
    if isinstance(task_id, str):
        stripped = task_id.strip()
        # "." and ".." would climb out of /tasks even when quoted; a key in the wrong place would be logged.
        if stripped.strip(". ") and stripped.isprintable() and not holds_key(stripped):
            return stripped
    message = tr("task_id: {task_id!r:.80} is not a task id.").format(task_id=hide_in(task_id))
    raise InvalidRequest((Problem("task_id", message),))
