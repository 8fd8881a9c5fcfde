"""The other videos of a task that has several: saved beside the first, which never waits for them."""

from __future__ import annotations

import asyncio
import filecmp
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...exceptions import LinkExpired, QingboError
from ...i18n import N_, sentences, tr
from ...library import other_videos
from ...library.journal.damage import short_reason
from ...library.other_videos import OtherVideos
from ...library.sidecar import sidecar_path
from ...media.posters import make_poster
from ...service.contract.problem import listed
from ...system.files import remove
from ..saved_video import remark_of
from .fetching import fetch
from .links import is_transient
from .ownership import HandedOver, Ownership
from .record import TaskRecord
from .saving import complete
from .target import Target

__all__ = ["find_others", "save_others"]

logger = logging.getLogger("qingbo_widgets")

_SAVING = N_("The service returned {count} different videos. Still being saved: {names}.")
_SAVED = N_("The service returned {count} different videos. Saved beside this one: {names}.")
_FAILED = N_(
    "{name} could not be saved: {error} Its link is in task.video_urls; task.retry_download() tries again."
)
_LOST = N_("{name} could not be saved: {error}")
_CUT_OFF = N_("The manager was closed. The next qw.connect() saves {names} while their links are valid.")
_HANDED_OVER = N_("Another kernel is saving {names}.")


async def find_others(record: TaskRecord) -> None:
    """Find out whether other videos of a task are still to be saved, from the note of an earlier kernel."""
    task = record.task
    if record.others is None and task.video_path is not None and not record.links_are_fresh:
        noted = await record.manager.monitor.journal(other_videos.read, task.planned_path)
        record.others = noted if noted is not None and noted.key == task.key else None


async def save_others(record: TaskRecord, ownership: Ownership, clock: Callable[[], float]) -> None:
    """Save the other videos of a task whose first one is saved; show what is missing, and why.

    Args:
        record: the task.
        ownership: the hold of this kernel on the task.
        clock: a monotonic clock, in seconds.
    """
    if record.others is None:
        return
    saving = _Others(record, ownership, clock, record.others)
    try:
        await saving.run()
    except HandedOver:
        saving.end(_HANDED_OVER)
    except asyncio.CancelledError:
        saving.end(_CUT_OFF)
        raise
    finally:
        record.videos = ()


class _Others:
    """The other videos of one task, which are saved at the same time.

    Args:
        record: the task.
        ownership: the hold of this kernel on the task.
        clock: a monotonic clock, in seconds.
        others: their number.
    """

    def __init__(
        self, record: TaskRecord, ownership: Ownership, clock: Callable[[], float], others: OtherVideos
    ) -> None:
        self._record, self._ownership, self._clock, self._others = record, ownership, clock, others
        self._planned = record.task.planned_path
        #: What is unusual about the first video.
        self._remark = ""
        numbers = [number for number in range(others.count) if number != others.first]
        self._names = {number: other_videos.path_of(self._planned, number).name for number in numbers}
        self._waiting = dict.fromkeys(numbers, "")
        self._saved: dict[int, Path] = {}
        self._failed: dict[int, str] = {}
        self._copies = 0
        #: Whether another try, now or by a later kernel, may save one that is missing.
        self._is_worth_another = False

    async def run(self) -> None:
        """Save them all, and remove the note unless one of them may be saved later.

        Raises:
            HandedOver: another kernel saves them.
        """
        self._remark = await self._record.manager.monitor.journal(remark_of, self._record.task.video_path)
        self._show()
        tries = [asyncio.ensure_future(self._save(number)) for number in self._names]
        try:
            await asyncio.gather(*tries)
        finally:
            for one in tries:
                one.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        if not self._is_worth_another:
            await self._record.manager.monitor.journal(other_videos.tidy, self._planned)

    def end(self, text: str) -> None:
        """Replace the message about those that are not saved yet."""
        names = [self._names[number] for number in self._waiting]
        self._waiting = {}
        self._show(tr(text).format(names=listed(names)) if names else "")

    async def _save(self, number: int) -> None:
        record, name = self._record, self._names[number]
        try:
            await self._fetch(number)
        except HandedOver:
            raise
        except QingboError as error:
            is_lost = isinstance(error, LinkExpired) and not is_transient(record.task, error)
            self._is_worth_another |= not is_lost
            self._failed[number] = tr(_LOST if is_lost else _FAILED).format(name=name, error=error)
            logger.warning("%s was not saved: %s", name, error)
        except Exception as error:  # a bug of ours must not hide that the video exists
            logger.exception("Saving %s failed", name)
            self._is_worth_another = True
            reason = f"{type(error).__name__}: {short_reason(error)}"
            self._failed[number] = tr(_FAILED).format(name=name, error=reason)
        del self._waiting[number]
        self._show()

    async def _fetch(self, number: int) -> None:
        record, monitor = self._record, self._record.manager.monitor
        target = Target(
            other_videos.path_of(self._planned, number),
            f"{record.task.key}-{number + 1}",
            partial(self._explain, number),
            number=number,
        )
        is_new = await fetch(record, self._ownership, target, self._clock)
        key = other_videos.key_of(record.task.key, number)
        described = replace(record.entry(), key=key, task_id="", cost=None, frozen=None)
        path = await complete(record, target, described, is_new=is_new)
        if await monitor.download(time.time(), _is_copy, path, self._earlier(number)):
            self._copies += 1
            return
        self._saved[number] = path
        paths = [self._saved[number] for number in sorted(self._saved)]
        record.set_traits(other_video_paths=tuple(paths))
        await monitor.in_background(make_poster, path)
        logger.info("Task %s: another video is saved as %s", record.task.task_id, path)

    def _earlier(self, number: int) -> list[Path]:
        """Return the saved videos before this one, with which it is compared."""
        first = self._record.task.video_path
        others = [path for other, path in self._saved.items() if other < number]
        return others if first is None else [first, *others]

    def _explain(self, number: int, text: str) -> None:
        self._waiting[number] = text and f"{self._names[number]}: {text}"
        self._show()

    def _show(self, more: str = "") -> None:
        names = [self._names[number] for number in self._waiting]
        saved = [self._saved[number].name for number in sorted(self._saved)]
        count = self._others.count - self._copies
        texts = [tr(_SAVED).format(count=count, names=listed(saved))] if saved else []
        texts += [tr(_SAVING).format(count=count, names=listed(names))] if names else []
        self._record.set_traits(
            message=sentences(
                *(self._remark, *texts, *self._waiting.values(), *self._failed.values(), more),
                self._record.unwritten,
            )
        )


def _is_copy(path: Path, others: list[Path]) -> bool:
    """Return whether a video is the same as another one, after removing it and its sidecar.

    An answer may have the same video under several links.
    """
    for other in others:
        try:
            if filecmp.cmp(path, other, shallow=False):
                remove(path)
                remove(sidecar_path(path))
                return True
        except OSError:  # it is no copy that can be removed
            continue
    return False
