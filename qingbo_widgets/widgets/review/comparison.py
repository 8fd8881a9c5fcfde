"""``Comparison``: videos side by side, or one laid over the other, in step within a frame."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Dict, Float, Int

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...media.frames import frame_rate
from ...tasks.task import Task
from ..base import html as markup
from ..base.build import button
from ..base.composite import Composite
from ..base.html import Markup
from ..base.output import Lasting
from ..base.player import output_of, relative_url, why_unreachable
from ..base.sync import update
from .rating import rating_buttons

__all__ = ["LETTERS", "Comparison", "figures"]

LETTERS = "ABCDEF"
_SCRIPT = Path(__file__).with_name("comparison.js")
_STYLE = "width: 100%; display: block; background: #000; border-radius: 3px"

_HOW_MANY = N_("A comparison takes 2 to 6 videos, not {number}.")
_NO_VIDEO = N_("{task!r} has no video yet; wait for it first.")
_NO_FILE = N_("There is no video {path}.")
_NOT_AS_MANY = N_("There are {videos} videos and {labels} labels.")
_BLIND = N_("Which is which is shown when all are rated, or by Reveal.")
_REVEAL_HELP = N_("Shows which is which, rated or not.")

#: What stands on the controls, by what comparison.js calls it.
_TEXTS = {
    "play": N_("Play"),
    "pause": N_("Pause"),
    "playHelp": N_("Space"),
    "back": N_("‹ Frame"),
    "backHelp": N_("Left arrow: one frame back"),
    "on": N_("Frame ›"),
    "onHelp": N_("Right arrow: one frame on"),
    "time": N_("Time"),
    "loopFrom": N_("Loop from here"),
    "loopFromHelp": N_("The loop begins at this time"),
    "loopTo": N_("to here"),
    "loopToHelp": N_("The loop ends at this time"),
    "noLoop": N_("No loop"),
    "noLoopHelp": N_("Play to the end"),
    "speed": N_("Speed"),
    "sound": N_("Sound"),
    "noSound": N_("none"),
    "wipe": N_("Wipe"),
    "wipeAt": N_("Wipe position"),
    "wipeUnder": N_("of"),
    "wipeOver": N_("and"),
    "lost": N_("Video {letter} cannot be played: its file is gone, or is none that a browser plays."),
}

#: The figures; the controls bring a style sheet of their own.
CSS = markup.read_css(__file__, "figures.css")


class Comparison(Composite):
    """Two to six videos with one set of controls: play, pause, step, seek, loop, speed, sound, wipe.

    Space plays and pauses, the arrows step by a frame while the focus is here. A video that cannot be played
    is told of, and the others play without it.

    Args:
        videos: tasks whose videos are saved, or mp4 files.
        labels: what stands below each; by default the task's prompt and model, or the file's name.
        fps: frames in a second, for the steps. By default those of the first video, where av is installed
            (``[frames]``), else 30.
        blind: shuffle them, and show nothing but letters until all tasks are rated here, or ``reveal()``.
        seed: shuffles in the same way again.

    Attributes:
        videos: as given, in the order of their letters.
        ratings: the buttons that rate each task, by its letter, where it is hidden which is which.
        reveal_button: calls ``reveal``.
        is_blind: whether it is still hidden.

    Raises:
        ValueError: not 2 to 6 videos, or not as many labels.
        QingboError: a task without a video, or a file that is not there.
    """

    def __init__(
        self,
        videos: Sequence[Task | str | Path],
        *,
        labels: Sequence[str] | None = None,
        fps: float | None = None,
        blind: bool = False,
        seed: int | None = None,
    ) -> None:
        if not 2 <= len(videos) <= len(LETTERS):
            raise ValueError(tr(_HOW_MANY).format(number=len(videos)))
        if labels is not None and len(labels) != len(videos):
            raise ValueError(tr(_NOT_AS_MANY).format(videos=len(videos), labels=len(labels)))
        kind = _controller()
        order = list(range(len(videos)))
        if blind:
            random.Random(seed).shuffle(order)
        self.videos = tuple(videos[number] for number in order)
        self.is_blind = blind
        self._paths = [_path_of(video) for video in self.videos]
        named = [_label_of(video) for video in videos] if labels is None else list(labels)
        self._labels = [named[number] for number in order]
        texts = {name: tr(text) for name, text in _TEXTS.items()}
        fps = fps or frame_rate(self._paths[0]) or 30.0
        self.controls = kind(count=len(videos), fps=fps, texts=texts)
        self._head, self._videos = ipywidgets.HTML(), ipywidgets.Output(layout={"margin": "0"})
        files = (
            tr("{number} videos").format(number=len(videos)) if blind else ", ".join(map(str, self._paths))
        )
        self._videos.outputs = (output_of(figures(self._paths, self._shown), files),)
        self.ratings: dict[str, Any] = {}
        self._legend = ipywidgets.HTML()
        beside = {"width": "auto", "align_self": "flex-start"}
        self.reveal_button = button(tr("Reveal"), tr(_REVEAL_HELP), self.reveal, layout=beside)
        super().__init__(
            [self._head, self._videos, self.controls, *(self._judging() if blind else ())],
            layout={"overflow": "visible"},
        )
        self.add_class("qingbo")
        self.add_class("qingbo-comparison")
        self.lasting = Lasting(self)
        self._head.value = markup.style() + markup.style(CSS) + self.lasting.style

    def reveal(self) -> None:
        """Show which is which."""
        if not self.is_blind:
            return
        self.is_blind = False
        lines = [f"{letter}: {label}" for letter, label in zip(LETTERS, self._labels, strict=False)]
        with update(self._legend, self.reveal_button):
            # Below the controls: drawn anew, the videos would begin again.
            self._legend.value = markup.join(
                markup.tag("div", markup.escape(markup.plain(line))) for line in lines
            )
            self.reveal_button.disabled = True
        self.lasting.keep(self._twin())

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (self._legend, self.reveal_button)  # on no page where nothing is hidden

    def _ipython_display_(self, **_: Any) -> None:
        self.lasting.show(self._twin())

    @property
    def _shown(self) -> list[str]:
        return [""] * len(self._labels) if self.is_blind else self._labels

    def _twin(self) -> Markup:
        shown = figures(self._paths, self._shown, controls=True)
        return markup.style(CSS) + markup.tag("div", shown, class_=self.lasting.twin_class)

    def _judging(self) -> list[Any]:
        """What rates the tasks by their letters, and reveals."""
        for letter, video in zip(LETTERS, self.videos, strict=False):
            if isinstance(video, Task):
                rating = self.ratings[letter] = rating_buttons(tr("Video {letter}").format(letter=letter))
                rating.style.description_width = "initial"
                rating.observe(partial(self._rate, video), "value")
        self._legend.value = markup.note(tr(_BLIND))
        return [*self.ratings.values(), self.reveal_button, self._legend]

    def _rate(self, task: Task, change: Any) -> None:
        task.manager.library.judgements.rate(task.key, change["new"])
        if len(self.ratings) == len(self.videos) and all(
            one.value is not None for one in self.ratings.values()
        ):
            self.reveal()


def figures(paths: Sequence[Path], labels: Sequence[str], *, controls: bool = False) -> Markup:
    """Return the videos side by side, as HTML for an output.

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
            aria_label=tr("Video {letter}").format(letter=letter),
        )
        lines = markup.join((markup.escape(markup.plain(line)) for line in told if line), "<br>")
        drawn.append(markup.tag("figure", player, markup.tag("figcaption", lines, class_="qingbo-dim")))
    return markup.tag("div", markup.tag("div", *drawn, class_="qingbo-figures"), class_="qingbo-html")


def _path_of(video: Task | str | Path) -> Path:
    path = video.video_path if isinstance(video, Task) else Path(video).expanduser().resolve()
    if path is None:
        raise QingboError(tr(_NO_VIDEO).format(task=video))
    if not path.is_file():
        raise QingboError(tr(_NO_FILE).format(path=path))
    return path


def _label_of(video: Task | str | Path) -> str:
    if not isinstance(video, Task):
        return Path(video).stem
    prompt = "" if video.request is None else " / ".join(video.request.prompts)
    return ", ".join(part for part in (markup.shorten(prompt, 90), video.model) if part)


@cache
def _controller() -> Any:
    import anywidget  # takes long, and only a comparison needs it here

    class Controls(anywidget.AnyWidget):
        """The controls, and what keeps the videos in step: comparison.js."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # of a path anywidget keeps every widget that was made
        _css = _SCRIPT.with_suffix(".css").read_text(encoding="utf-8")
        count = Int(2, help="How many videos there are.").tag(sync=True)
        fps = Float(30.0, help="Frames in a second, for the steps.").tag(sync=True)
        texts = Dict(help="What stands on the controls, by what the script calls it.").tag(sync=True)

    return Controls
