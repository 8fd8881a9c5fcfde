"""Painted masks that have a file, but no URL yet: they are uploaded when the painting pauses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...i18n import N_, tr
from ...service.contract.problem import Problem, numbered
from ...service.contract.values import DynamicMask
from ...service.secrets.known_keys import hide
from ...tasks.background.pool import DaemonPool
from ..base.sync import refresher, safely, weakly
from .form_fields import FormFields
from .mask_files import files_of

__all__ = ["STATIC", "MaskUploads", "field_of", "in_background", "with_mask_urls", "without"]

T = TypeVar("T")

#: The number of the static mask; those of the dynamic masks begin at 1.
STATIC = 0
#: Seconds without a stroke after which a mask is uploaded.
PAUSE = 1.0
#: Seconds after which an upload counts as failed. A mask is a small file.
LONGEST = 60.0
#: Seconds for which a call waits for the ones before it; then another thread takes it.
PATIENCE = 5.0
#: The maximum number of these threads: each has an upload that hangs.
MOST_THREADS = 16
#: One thread, so that the user's function uploads one mask after the other.
_pool = DaemonPool(1, "qingbo-mask")

_UPLOADING = N_("The painted mask is being uploaded.")
_NOT_UPLOADED = N_("The painted mask could not be uploaded: {reason}")
_TOO_LONG = N_("The upload of the painted mask has not ended within {seconds} s.")


def in_background(call: Callable[[], object]) -> None:
    """Call a function on a thread for masks, after earlier calls that do not hang; log its exceptions."""
    _pool.submit(safely, call)
    refresher.later(PATIENCE, lambda: _pool.add_worker(MOST_THREADS))


class MaskUploads:
    """The masks of a form that are not published yet. Until they are, the form cannot be submitted.

    Args:
        form: the form.

    Attributes:
        on_arrival: called with the number of a mask and its URL, in the thread of the kernel's event loop,
            unless the mask was changed since.
        on_upload: called with each file and its URL after its upload, in the same thread.
        on_failure: called with a file that could not be uploaded, and the reason; on any thread.
        on_forget: called with the numbers of masks that were forgotten.
        wanted: files that are uploaded even if their masks are changed meanwhile.
        problems: what keeps the form from being submitted: each problem with its kind, ``hint`` for an upload
            under way, ``alarm`` for a failed one.
    """

    def __init__(self, form: FormFields) -> None:
        self._form = form
        self.on_arrival: Callable[[int, str], object] = _ignore
        self.on_upload: Callable[[Path, str], object] = _ignore
        self.on_failure: Callable[[Path, str], object] = _ignore
        self.on_forget: Callable[[Collection[int]], object] = _ignore
        self.wanted: Collection[Path] = ()
        self.problems: Mapping[Problem, str] = {}
        self._files: dict[int, Path] = {}
        self._started: dict[int, Path] = {}
        self._failures: dict[int, str] = {}
        #: When the upload of each file began that has not ended, by the monotonic clock.
        self._running: dict[Path, float] = {}
        self._pauses = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def files(self) -> Mapping[int, Path]:
        """The files by the numbers of their masks."""
        return self._files

    @property
    def under_way(self) -> dict[int, Path]:
        """The files that will have a URL soon, by the numbers of their masks, as far as they are sent."""
        return {
            number: file
            for number, file in self._files.items()
            if number not in self._failures and self._form.counts(field_of(number))
        }

    @property
    def has_failed(self) -> bool:
        """True if a mask could not be uploaded."""
        return bool(self._failures.keys() & self._files.keys())

    def add(self, number: int, file: Path) -> None:
        """Upload a mask when the painting pauses."""
        self.drop(number)
        self._files[number] = file
        with suppress(RuntimeError):  # a program without an event loop
            self._loop = asyncio.get_running_loop()
        self._pauses += 1
        refresher.later(PAUSE, weakly(self, "_pause"))

    def fail(self, number: int, reason: str) -> None:
        """Show why there is no file to upload."""
        self._failures[number] = reason
        self.show()

    def drop(self, number: int) -> None:
        """Forget a mask that was changed."""
        for known in (self._files, self._started, self._failures):
            known.pop(number, None)

    def remove(self, number: int) -> None:
        """Forget a removed mask; the later ones get the numbers before theirs."""
        self._files, self._started = without(self._files, number), without(self._started, number)
        self._failures = without(self._failures, number)

    def forget(self) -> None:
        """Forget all masks: the form is filled in anew."""
        numbers = {*self._files, *self._failures}
        for number in numbers:
            self.drop(number)
        self.problems = {}
        self.on_forget(numbers)

    def publish(self) -> None:
        """Upload the masks on another thread: those whose upload has not started, or has failed."""
        for number, file in tuple(self._files.items()):
            if number in self._started and number not in self._failures:
                continue
            self._started[number] = file
            self._failures.pop(number, None)
            self._running[file] = time.monotonic()
            in_background(partial(self._upload, file))
            refresher.later(LONGEST, weakly(self, "_give_up"))
        self.show()

    def show(self) -> None:
        """Show what keeps the form from being submitted. May be called on any thread."""
        problems = dict[Problem, str]()
        for number in sorted({*self._files, *self._failures}):
            text, name = self._failures.get(number) or tr(_UPLOADING), field_of(number)
            where = numbered(name, number) if number else name
            kind = "alarm" if number in self._failures else "hint"
            problems[Problem(name, f"{where}: {text}", number)] = kind
        if self.problems != problems:
            self.problems = problems
            self._form.show_problems()

    def _pause(self) -> None:
        """Upload the masks, unless another stroke came since."""
        self._pauses -= 1
        if not self._pauses:
            self.publish()

    def _upload(self, file: Path) -> None:
        manager, files = self._form.manager, files_of(self._form)
        try:
            if manager is None or files is None or not (self._numbers_of(file) or file in self.wanted):
                return  # painted on since, or uploaded for another mask
            url = manager.publish(file)
        except (
            BaseException
        ) as error:  # of the user's own function, maybe a command's main(); the thread is ours
            self._end_without(file, tr(_NOT_UPLOADED).format(reason=hide(str(error)) or type(error).__name__))
            return
        finally:
            self._running.pop(file, None)
        files.remember(file, url)
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(safely, partial(self._arrive, file, url))
        else:
            self._arrive(file, url)

    def _arrive(self, file: Path, url: str) -> None:
        for number in self._numbers_of(file):
            self.drop(number)
            self.on_arrival(number, url)
            self.show()
        self.on_upload(file, url)

    def _give_up(self) -> None:
        """Treat uploads that hang as failed; one that ends later arrives all the same."""
        for file, began in tuple(self._running.items()):
            if time.monotonic() - began >= LONGEST:
                self._running.pop(file, None)
                self._end_without(file, tr(_TOO_LONG).format(seconds=f"{LONGEST:g}"))

    def _end_without(self, file: Path, reason: str) -> None:
        """End an upload without a URL."""
        for number in self._numbers_of(file):
            self.fail(number, reason)
        self.on_failure(file, reason)

    def _numbers_of(self, file: Path) -> list[int]:
        """Return the masks with this file now: painted on or removed, they have another one or number."""
        return [number for number, own in tuple(self._files.items()) if own == file]


def _ignore(*_: object) -> None:
    """Do nothing."""


def field_of(number: int) -> str:
    """Return the name of the field of a mask."""
    return "dynamic_masks" if number else "static_mask"


def with_mask_urls(masks: tuple[DynamicMask, ...], urls: Mapping[int, str]) -> tuple[DynamicMask, ...]:
    """Return dynamic masks with the URLs of some of them, by their numbers."""
    return tuple(
        replace(mask, mask_url=urls[number]) if number in urls else mask
        for number, mask in enumerate(masks, 1)
    )


def without(values: Mapping[int, T], number: int) -> dict[int, T]:
    """Return the values without that of a removed mask; the later ones get the numbers before theirs."""
    return {at - (at > number): value for at, value in values.items() if at != number}
