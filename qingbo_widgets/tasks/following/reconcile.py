"""Reconciliation of an unconfirmed submission with the tasks of the service."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from ...exceptions import QingboError, TaskNotFound
from ...i18n import N_, tr
from ...library.entry import Entry
from ...service.contract.envelope import find_task
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ...system.times import local_time
from ..background.writer import URGENT
from ..task import Task
from .context import Context
from .lease import hold
from .restore import entry_of

__all__ = ["PATIENCE", "check", "is_id_of_another_task"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds that the journal has to check whether an id belongs to another submission. After that the id is
#: shown anyway, because it may be the only trace of a paid task.
PATIENCE = 1.0

_NOT_FOUND_BY_KEY = N_(
    "The service cannot find tasks by idempotency key. Look in its dashboard for one submitted at {when} to "
    "{model}: if it is there, check its id; if not, submit again."
)


async def check(task: Task, manager: Context, task_id: str) -> None:
    """Follow the task that the service has under this id, or show where the user can look for it.

    Args:
        task: an unconfirmed task without a follower.
        manager: the manager of the task.
        task_id: an id from the dashboard; empty to only check that the service answers.

    Raises:
        ServiceError, ConnectionFailed: the status request failed.
        QingboError: the id belongs to another task, or another kernel is busy with this one.
    """
    task.set_traits(message=tr("Asking the service."))
    try:
        await _look_up(task, manager, task_id)
    except QingboError:
        task.set_traits(message="")  # what the task's error says, and what may have been charged, still holds
        raise


async def _look_up(task: Task, manager: Context, task_id: str) -> None:
    """Do the work of ``check``, and raise as it does."""
    monitor, client = manager.monitor, manager.client
    snapshot = None
    try:
        # A service that finds tasks by their idempotency key answers this for the key as well.
        async with monitor.pace.turn():
            snapshot = await monitor.request(client.status, task_id or task.key)
    except TaskNotFound:
        if task_id:
            raise
    # An answer without an id is about the task that was asked for, but a key is no task's id.
    if snapshot is None or (not task_id and find_task(snapshot.raw) is None):
        when = local_time(task.submitted_at, seconds=True)
        task.set_traits(message=tr(_NOT_FOUND_BY_KEY).format(when=when, model=task.model or tr("any model")))
    else:
        await _adopt(task, manager, snapshot)


def is_id_of_another_task(task: Task, manager: Context, task_id: str) -> bool:
    """Return whether an id belongs to another submission of this kernel; does not read the journal."""
    return _rival_in_memory(task, manager, task_id) is not None


async def _rival(task: Task, manager: Context, task_id: str) -> Entry | None:
    monitor, library, service = manager.monitor, manager.library, manager.service
    lookup = monitor.journal(library.other_submission, task_id, service=service, key=task.key, due=URGENT)
    try:
        row = await asyncio.wait_for(lookup, PATIENCE)
    except Exception:  # an unreadable journal is no reason to doubt the service or to hide an id
        logger.debug("The id %s could not be looked up in the journal", task_id, exc_info=True)
        row = None
    # Memory is checked last, with no await after it: two tasks may get the same id at the same moment, before
    # the row of the first is written.
    return row or _rival_in_memory(task, manager, task_id)


def _rival_in_memory(task: Task, manager: Context, task_id: str) -> Entry | None:
    others = (other for other in manager.known_tasks if other.request is not None)
    rivals = (other for other in others if other is not task and other.task_id == task_id)
    return next((entry_of(rival, manager.service) for rival in rivals), None)


async def _adopt(task: Task, manager: Context, snapshot: TaskSnapshot) -> None:
    library = manager.library
    task_id = snapshot.task_id
    if snapshot.model and task.model and snapshot.model != task.model:
        text = tr("{id} is a task of {model}; this one asked for {wanted}.")
        raise QingboError(text.format(id=task_id, model=snapshot.model, wanted=task.model))
    held = (library, task.key, manager.holder, manager.hold_seconds, manager.observed_holds)
    is_held = await manager.monitor.journal(hold, *held)
    if not is_held and await manager.monitor.journal(library.get, task.key) is not None:
        raise QingboError(tr("Another kernel is working on this task; the result will appear here."))
    try:
        if (other := await _rival(task, manager, task_id)) is not None:
            text = tr("{id} is another task of this library: {prompt!r:.80}.")
            raise QingboError(text.format(id=task_id, prompt=other.prompt))
        if task.lifecycle.claim(lambda: task.status == TaskStatus.unconfirmed):
            # Only one of two clicks gets here, and a task that was submitted again is already followed.
            manager.follow(task, task_id=task_id, status=TaskStatus.queued, error=None, message="")
    finally:
        if task.is_done:  # not followed, so release it for other kernels
            with suppress(Exception):  # the hold expires by itself
                await manager.monitor.journal(library.release, manager.holder, task.key)
