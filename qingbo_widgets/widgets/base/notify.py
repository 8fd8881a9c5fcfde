"""Notifications of the end of tasks, for users who look elsewhere meanwhile: *Notify me* and what it shows.

``notify.js`` shows a notification of the browser and marks the title of the tab. It is the script of one
widget for a kernel, whose button is in studios, on cards and sweeps: all are views of the same widget. The
kernel sends it the end of each task, because a page may have taken the cell away that shows the task, or no
cell shows it. It sends once for a task, however many views that has.

Tasks that are submitted together make one notification when the last of them has ended; so does a sweep. A
page without the script (no kernel, no anywidget) has no button, and nothing else changes.
"""

from __future__ import annotations

import re
import uuid
import weakref
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
from traitlets import Dict

from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ...service.contract.status_names import status_label
from ...service.contract.text import shorten
from ...service.secrets.known_keys import hide
from ...tasks.sweep.cell import CellState
from .build import create_widget
from .page_scripts import runs_scripts
from .scripts import SCRIPTS_CLASS
from .settings import prompt_of
from .sync import refresher, safely, share, update

if TYPE_CHECKING:
    from ...tasks.sweep.sweep import Sweep
    from ...tasks.task import Task

__all__ = ["bell", "install", "watch", "watch_sweep", "watch_unshown", "watch_unshown_sweep"]

#: Seconds after which the page gets the script, for which no form and no card should wait.
INSTALL_AFTER = 0.3
#: The time between two submissions that belong together, such as those of a loop or of one click.
TOGETHER = timedelta(seconds=5)
#: The maximum of characters of a notification's text; browsers cut longer ones.
BODY = 120
_SCRIPT = Path(__file__).with_name("notify.js")
_URL = re.compile(r"\b\w+://\S+")

_LABEL = N_("Notify me")
_HELP = N_("When a video is finished, this browser shows a notification and marks the tab's title. No sound.")
_BLOCKED = N_("The browser blocks notifications: only the tab's title is marked.")

#: The box with the widget, once it exists.
_installed: list[Any] = []
_watched: weakref.WeakSet[Task] = weakref.WeakSet()
_watched_sweeps: weakref.WeakSet[Sweep] = weakref.WeakSet()


@dataclass
class _Batch:
    """Tasks that were submitted together.

    Attributes:
        last: the submission time of the last one.
        running: the number of those that have not ended.
        finished, failed: the number of those that have ended so; cancelled ones are in neither.
        task: one of those that failed, or else that finished.
    """

    last: datetime
    running: int = 0
    finished: int = 0
    failed: int = 0
    task: Task | None = field(default=None, repr=False)


_batch: _Batch | None = None


def bell(user: ipywidgets.Widget) -> list[Any]:
    """Return the button as a list of one widget that ``user`` must have among its children.

    The list is empty where there is no page, and for a moment after the first call.
    """
    if not runs_scripts():
        return []
    with update():
        if not _is_there():
            refresher.later(INSTALL_AFTER, install)
            return []
        (box,) = _installed
        share(box, user)
        box.children[0].texts = _texts()
        return [box]


def install() -> None:
    """Create the widget that carries the script, unless there is one or no page."""
    if not runs_scripts():
        return
    kind = _script_class()  # imported before the lock is taken
    with update():
        if not _is_there():
            # A box of its own hides the error message of a page that cannot load the widget.
            box = create_widget(ipywidgets.Box, "", SCRIPTS_CLASS, "qingbo-notify")
            box.children = [kind(texts=_texts())]
            _installed[:] = [box]


def watch(task: Task) -> None:
    """Notify the user when the task ends. Further calls for the same task do nothing."""
    global _batch
    if not runs_scripts() or task.is_done:
        return
    with update():
        if task in _watched:
            return
        _watched.add(task)
        if _batch is None or not _batch.running or abs(task.submitted_at - _batch.last) > TOGETHER:
            _batch = _Batch(task.submitted_at)
        batch, batch.last = _batch, task.submitted_at
        batch.running += 1
    task.on_end(lambda task: _end(task, batch))


def watch_sweep(sweep: Sweep) -> None:
    """Notify the user when the sweep ends, or needs its user. Further calls for the same sweep do nothing."""
    with update():
        if not runs_scripts() or sweep in _watched_sweeps:
            return
        _watched_sweeps.add(sweep)
    sweep.observe(_on_sweep, "state")


def watch_unshown(task: Task) -> None:
    """Notify the user of the end of a task that no cell may show, if the page has the script already.

    It raises nothing, because the task has been submitted.
    """
    if _is_there():
        safely(lambda: watch(task))


def watch_unshown_sweep(sweep: Sweep) -> None:
    """Notify the user of the end of a sweep that no cell may show, as ``watch_unshown`` does."""
    if _is_there():
        safely(lambda: watch_sweep(sweep))


def _end(ended: Task, batch: _Batch) -> None:
    is_finished, is_cancelled = ended.video_path is not None, ended.status == TaskStatus.cancelled
    is_failed = not is_finished and not is_cancelled
    with update():
        _watched.discard(ended)  # it may be followed again
        batch.running -= 1
        batch.finished += is_finished
        batch.failed += is_failed
        if not is_cancelled and (batch.task is None or is_failed):
            batch.task = ended
        task = None if batch.running else batch.task
        notice = None if task is None else _notice(_title(batch), prompt_of(task.request))
        _send(int(is_finished), int(is_failed), notice)


def _on_sweep(change: Any) -> None:
    sweep = change["owner"]
    if change["new"] == "paused" and sweep.reason:
        _send(0, 0, _notice(tr("Sweep paused"), sweep.reason))
    if change["new"] != "ended" or change["old"] == "planned":
        return
    counts, count = sweep.counts, len(sweep.cells)
    finished = counts[CellState.finished]
    failed = count - finished - counts[CellState.cancelled]
    title = tr("Sweep finished")
    if failed:
        title = tr("Sweep finished: {failed} of {count} failed").format(failed=failed, count=count)
    _send(finished, failed, _notice(title, sweep.name))


def _title(batch: _Batch) -> str:
    count = batch.finished + batch.failed
    if count > 1:
        if batch.failed:
            return tr("{failed} of {count} videos failed").format(failed=batch.failed, count=count)
        return tr("{count} videos finished").format(count=count)
    if batch.finished:
        return tr("Video finished")
    status = TaskStatus.failed if batch.task is None else batch.task.status
    if status == TaskStatus.failed:
        return tr("Video failed")
    return tr("Video not saved") if status == TaskStatus.completed else status_label(status)


def _notice(title: str, body: str) -> dict[str, str]:
    """Return a notification, which everyone who sees the screen can read: without keys and addresses."""
    return {"id": uuid.uuid4().hex, "title": title, "body": shorten(_URL.sub("…", hide(body)), BODY)}


def _send(finished: int, failed: int, notice: dict[str, str] | None) -> None:
    with update():
        if _is_there() and (finished or failed or notice):
            end = {"finished": finished, "failed": failed}
            _installed[0].children[0].send(end if notice is None else {**end, "notice": notice})


def _texts() -> dict[str, str]:
    return {
        "label": tr(_LABEL),
        "help": tr(_HELP),
        "blocked": tr(_BLOCKED),
        "one": tr("✓ 1 video"),
        "many": tr("✓ {count} videos"),
        "failed": tr("✗ {count} failed"),
    }


def _is_there() -> bool:
    return bool(_installed) and _installed[0].comm is not None  # the user may have closed all widgets


@cache
def _script_class() -> type[Any]:
    import anywidget  # slow to import

    class Notifier(anywidget.AnyWidget):
        """The button, and the receiver of the ends."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # given a path, anywidget keeps every instance alive
        texts = Dict(help="The texts of the button and of the tab's title.").tag(sync=True)

    return Notifier
