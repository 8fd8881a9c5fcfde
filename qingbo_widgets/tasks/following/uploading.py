"""Upload of the pictures and videos of a request, before anything is sent to the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ...exceptions import QingboError, TaskCancelled, UploadFailed
from ...i18n import N_, sentences, tr
from ...library.file_names import given_name
from ...service.contract.limits import EXAMPLE_URL
from ...service.contract.request import VideoRequest
from ...service.contract.snapshot import TaskStatus
from ..resubmission import is_key_forgotten, key_remembered_until
from .ownership import Ownership
from .record import TaskRecord

__all__ = ["release", "upload"]

_BEFORE = N_("Uploading {file}…")
_PROGRESS = N_("Uploading {file}: {sent:.0f} of {total:.0f} MB…")
_ENDED = N_("The kernel ended while {file} was being uploaded, so nothing was submitted or charged.")
_GONE = N_("{file} is not among the pictures of the library any more. Choose the picture again.")
_NOTHING = N_("Nothing was submitted or charged.")
_CANCELLED = N_("Cancelled before anything was sent.")
#: Seconds between two looks at the progress.
_INTERVAL = 0.5
#: Seconds for the removal of a task's uploads before the task counts as done.
_PATIENCE = 10.0
_MEGABYTE = 1_000_000


class _Unwanted(Exception):
    """Raised on the thread of an upload to end it."""


async def upload(record: TaskRecord, ownership: Ownership, is_cancelled: Callable[[], bool]) -> VideoRequest:
    """Return the request of a task with links to its files; upload those that have none.

    Until the end of the uploads, the row says that nothing was submitted: if this kernel dies meanwhile, the
    next one knows that the task does not exist.

    Args:
        record: the task.
        ownership: the hold of this kernel on the task.
        is_cancelled: returns whether the task is not to be sent any more.

    Raises:
        TaskCancelled: it was cancelled meanwhile.
        UploadFailed: a file could not be uploaded.
        HandedOver: another kernel follows the task.
    """
    task, inputs = record.task, record.manager.inputs
    request = task.request
    assert request is not None
    files = inputs.files_in(request)
    if left := inputs.left_in(inputs.with_links(request, dict.fromkeys(files, EXAMPLE_URL))):
        raise _failure(record, tr(_GONE).format(file=left))
    if not files:
        return request
    if not record.in_doubt:
        await ownership.open_unsent(UploadFailed(tr(_ENDED).format(file=given_name(files[0]))))
    sent, links = _links_of_first(record), dict[Path, str]()
    for file in files:
        inputs.use(file, task.key)
        links[file] = sent.get(file.name) or await _link(record, file, is_cancelled)
    inputs.remember_sent(task.key, links)
    record.set_traits(message="")
    return inputs.with_links(request, links)


def _links_of_first(record: TaskRecord) -> dict[str, str]:
    """Return the links of a first submission that is in doubt, which another must repeat.

    A service that knows the key refuses it with another body. Once the service may have forgotten the key,
    the links may have ended too.
    """
    task = record.task
    is_known = key_remembered_until(task) is not None and not is_key_forgotten(task)
    return record.manager.inputs.sent(task.key) if record.in_doubt and is_known else {}


def _failure(record: TaskRecord, text: str) -> UploadFailed:
    """Return the error of an upload. If it is for a repeated submission, the first may be charged."""
    return UploadFailed(text if record.in_doubt else sentences(text, tr(_NOTHING)))


async def _link(record: TaskRecord, file: Path, is_cancelled: Callable[[], bool]) -> str:
    """Return the link to a file, and show the progress of its upload."""
    progress, manager = _Progress(), record.manager
    record.set_traits(message=tr(_BEFORE).format(file=given_name(file)))
    uploading = manager.monitor.upload(manager.inputs.link, file, progress.note)
    try:
        while not uploading.done():
            await asyncio.wait({uploading}, timeout=_INTERVAL)
            if is_cancelled():
                raise TaskCancelled(tr(_CANCELLED))
            if progress.sent and progress.total >= _MEGABYTE:
                facts = {"sent": progress.sent / _MEGABYTE, "total": progress.total / _MEGABYTE}
                record.set_traits(message=tr(_PROGRESS).format(file=given_name(file), **facts))
        return uploading.result()
    except TaskCancelled:
        raise
    except QingboError as error:
        raise _failure(record, str(error)) from None
    finally:
        progress.is_wanted = False
        uploading.cancel()


class _Progress:
    """The progress of an upload, noted on its thread.

    Attributes:
        sent: the bytes sent.
        total: all bytes; 0 before the first are sent.
        is_wanted: false once the upload should end.
    """

    def __init__(self) -> None:
        self.sent = self.total = 0
        self.is_wanted = True

    def note(self, sent: int, total: int) -> None:
        """Note the progress, or end the upload."""
        if not self.is_wanted:
            raise _Unwanted
        self.sent, self.total = sent, total


async def release(record: TaskRecord) -> None:
    """Remove the uploads of a task that has ended, if that was asked for and no other task needs them.

    After a failure, the links are forgotten: the service may not have been able to read the files there. A
    store that does not answer is not waited for.
    """
    task, monitor, inputs = record.task, record.manager.monitor, record.manager.inputs
    if task.request is None or not task.status.is_ended or not (files := inputs.files_in(task.request)):
        return
    try:
        # Not behind the uploads, of which a function may never end.
        releasing = monitor.request(inputs.release, files, task.key, task.status == TaskStatus.failed)
    except asyncio.CancelledError:  # the manager is closed
        return
    await asyncio.wait({releasing}, timeout=_PATIENCE)
