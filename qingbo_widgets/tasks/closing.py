"""The end of a manager: what is still under way gets a little time, and what is lost is named."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from ..i18n import tr
from ..system.console import say
from ..system.host import in_notebook

if TYPE_CHECKING:
    from ..library.library import Library
    from .background.loop import TaskMonitor
    from .following.backlog import Backlog

__all__ = ["finish", "patience"]


def patience() -> float:
    """Return for how many seconds the end waits: a kernel restarts at once, a script may take them."""
    return 0.5 if in_notebook() else 10.0


def finish(monitor: TaskMonitor, library: Library, holder: str, backlog: Backlog) -> None:
    """Close a monitor, write the rows that still wait, and let other kernels have the tasks.

    Also runs at the interpreter's exit. Knows no manager, which can thus be collected.
    """
    if not monitor.process.is_this:
        return  # a forked child ends: what it has a copy of is held, written and followed by its parent
    if unsent := monitor.keep_promises(patience()):
        # Logging may be gone at the interpreter's exit, and so may be its readers.
        text = tr(
            "qingbo_widgets: {count} submissions were still under way at the end; connect() shows in the "
            "next session what became of them."
        )
        say(text.format(count=unsent), sys.stderr)
    monitor.close(patience())
    if unwritten := backlog.last_try():
        text = tr(
            "qingbo_widgets: the journal {path} could not be written, and does not have all of {count} "
            "tasks: {ids}. Keep the ids: resume(id) finds each again, and costs nothing."
        )
        ids = ", ".join(entry.task_id for entry in unwritten)
        say(text.format(path=library.journal.place, count=len(unwritten), ids=ids), sys.stderr)
    if monitor.was_used:
        with suppress(Exception):  # the hold runs out by itself
            library.release(holder, patience=0.3)
