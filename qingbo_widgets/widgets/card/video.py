"""The video of a card: the saved file, or the service's link while a slow download is running."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...service.contract.snapshot import TaskStatus
from ..base.build import create_shared
from ..base.player import files_html, link_html, output_of, saved_html
from ..base.sync import refresher, update
from . import text as task_text

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["VideoView"]

#: Seconds of a download after which the video is played from the service's link in the meantime.
LINK_AFTER = 0.7


class VideoView:
    """The player of one task's video.

    Args:
        task: the task.
        refresh: called when ``play`` should be called again.

    Attributes:
        parts: the widget that shows the video; empty before there is one.
    """

    def __init__(self, task: Task, refresh: Callable[[], object]) -> None:
        self._task, self._refresh = task, refresh
        self._source = ""
        self._others: tuple[Path, ...] = ()
        self._saving_since: float | None = None
        self.parts: tuple[Any, ...] = ()

    def play(self) -> tuple[Any, ...]:
        """Show the video that can be played now; return ``parts``."""
        task = self._task
        if task.video_path is not None:
            self._show(str(task.video_path), saved_html(task.video_path))
            self._list_others()
        elif not self._source and self._is_late():
            self._show(task_text.link(task), link_html(task_text.link(task)))
        return self.parts

    def _show(self, source: str, html: str) -> None:
        if source == self._source or not html:
            return  # a redraw would restart the video while the user watches it
        self._source = source
        outputs = (output_of(html, source),)
        if self.parts:
            with update(*self.parts):
                self.parts[0].outputs = outputs
        else:
            self.parts = (create_shared(ipywidgets.Output, outputs=outputs, layout={"margin": "0"}),)

    def _list_others(self) -> None:
        """Show links to the other videos of the task, in an output of their own."""
        if self._task.other_video_paths == self._others or not self.parts:
            return
        self._others = self._task.other_video_paths
        names = "\n".join(str(path) for path in self._others)
        outputs = (output_of(files_html(self._others), names),)
        if len(self.parts) > 1:
            with update(*self.parts):
                self.parts[1].outputs = outputs
        else:
            self.parts += (create_shared(ipywidgets.Output, outputs=outputs, layout={"margin": "0"}),)

    def _is_late(self) -> bool:
        """Return whether the download has been running for ``LINK_AFTER`` seconds."""
        if self._task.status != TaskStatus.completed or task_text.is_over(self._task):
            self._saving_since = None
            return False
        if self._saving_since is None:
            self._saving_since = time.monotonic()
            refresher.later(LINK_AFTER, self._refresh)
        return time.monotonic() - self._saving_since >= LINK_AFTER
