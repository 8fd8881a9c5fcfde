"""Finding out what became of a submission that nobody has confirmed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from ...exceptions import QingboError, TaskNotFound
from ...i18n import N_, tr
from ...library.entry import Entry
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ..background.writer import URGENT
from ..task import Task
from .context import Context
from .lease import hold
from .restore import entry_of

__all__ = ["PATIENCE", "check", "is_of_another_here"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds for which the journal may find out whether an id is that of another submission. It is shown then:
#: it may be all that is left of a task.
PATIENCE = 1.0

_LOOK = N_(
    "The service answers, but does not find a task by its key. Look in its dashboard for one submitted at "
    "{when:%Y-%m-%d %H:%M:%S} to {model}. If it is there, check its id; if not, nothing was made, and "
    "submitting again makes one task."
)


async def check(task: Task, manager: Context, task_id: str) -> None:
    """Take up the task that the service knows by this id, or say where to look for one.

    Args:
        task: unconfirmed, and followed by nobody.
        manager: of the task.
        task_id: from the dashboard; empty to ask only whether the service answers.

    Raises:
        ServiceError, ConnectionFailed: as the service answers.
        QingboError: the id is that of another task, or another kernel is at it.
    """
    monitor, client = manager.monitor, manager.client
    task.set_traits(message=tr("Asking the service."))
    try:
        # A service that does find tasks by their key answers the second question as well as the first.
        async with monitor.pace.turn():
            snapshot = await monitor.request(client.status, task_id or task.key)
    except TaskNotFound:
        if task_id:
            raise
        when = task.submitted_at.astimezone()
        task.set_traits(message=tr(_LOOK).format(when=when, model=task.model or tr("any model")))
    else:
        await _take_up(task, manager, snapshot)


def is_of_another_here(task: Task, manager: Context, task_id: str) -> bool:
    """Tell whether an id is that of another submission, as far as this kernel knows without its journal."""
    return _rival_here(task, manager, task_id) is not None


async def _rival(task: Task, manager: Context, task_id: str) -> Entry | None:
    monitor, library, service = manager.monitor, manager.library, manager.service
    looking = monitor.journal(library.rival, task_id, service=service, key=task.key, due=URGENT)
    try:
        row = await asyncio.wait_for(looking, PATIENCE)
    except Exception:  # a journal that cannot be read is no reason to doubt the service, or to hide an id
        logger.debug("The id %s was not looked for in the journal", task_id, exc_info=True)
        row = None
    # Here last, with nothing awaited after it: two tasks may be answered with one id in the same moment, and
    # the row of the first is not written yet.
    return row or _rival_here(task, manager, task_id)


def _rival_here(task: Task, manager: Context, task_id: str) -> Entry | None:
    others = (other for other in manager.known if other.request is not None)
    rivals = (other for other in others if other is not task and other.task_id == task_id)
    return next((entry_of(rival, manager.service) for rival in rivals), None)


async def _take_up(task: Task, manager: Context, snapshot: TaskSnapshot) -> None:
    library = manager.library
    found = snapshot.task_id
    if snapshot.model and task.model and snapshot.model != task.model:
        told = tr("{id} is a task of {model}; this one asked for {wanted}.")
        raise QingboError(told.format(id=found, model=snapshot.model, wanted=task.model))
    held = (library, task.key, manager.holder, manager.hold_seconds, manager.sightings)
    is_held = await manager.monitor.journal(hold, *held)
    if not is_held and await manager.monitor.journal(library.get, task.key) is not None:
        raise QingboError(tr("Another kernel is busy with this task; it will show here what comes of it."))
    try:
        if (other := await _rival(task, manager, found)) is not None:
            text = tr("{id} is another task of this library: {prompt!r:.80}.")
            raise QingboError(text.format(id=found, prompt=other.prompt))
        if task.lifecycle.claim(lambda: task.status == TaskStatus.unconfirmed):
            # Of two clicks one gets here; and what is submitted again meanwhile is followed already.
            manager.follow(task, task_id=found, status=TaskStatus.queued, error=None, message="")
    finally:
        if task.is_done:  # it is not followed, so other kernels may have it
            with suppress(Exception):  # the hold runs out by itself
                await manager.monitor.journal(library.release, manager.holder, task.key)
