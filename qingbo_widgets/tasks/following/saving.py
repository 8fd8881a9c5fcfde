"""The first video of a completed task: saved in the library, with its sidecar, and written to the journal."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...library.entry import Entry
from ...library.sidecar import write_sidecar
from ...media.posters import make_poster
from ...service.download.leftovers import tidy_notes
from ...system.host import in_notebook
from ..saved_video import own_name, remark_of
from .fetching import fetch
from .ownership import Ownership
from .record import TaskRecord
from .target import Target

__all__ = ["complete", "save"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds that a saved video waits for its poster before the notebook shows it.
POSTER_PATIENCE = 1.0


async def save(record: TaskRecord, ownership: Ownership, clock: Callable[[], float] = time.monotonic) -> None:
    """Save the video; retry until it is saved or only the user can help.

    Of several videos, the first is saved here, and ``save_others`` saves the others.

    Args:
        record: a completed task.
        ownership: the hold of this kernel on the task.
        clock: a monotonic clock, in seconds.

    Raises:
        QingboError, HandedOver: see ``fetch``.
    """
    task = record.task
    record.set_traits(error=None, message="")
    target = Target(
        task.planned_path,
        task.key,
        lambda text: record.set_traits(download=None, message=text),
        lambda share: record.set_traits(download=share),
    )
    has_downloaded = await fetch(record, ownership, target, clock)
    path = await complete(record, target, record.entry(), is_new=has_downloaded)
    await record.write(file=path.name, error=None)
    if record.others is None:
        record.videos = ()
    remark = await record.manager.monitor.journal(remark_of, path)
    # The row is written, so a kernel that ends now loses nothing. A card that shows the poster needs it now,
    # because a second player would interrupt the first.
    patience = POSTER_PATIENCE if in_notebook() else 0.0
    await record.manager.monitor.in_background(make_poster, path, patience=patience)
    record.set_traits(video_path=path, download=None, message=remark, saves_others=record.others is not None)
    if remark:
        logger.warning("%s: %s", path.name, remark)
    logger.info("Task %s: saved as %s", task.task_id, path)


async def complete(record: TaskRecord, target: Target, entry: Entry, *, is_new: bool) -> Path:
    """Give a saved video the suffix of its container and a sidecar; return its path.

    Args:
        record: the task.
        target: the file.
        entry: the description for the sidecar.
        is_new: whether this kernel has downloaded it. Another one may have died before the cleanup.
    """
    manager = record.manager
    path: Path = await manager.monitor.journal(own_name, target.path)
    try:
        if not is_new:
            await manager.monitor.journal(tidy_notes, target.path)
        await manager.monitor.journal(partial(_describe, record, entry, path))
    except Exception:  # the video matters more than its metadata
        logger.warning("The sidecar of %s was not written", path.name, exc_info=True)
    return path


def _describe(record: TaskRecord, entry: Entry, path: Path) -> None:
    write_sidecar(entry, path, record.manager.library.judgements.of(entry.key))
