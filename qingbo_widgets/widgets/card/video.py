"""The video of a card: the saved file, or the service's link while a slow download is running.

The link keeps a player of its own when the file is saved, because another source would interrupt a user who
is watching. The page shows one of the two (widget.css): the link's if its class says that it was played.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...service.contract.snapshot import TaskStatus
from ..base.build import create_shared
from ..base.composite import CompositeMixin
from ..base.embedding import Embedding, held_by
from ..base.ipw import VBox
from ..base.player import heard, link_html, live_html, others_html, output_of
from ..base.settings import settings_of
from ..base.sync import refresher, update
from . import states

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["VideoView", "video_view"]

#: Seconds of a download after which the video is played from the service's link in the meantime.
LINK_AFTER = 0.7

#: The CSS classes of the parts.
_LINK, _SAVED, _OTHERS = "qingbo-link", "qingbo-saved", "qingbo-others"


def video_view(task: Task, refresh: Callable[[], object]) -> VideoView:
    """Return the player of a task's video; ``refresh`` is called when ``play`` should be called again."""
    view: VideoView = create_shared(
        VideoView,
        "",
        "qingbo-stage",
        *_ratio_class(task),
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
        self._sources: dict[str, str] = {}
        self._shown: dict[str, Any] = {}
        self._saving_since: float | None = None
        super().__init__(**traits)

    @property
    def is_shown(self) -> bool:
        """True if there is a video to play."""
        return bool(self._shown)

    @property
    def has_link(self) -> bool:
        """True if the user may be watching the video from the service's link."""
        return _LINK in self._shown

    def play(self) -> None:
        """Show the video that can be played now."""
        task = self._task
        if task.video_path is not None:
            video = task.video_path
            self._show(_SAVED, str(heard(video)), lambda _: live_html(video, self._embedding))
            self._list_others()
        elif not self._sources and self._is_late():
            self._show(_LINK, states.link(task), link_html)

    def _show(self, kind: str, source: str, html_of: Callable[[str], str]) -> None:
        if source == self._sources.get(kind):
            return  # a redraw would restart the video while the user watches it
        html = html_of(source)
        if not html:
            return
        self._sources[kind] = source
        outputs = (output_of(html, source),)
        if kind in self._shown:
            with update(self._shown[kind]):
                self._shown[kind].outputs = outputs
        else:
            part = create_shared(ipywidgets.Output, "", kind, outputs=outputs, layout={"margin": "0"})
            self._shown[kind] = part
            with update(self):
                self.children = (*self.children, part)

    def _list_others(self) -> None:
        """Show links to the other videos of the task, in an output of their own."""
        others = self._task.other_video_paths
        if others:
            listed = "\n".join(map(str, others))
            self._show(_OTHERS, listed, lambda _: others_html(others, self._embedding))

    @property
    def _embedding(self) -> Embedding:
        return held_by(self._task, self._task.manager.embed)

    def _is_late(self) -> bool:
        """Return whether the download has been running for ``LINK_AFTER`` seconds."""
        if self._task.status != TaskStatus.completed or states.is_over(self._task):
            self._saving_since = None
            return False
        if self._saving_since is None:
            self._saving_since = time.monotonic()
            refresher.later(LINK_AFTER, self._refresh)
        return time.monotonic() - self._saving_since >= LINK_AFTER


def _ratio_class(task: Task) -> tuple[str, ...]:
    """Return the CSS class of the shape of the coming video; none if an image decides it."""
    shape = "" if task.request is None else settings_of(task.request, task.contract).shape
    found = re.fullmatch(r"(\d+):(\d+)", shape)
    return () if found is None else (f"qingbo-ratio-{found[1]}-{found[2]}",)
