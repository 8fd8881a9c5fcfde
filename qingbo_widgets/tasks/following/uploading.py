"""Upload of the pictures and videos of a request, before anything is sent to the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ...exceptions import QingboError, TaskCancelled, UploadFailed
from ...i18n import N_, sentences, tr
from ...library.file_names import given_name
from ...service.contract.request import VideoRequest
from ...service.contract.snapshot import TaskStatus
from .ownership import Ownership
from .record import TaskRecord

__all__ = ["release", "upload"]

_BEFORE = N_("Uploading {file}…")
_PROGRESS = N_("Uploading {file}: {sent:.0f} of {total:.0f} MB…")
_ENDED = N_("The kernel ended while {file} was being uploaded, so nothing was submitted or charged.")
_NOTHING = N_("Nothing was submitted or charged.")
_CANCELLED = N_("Cancelled before anything was sent.")
#: Seconds between two looks at the progress.
_INTERVAL = 0.5
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
    request, inputs = record.task.request, record.manager.inputs
    assert request is not None
    if not (files := inputs.files_in(request)):
        return request
    if not record.in_doubt:
        await ownership.open_unsent(UploadFailed(tr(_ENDED).format(file=given_name(files[0]))))
    links = dict[Path, str]()
    for file in files:
        inputs.use(file, record.task.key)
        links[file] = await _link(record, file, is_cancelled)
    record.set_traits(message="")
    return inputs.with_links(request, links)


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
        # Of a submission that repeats another one, only that this attempt failed is certain.
        raise UploadFailed(sentences(str(error), "" if record.in_doubt else tr(_NOTHING))) from None
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

    After a failure, the links are forgotten: the service may not have been able to read the files there.
    """
    task, inputs = record.task, record.manager.inputs
    if task.request is None or not task.status.is_ended:
        return
    for file in inputs.files_in(task.request):
        with suppress(asyncio.CancelledError):  # the manager is closed
            await record.manager.monitor.upload(
                inputs.release, file, task.key, task.status == TaskStatus.failed
            )
