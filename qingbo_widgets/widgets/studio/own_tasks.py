"""The tasks of a studio, which it shows again when its cell runs again, in this kernel or in another one.

They belong to the notebook, the cell and the form, like the draft of the form, and are saved beside it: the
keys of the latest tasks, not the tasks, which the library has. Two kernels may have the same notebook, one in
each window, so a kernel saves what it has added and removed, never its whole list. A studio that no page has
run (a script, nbclient, papermill) has no owner, so it starts empty.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from ...library.presets import DraftOwner, Presets
from ..base.sync import refresher, update
from ..form.drafts import stored_owner

if TYPE_CHECKING:
    from ...tasks.task import Owner, Task

__all__ = ["StudioTasks", "own_task"]

logger = logging.getLogger("qingbo_widgets")

#: The maximum of tasks that are shown again.
MOST = 200

#: By library and owner, what this kernel has added (True) and removed (False), and not saved yet. For a
#: notebook without a known path, it cannot be saved.
_unsaved: dict[tuple[str, DraftOwner], dict[str, bool]] = {}


class StudioTasks:
    """The keys of the tasks that were submitted from one studio.

    ``add`` records submitted tasks. ``remove`` makes the studio forget tasks, such as those that the user has
    cleared away; the library keeps them. Both return at once and save in the background.

    Args:
        presets: the drafts of the library, shared with the keeper of the form's draft.
        owner: the notebook, the cell and the form; ``None`` for a studio that no page has run.
    """

    def __init__(self, presets: Presets, owner: DraftOwner | None) -> None:
        self._presets = presets
        self._owner = None if owner is None else stored_owner(owner, presets)
        #: The keys that this studio has added or shown again: only others are new.
        self._known: set[str] = set()
        self._is_pending = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the tasks, oldest first, with those that another kernel has added meanwhile."""
        if self._owner is None:
            return ()
        with update():
            changes = dict(self._changes)  # before the file is read, which may get them meanwhile
        saved = self._presets.tasks(self._owner) if self._owner.notebook else ()
        return _changed(saved, changes)

    @property
    def is_saved(self) -> bool:
        """True if nothing waits to be saved."""
        return self._owner is None or not self._changes

    def add(self, keys: Iterable[str]) -> None:
        """Record tasks as the newest ones, in their order; those that the studio has recorded stay."""
        new = [key for key in keys if key not in self._known]
        self._known.update(new)
        self._change(dict.fromkeys(new, True))

    def remove(self, keys: Collection[str]) -> None:
        """Forget these tasks, so that the studio does not show them again."""
        self._known.difference_update(keys)
        self._change(dict.fromkeys(keys, False))

    def load(self, manager: Owner) -> list[Task]:
        """Return the tasks as the library has them, oldest first; running ones are followed.

        Left out are tasks that the library no longer has, and those of another service: the manager would
        ask its own service about them. It may take a while, so do not call it on the main thread.
        """
        found = (own_task(manager, key) for key in self.keys)
        tasks = [task for task in found if task is not None]
        self._known.update(task.key for task in tasks)
        return sorted(tasks, key=lambda task: task.submitted_at)

    @property
    def _changes(self) -> dict[str, bool]:
        assert self._owner is not None
        return _unsaved.setdefault((str(self._presets.folder), self._owner), {})

    def _change(self, changes: Mapping[str, bool]) -> None:
        if self._owner is None or not changes:
            return
        with update():
            for key, is_there in changes.items():
                self._changes.pop(key, None)  # the latest change comes last
                self._changes[key] = is_there
            if self._is_pending or not self._owner.notebook:
                return
            self._is_pending = True
        refresher.later(0.0, self._save)

    def _save(self) -> None:
        assert self._owner is not None
        with self._presets.write_lock:
            with update():
                self._is_pending, changes = False, dict(self._changes)
            try:
                self._presets.change_tasks(self._owner, lambda saved: _changed(saved, changes))
            except OSError:  # they are still in this kernel's memory
                logger.warning("The tasks in %s cannot be written", self._presets.folder, exc_info=True)
                return
            with update():
                for key, is_there in changes.items():
                    if self._changes.get(key) == is_there:
                        del self._changes[key]


def _changed(keys: Iterable[str], changes: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the keys after the changes: those added come last, and the oldest beyond the limit go."""
    added = [key for key, is_there in changes.items() if is_there]
    return tuple([*(key for key in keys if key not in changes), *added][-MOST:])


def own_task(manager: Owner, key: str) -> Task | None:
    """Return a task of the library, followed if it is running; ``None`` if it is not one of this service."""
    try:
        entry = manager.library.get(key)
        is_own = entry is not None and entry.service == manager.service
        if is_own and manager.is_sandbox and entry is not None:
            is_own = entry.contract == manager.client.contract.name
        return manager.adopt(key) if is_own else None
    except Exception:  # one unreadable row must not hide the others
        logger.warning("The task %s of a studio cannot be shown again", key, exc_info=True)
        return None
