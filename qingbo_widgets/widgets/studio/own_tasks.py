"""The tasks of a studio, which it shows again when its cell runs again, in this kernel or in another one.

They belong to the notebook, the cell and the form, like the draft of the form, and are saved beside it: the
keys of the latest tasks, not the tasks, which the library has. A studio that no page has run (a script,
nbclient, papermill) has no owner, so it starts empty.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ...library.presets import DraftOwner, Presets
from ..base.sync import refresher, update
from ..form.drafts import stored_owner

if TYPE_CHECKING:
    from ...tasks.task import Owner, Task

__all__ = ["StudioTasks"]

logger = logging.getLogger("qingbo_widgets")

#: The maximum of tasks that are shown again.
MOST = 200

#: The keys in this kernel, by library and owner: those of a notebook without a known path are only here.
_remembered: dict[tuple[str, DraftOwner], tuple[str, ...]] = {}


class StudioTasks:
    """The keys of the tasks that were submitted from one studio, oldest first.

    ``add`` records a submitted task. ``remove`` makes the studio forget tasks, such as those that the user
    has cleared away; the library keeps them. Both return at once and save in the background.

    Args:
        presets: the drafts of the library, shared with the keeper of the form's draft.
        owner: the notebook, the cell and the form; ``None`` for a studio that no page has run.
    """

    def __init__(self, presets: Presets, owner: DraftOwner | None) -> None:
        self._presets = presets
        self._owner = None if owner is None else stored_owner(owner, presets)
        self._is_pending = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the tasks, oldest first."""
        if self._owner is None:
            return ()
        keys = _remembered.get(self._place)
        if keys is None:
            keys = self._presets.tasks(self._owner) if self._owner.notebook else ()
            keys = _remembered.setdefault(self._place, keys[-MOST:])
        return keys

    def add(self, key: str) -> None:
        """Record a task as the newest one; the oldest ones beyond the limit are forgotten."""
        self._set([*(other for other in self.keys if other != key), key][-MOST:])

    def remove(self, keys: Collection[str]) -> None:
        """Forget these tasks, so that the studio does not show them again."""
        self._set([key for key in self.keys if key not in keys])

    def load(self, manager: Owner) -> list[Task]:
        """Return the tasks as the library has them, oldest first; running ones are followed.

        Left out are tasks that the library no longer has, and those of another service: the manager would
        ask its own service about them. It may take a while, so do not call it on the main thread.
        """
        tasks = []
        for key in self.keys:
            try:
                entry = manager.library.get(key)
                is_own = entry is not None and entry.service == manager.service
                if is_own and manager.is_sandbox and entry is not None:
                    is_own = entry.contract == manager.client.contract.name
                if is_own and (task := manager.adopt(key)) is not None:
                    tasks.append(task)
            except Exception:  # one unreadable row must not hide the others
                logger.warning("The task %s of a studio cannot be shown again", key, exc_info=True)
        return tasks

    @property
    def _place(self) -> tuple[str, DraftOwner]:
        assert self._owner is not None
        return str(self._presets.folder), self._owner

    def _set(self, keys: Iterable[str]) -> None:
        if self._owner is None:
            return
        with update():
            _remembered[self._place] = tuple(keys)
            if self._is_pending or not self._owner.notebook:
                return
            self._is_pending = True
        refresher.later(0.0, self._write)

    def _write(self) -> None:
        with self._presets.write_lock:
            with update():
                self._is_pending = False
            try:
                if self._owner is not None:
                    self._presets.save_tasks(self._owner, self.keys)
            except OSError:  # they are still in this kernel's memory
                logger.warning("The tasks in %s cannot be written", self._presets.folder, exc_info=True)
