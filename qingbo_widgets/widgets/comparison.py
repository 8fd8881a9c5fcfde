"""``Comparison``: videos side by side, or one laid over the other, in step within a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Float, Int

from ..exceptions import QingboError
from ..tasks.posters import frame_rate
from ..tasks.task import Task
from . import markup
from .binding import close_parts
from .lasting import Lasting
from .player import output_of, relative_url, why_unreachable

__all__ = ["LETTERS", "Comparison", "figures"]

LETTERS = "ABCDEF"
_SCRIPT = Path(__file__).with_name("comparison.js")
_STYLE = "width: 100%; display: block; background: #000; border-radius: 3px"

_HOW_MANY = "A comparison takes 2 to 6 videos, not {number}."
_NO_VIDEO = "{task!r} has no video yet; wait for it first."
_NO_FILE = "There is no video {path}."
_NO_ANYWIDGET = "A comparison needs anywidget: pip install anywidget"

CSS = """
.qingbo-comparison { max-width: 1240px; }
.qingbo-comparison:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); }
.qingbo-figures { display: grid; gap: 8px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 230px), 1fr)); }
.qingbo-html .qingbo-figures figure { margin: 0; min-width: 0; }
.qingbo-controls { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding: 6px 2px;
  color: var(--jp-ui-font-color1, inherit); font: var(--jp-ui-font-size1, 13px) / 1.45
  var(--jp-ui-font-family, system-ui, sans-serif); }
.qingbo-controls button { width: auto; margin: 0; padding: 0 10px; height: 28px; cursor: pointer; }
.qingbo-controls input[type=range] { flex: 1 1 140px; min-width: 90px; max-width: 420px; margin: 0; }
.qingbo-controls select { background: var(--jp-layout-color1, #fff); color: inherit; height: 28px;
  border: 1px solid var(--jp-border-color1, #bdbdbd); }
.qingbo-clock { font-variant-numeric: tabular-nums; white-space: nowrap; }
.qingbo-controls label { display: inline-flex; align-items: center; gap: 4px; }
.qingbo-wipe-box { flex: 1 1 320px; max-width: 460px; }
.qingbo-loop, .qingbo-wipe-box { display: inline-flex; flex-wrap: wrap; align-items: center; gap: 4px 6px; }
"""


class Comparison(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Two to six videos with one set of controls: play, pause, step, seek, loop, speed, sound, wipe.

    Space plays and pauses, the arrows step by a frame while the focus is here.

    Args:
        videos: tasks whose videos are saved, or mp4 files.
        labels: what stands below each; by default the task's prompt and model, or the file's name.
        fps: frames in a second, for the steps. By default those of the first video, where av is installed
            (``[frames]``), else 30.

    Raises:
        ValueError: not 2 to 6 videos, or not as many labels.
        QingboError: a task without a video, or a file that is not there.
        ImportError: anywidget is not installed; the message says how.
    """

    def __init__(
        self,
        videos: Sequence[Task | str | Path],
        *,
        labels: Sequence[str] | None = None,
        fps: float | None = None,
    ) -> None:
        if not 2 <= len(videos) <= len(LETTERS):
            raise ValueError(_HOW_MANY.format(number=len(videos)))
        if labels is not None and len(labels) != len(videos):
            raise ValueError(f"There are {len(videos)} videos and {len(labels)} labels.")
        kind = _controller()
        paths = [_path_of(video) for video in videos]
        labels = [_label_of(video) for video in videos] if labels is None else list(labels)
        self.controls = kind(count=len(paths), fps=fps or frame_rate(paths[0]) or 30.0)
        self._head = ipywidgets.HTML()
        self._videos = ipywidgets.Output(layout={"margin": "0"})
        self._videos.outputs = (output_of(figures(paths, labels), ", ".join(map(str, paths))),)
        self._twin = figures(paths, labels, controls=True)
        super().__init__([self._head, self._videos, self.controls], layout={"overflow": "visible"})
        self.add_class("qingbo")
        self.add_class("qingbo-comparison")
        self.lasting = Lasting(self)
        self._head.value = markup.style() + markup.style(CSS) + self.lasting.style

    def close(self) -> None:
        """Close the comparison with all its parts."""
        close_parts(self)
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        self.lasting.show(markup.style(CSS) + markup.tag("div", self._twin, class_=self.lasting.twin_class))


def figures(paths: Sequence[Path], labels: Sequence[str], *, controls: bool = False) -> str:
    """The videos side by side, as HTML for an output.

    Args:
        paths: the videos.
        labels: what stands below each, after its letter; empty for the letter alone.
        controls: whether each has controls of its own.
    """
    drawn = []
    for letter, path, label in zip(LETTERS, paths, labels, strict=False):
        told = [f"{letter}: {markup.shorten(label, 120)}" if label else letter, why_unreachable(path) or ""]
        player = markup.tag(
            "video",
            src=relative_url(path),
            preload="metadata" if controls else "auto",
            controls="" if controls else None,
            muted=None if controls else "",
            playsinline="",
            style=_STYLE,
            aria_label=f"Video {letter}",
        )
        lines = "<br>".join(markup.escape(markup.plain(line)) for line in told if line)
        drawn.append(markup.tag("figure", player, markup.tag("figcaption", lines, class_="qingbo-dim")))
    return markup.tag("div", markup.tag("div", *drawn, class_="qingbo-figures"), class_="qingbo-html")


def _path_of(video: Task | str | Path) -> Path:
    if isinstance(video, Task):
        if video.video_path is None:
            raise QingboError(_NO_VIDEO.format(task=video))
        return video.video_path
    path = Path(video).expanduser().resolve()
    if not path.is_file():
        raise QingboError(_NO_FILE.format(path=path))
    return path


def _label_of(video: Task | str | Path) -> str:
    if not isinstance(video, Task):
        return Path(video).stem
    prompt = "" if video.request is None else video.request.prompt
    return ", ".join(part for part in (markup.shorten(prompt, 90), video.model) if part)


@cache
def _controller() -> Any:
    try:
        import anywidget
    except ImportError:
        raise ImportError(_NO_ANYWIDGET) from None

    class Controls(anywidget.AnyWidget):
        """The controls, and what keeps the videos in step: comparison.js."""

        _esm = _SCRIPT
        count = Int(2, help="How many videos there are.").tag(sync=True)
        fps = Float(30.0, help="Frames in a second, for the steps.").tag(sync=True)

    return Controls
