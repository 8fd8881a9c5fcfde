"""Finding out what became of a submission that nobody has confirmed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..exceptions import QingboError, TaskNotFound
from ..i18n import N_, tr
from ..service.snapshot import TaskSnapshot, TaskStatus
from .holding import hold
from .restore import entry_of

if TYPE_CHECKING:
    from .library import Entry
    from .task import Task

__all__ = ["check", "is_of_another"]

logger = logging.getLogger("qingbo_widgets")

_LOOK = N_(
    "The service answers, but does not find a task by its key. Look in its dashboard for one submitted at "
    "{when:%Y-%m-%d %H:%M:%S} to {model}. If it is there, check its id; if not, nothing was made, and "
    "submitting again makes one task."
)


async def check(task: Task, task_id: str) -> None:
    """Take up the task that the service knows by this id, or say where to look for one.

    Args:
        task: unconfirmed, and followed by nobody.
        task_id: from the dashboard; empty to ask only whether the service answers.

    Raises:
        ServiceError, ConnectionFailed: as the service answers.
        QingboError: the id is that of another task, or another kernel is at it.
    """
    monitor, client = task.manager.monitor, task.manager.client
    task._set(message=tr("Asking the service."))
    try:
        # A service that does find tasks by their key answers the second question as well as the first.
        async with monitor.pace.turn():
            snapshot = await monitor.request(client.status, task_id or task.key)
    except TaskNotFound:
        if task_id:
            raise
        when = task.submitted_at.astimezone()
        task._set(message=tr(_LOOK).format(when=when, model=task.model or tr("any model")))
    else:
        await _take_up(task, snapshot)


async def is_of_another(task: Task, task_id: str) -> bool:
    """Tell whether an id is that of another task of this library, and so proves nothing about this one.

    An answer out of a cache, or one that was meant for another request, has such an id. What the caller does
    before its next ``await`` is done before another task can get the id.
    """
    return await _other_of(task, task_id) is not None


async def _other_of(task: Task, task_id: str) -> Entry | None:
    manager = task.manager
    try:
        row = await manager.monitor.journal(manager.library.find, task_id, service=manager.service)
    except Exception:  # a journal that cannot be read is no reason to doubt the service
        logger.debug("The id %s was not looked for in the journal", task_id, exc_info=True)
        row = None
    if row is not None and row.key != task.key:
        return row
    # Last, with nothing awaited after it: two tasks may be answered with one id in the same moment, and the
    # row of the first is not written yet.
    others = (other for other in tuple(manager._tasks.values()) if other is not task)
    return next((entry_of(other, manager.service) for other in others if other.task_id == task_id), None)


async def _take_up(task: Task, snapshot: TaskSnapshot) -> None:
    manager, library = task.manager, task.manager.library
    found = snapshot.task_id
    if snapshot.model and task.model and snapshot.model != task.model:
        told = tr("{id} is a task of {model}; this one asked for {wanted}.")
        raise QingboError(told.format(id=found, model=snapshot.model, wanted=task.model))
    held = (library, task.key, manager.holder, manager.hold_seconds, manager.sightings)
    is_held = await manager.monitor.journal(hold, *held)
    if not is_held and await manager.monitor.journal(library.get, task.key) is not None:
        raise QingboError(tr("Another kernel is busy with this task; it will show here what comes of it."))
    if (other := await _other_of(task, found)) is not None:
        told = tr("{id} is another task of this library: {prompt!r:.80}.")
        raise QingboError(told.format(id=found, prompt=other.prompt))
    if task._claim(lambda: task.status == TaskStatus.unconfirmed):
        # Of two clicks one gets here; and what is submitted again meanwhile is followed already.
        manager.follow(task, task_id=found, status=TaskStatus.queued, error=None, message="")
