"""Where a card shows its video: the saved file, and while saving it takes long, the service's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...service.contract.snapshot import TaskStatus
from ..base.build import alike
from ..base.player import link_html, output_of, video_html
from ..base.sync import refresher, update
from . import text as words

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["Screen"]

#: Seconds that saving a video may take before it is played from the service's link meanwhile.
LINK_AFTER = 0.7


class Screen:
    """Plays the video of one task, once there is something to play.

    Args:
        task: the task.
        look: called when it is time to ask for ``parts`` again.
    """

    def __init__(self, task: Task, look: Callable[[], object]) -> None:
        self._task, self._look = task, look
        self._source = ""
        self._saving_since: float | None = None
        self.parts: tuple[Any, ...] = ()

    def play(self) -> tuple[Any, ...]:
        """Show what can be played now, and return the widget that shows it, if there is one."""
        task = self._task
        if task.video_path is not None:
            self._show(str(task.video_path), video_html(task.video_path))
        elif not self._source and self._is_late():
            self._show(words.link(task), link_html(words.link(task)))
        return self.parts

    def _show(self, source: str, html: str) -> None:
        if source == self._source or not html:
            return  # drawn anew, a video would begin again while somebody looks at it
        self._source = source
        outputs = (output_of(html, source),)
        if self.parts:
            with update(*self.parts):
                self.parts[0].outputs = outputs
        else:
            self.parts = (alike(ipywidgets.Output, outputs=outputs, layout={"margin": "0"}),)

    def _is_late(self) -> bool:
        """Whether the video has been on its way here for longer than a moment."""
        if self._task.status != TaskStatus.completed or words.is_over(self._task):
            self._saving_since = None
            return False
        if self._saving_since is None:
            self._saving_since = time.monotonic()
            refresher.later(LINK_AFTER, self._look)
        return time.monotonic() - self._saving_since >= LINK_AFTER
