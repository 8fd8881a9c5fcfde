"""Painted masks that have a file, but no URL yet: they are uploaded when the painting pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...i18n import N_, tr
from ...service.contract.problem import Problem, numbered
from ...service.secrets.known_keys import hide
from ...tasks.background.pool import DaemonPool
from ..base.sync import refresher, safely, weakly
from .mask_files import files_of
from .state import FormState

__all__ = ["MaskUploads", "in_background", "without"]

T = TypeVar("T")

#: Seconds without a stroke after which a mask is uploaded.
PAUSE = 1.0
#: One worker, so that the masks of a user arrive in the order in which they were painted.
_pool = DaemonPool(1, "qingbo-mask")

_UPLOADING = N_("The painted mask is being uploaded.")
_NOT_UPLOADED = N_("The painted mask could not be uploaded: {reason}")


def in_background(call: Callable[[], object]) -> None:
    """Call a function on the thread for masks, after the earlier calls; log its exceptions."""
    _pool.submit(safely, call)


class MaskUploads:
    """The masks of a form that are not published yet. Until they are, the form cannot be submitted.

    Args:
        form: the form.
        arrive: called with the number of a mask and its URL, in the thread of the kernel's event loop.
    """

    def __init__(self, form: FormState, arrive: Callable[[int, str], None]) -> None:
        self._form, self._on_arrival = form, arrive
        self._files: dict[int, Path] = {}
        self._failures: dict[int, str] = {}
        self._pauses = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def files(self) -> Mapping[int, Path]:
        """The files by the numbers of their masks."""
        return self._files

    @property
    def has_failed(self) -> bool:
        """True if a mask could not be uploaded."""
        return bool(self._failures.keys() & self._files.keys())

    def add(self, number: int, file: Path) -> None:
        """Upload a mask when the painting pauses."""
        self._files[number] = file
        self._failures.pop(number, None)
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
        self._files.pop(number, None)
        self._failures.pop(number, None)

    def remove(self, number: int) -> None:
        """Forget a removed mask; the later ones get the numbers before theirs."""
        self._files, self._failures = without(self._files, number), without(self._failures, number)

    def publish(self) -> None:
        """Upload the masks on another thread."""
        for number, file in tuple(self._files.items()):
            self._failures.pop(number, None)
            in_background(partial(self._upload, number, file))

    def show(self) -> None:
        """Show what keeps the form from being submitted. May be called on any thread."""
        pending = dict[Problem, str]()
        for number in sorted({*self._files, *self._failures}):
            text = self._failures.get(number) or tr(_UPLOADING)
            name = "dynamic_masks" if number else "static_mask"
            where = numbered(name, number) if number else name
            pending[Problem(name, f"{where}: {text}", number)] = (
                "alarm" if number in self._failures else "hint"
            )
        if self._form.pending != pending:
            self._form.pending = pending
            self._form.show_problems()

    def _pause(self) -> None:
        """Upload the masks, unless another stroke came since."""
        self._pauses -= 1
        if not self._pauses:
            self.publish()

    def _upload(self, number: int, file: Path) -> None:
        manager, files = self._form.manager, files_of(self._form)
        if manager is None or files is None or self._files.get(number) != file:
            return  # painted on since
        try:
            url = manager.publish(file)
        except Exception as error:  # of the user's own function
            self.fail(number, tr(_NOT_UPLOADED).format(reason=hide(str(error)) or type(error).__name__))
            return
        files.remember(file, url)
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(safely, partial(self._arrive, number, file, url))
        else:
            self._arrive(number, file, url)

    def _arrive(self, number: int, file: Path, url: str) -> None:
        if self._files.get(number) == file:  # not painted on since
            del self._files[number]
            self._on_arrival(number, url)
            self.show()


def without(values: Mapping[int, T], number: int) -> dict[int, T]:
    """Return the values without that of a removed mask; the later ones get the numbers before theirs."""
    return {at - (at > number): value for at, value in values.items() if at != number}
