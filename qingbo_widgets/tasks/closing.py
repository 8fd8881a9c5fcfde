"""Shutdown of a manager: running submissions get a grace period, and lost records are reported."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from ..i18n import tr
from ..system.console import write_line
from ..system.host import in_notebook

if TYPE_CHECKING:
    from ..library.library import Library
    from .background.loop import TaskMonitor
    from .following.backlog import Backlog

__all__ = ["finish", "patience"]


def patience() -> float:
    """Return the grace period in seconds: short in a kernel, which restarts at once; long in a script."""
    return 0.5 if in_notebook() else 10.0


def finish(monitor: TaskMonitor, library: Library, holder: str, backlog: Backlog) -> None:
    """Close a monitor, write the pending rows, and release the tasks to other kernels.

    Also runs at interpreter exit. It holds no reference to the manager, which can thus be garbage-collected.
    """
    if not monitor.process.is_this:
        return  # a forked child exits: its parent holds, writes and follows the tasks that the child copied
    if unsent := monitor.drain(patience()):
        # At interpreter exit, logging and its handlers may already be gone.
        text = tr(
            "qingbo_widgets: {count} submissions were still running at exit. connect() shows their outcome "
            "in the next session."
        )
        write_line(text.format(count=unsent), sys.stderr)
    monitor.close(patience())
    if unwritten := backlog.flush():
        text = tr(
            "qingbo_widgets: the journal {path} could not be written, so its records of {count} tasks are "
            "incomplete: {ids}. Keep the ids: resume(id) finds each task again at no cost."
        )
        ids = ", ".join(entry.task_id for entry in unwritten)
        write_line(text.format(path=library.journal.place, count=len(unwritten), ids=ids), sys.stderr)
    if monitor.was_used:
        with suppress(Exception):  # the lease expires by itself
            library.release(holder, patience=0.3)
