"""The video of a card: the saved file, or the service's link while a slow download is running."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...service.contract.snapshot import TaskStatus
from ..base.build import create_shared
from ..base.composite import CompositeMixin
from ..base.ipw import VBox
from ..base.player import files_html, link_html, output_of, saved_html
from ..base.settings import settings_of
from ..base.sync import refresher, update
from . import text as task_text

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["VideoView", "video_view"]

#: Seconds of a download after which the video is played from the service's link in the meantime.
LINK_AFTER = 0.7


def video_view(task: Task, refresh: Callable[[], object]) -> VideoView:
    """Return the player of a task's video; ``refresh`` is called when ``play`` should be called again."""
    view: VideoView = create_shared(
        VideoView,
        "",
        "qingbo-stage",
        _ratio_class(task),
        layout={"overflow": "visible"},
        task=task,
        refresh=refresh,
    )
    return view


class VideoView(CompositeMixin, VBox):
    """The player of one task's video, or the space for it, in the shape that the request asks for.

    The space is there from the start, so that nothing below moves when the video comes.

    Args:
        task: the task.
        refresh: called when ``play`` should be called again.
        **traits: further traits.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(self, task: Task, refresh: Callable[[], object], **traits: Any) -> None:
        self._task, self._refresh = task, refresh
        self._source = ""
        self._others: tuple[Path, ...] = ()
        self._saving_since: float | None = None
        super().__init__(**traits)

    @property
    def is_shown(self) -> bool:
        """True if there is a video to play."""
        return bool(self.children)

    def play(self) -> None:
        """Show the video that can be played now."""
        task = self._task
        if task.video_path is not None:
            self._show(str(task.video_path), saved_html(task.video_path))
            self._list_others()
        elif not self._source and self._is_late():
            self._show(task_text.link(task), link_html(task_text.link(task)))

    def _show(self, source: str, html: str) -> None:
        if source == self._source or not html:
            return  # a redraw would restart the video while the user watches it
        self._source = source
        self._put(0, output_of(html, source))

    def _list_others(self) -> None:
        """Show links to the other videos of the task, in an output of their own."""
        if self._task.other_video_paths == self._others or not self.children:
            return
        self._others = self._task.other_video_paths
        names = "\n".join(str(path) for path in self._others)
        self._put(1, output_of(files_html(self._others), names))

    def _put(self, place: int, output: dict[str, Any]) -> None:
        """Write an output, which is created with its content."""
        if len(self.children) > place:
            with update(self.children[place]):
                self.children[place].outputs = (output,)
        else:
            part = create_shared(ipywidgets.Output, outputs=(output,), layout={"margin": "0"})
            with update(self):
                self.children = (*self.children, part)

    def _is_late(self) -> bool:
        """Return whether the download has been running for ``LINK_AFTER`` seconds."""
        if self._task.status != TaskStatus.completed or task_text.is_over(self._task):
            self._saving_since = None
            return False
        if self._saving_since is None:
            self._saving_since = time.monotonic()
            refresher.later(LINK_AFTER, self._refresh)
        return time.monotonic() - self._saving_since >= LINK_AFTER


def _ratio_class(task: Task) -> str:
    """Return the CSS class of the shape of the coming video; that of 16:9 if an image decides it."""
    shape = "" if task.request is None else settings_of(task.request, task.contract).shape
    found = re.search(r"(\d+):(\d+)", shape)
    return "qingbo-ratio-" + ("-".join(found.groups()) if found else "16-9")
