"""``Comparison``: videos side by side or one over the other, synchronised to within a frame."""

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
from ...library.library import Library
from ...media.frames import frame_rate
from ...service.contract.text import shorten
from ...system.notebook import shown_path
from ...tasks.sweep.labels import SEPARATOR
from ..base import html as markup
from ..base.build import button
from ..base.captions import captions_of, shared_caption
from ..base.clips import Clip, Source, clips_of, embed_of
from ..base.composite import Composite
from ..base.embedding import Embedding, held_by
from ..base.html import Markup
from ..base.output import CellOutput
from ..base.page_files import not_loaded, reach_note, relative_url, uncover_next
from ..base.player import TRANSPARENT, embedded_url, output_of, poster_behind, ratio_style
from ..base.rating_buttons import rating_buttons
from ..base.scripts import SCRIPTS_CLASS, missing_script, one_module
from ..base.sync import update
from .costs import cost_texts

__all__ = ["LETTERS", "Comparison", "figures"]

LETTERS = "ABCDEF"
_SCRIPT = Path(__file__).with_name("comparison.js")
_STYLE = "position: relative; width: 100%; display: block; border-radius: 3px"
#: Visible before a video is loaded. Not black, which looks like a broken video.
_BOX = "position: relative; background: var(--jp-layout-color2, #8883); border-radius: 3px"

_HOW_MANY = N_("A comparison takes 2 to 6 videos, not {number}.")
_NO_VIDEO = N_("{task!r} has no video yet; wait for it first.")
_NO_FILE = N_("No such video: {path}")
_NOT_AS_MANY = N_("{videos} videos need as many labels, not {labels}.")
_BLIND = N_("The names are shown after all videos are rated, or after Reveal.")
_ONE_BY_ONE = N_("Until then, each video plays on its own.")
_REVEAL_HELP = N_("Shows the name of each video now.")

#: The texts of the controls, by their keys in comparison.js.
_TEXTS = {
    "play": N_("Play"),
    "pause": N_("Pause"),
    "playHelp": N_("Space"),
    "back": N_("‹ Frame"),
    "backHelp": N_("Left arrow: one frame back"),
    "on": N_("Frame ›"),
    "onHelp": N_("Right arrow: one frame forward"),
    "time": N_("Time"),
    "loopFrom": N_("Loop start"),
    "loopFromHelp": N_("Starts the loop at the current time"),
    "loopTo": N_("Loop end"),
    "loopToHelp": N_("Ends the loop at the current time"),
    "noLoop": N_("No loop"),
    "noLoopHelp": N_("Play to the end"),
    "speed": N_("Speed"),
    "sound": N_("Sound"),
    "noSound": N_("none"),
    "wipe": N_("Wipe"),
    "wipeAt": N_("Wipe position"),
    "wipeUnder": N_("of"),
    "wipeOver": N_("and"),
    "loading": N_("Loading the videos: {percent} %"),
    "lost": N_("Video {letter} cannot be played: the file is missing, or the browser does not support it."),
}

#: The figures; the controls bring a style sheet of their own.
CSS = markup.read_css(__file__, "figures.css")


class Comparison(Composite):
    """Two to six videos with one set of controls: play, pause, step, seek, loop, speed, sound, wipe.

    While the widget has the focus, Space plays and pauses, and the arrow keys step by a frame. A video that
    cannot be played is reported, and the others play without it.

    Args:
        videos: tasks whose videos are saved, entries of a library, or mp4 files.
        labels: the caption of each video; by default what tells it from the others: the parameters in which
            tasks with the same prompt differ, else the prompt and model, or the file's name; and its cost.
        fps: the frame rate for the steps, in frames per second. By default that of the first video if av is
            installed (``[frames]``), else 30.
        blind: shuffle the videos, and show only letters until all tasks are rated here, or ``reveal()``.
        seed: the seed of the shuffle, to repeat an order.
        library: the library of the entries; by default that of the default manager, or ``qingbo_videos``.

    Attributes:
        videos: the videos as passed, in the order of their letters.
        ratings: the rating buttons of each task by its letter, if ``blind``.
        reveal_button: calls ``reveal``.
        is_blind: whether the labels are still hidden.

    Raises:
        ValueError: not 2 to 6 videos, or another number of labels.
        QingboError: a task has no video, or a file does not exist.
    """

    def __init__(
        self,
        videos: Sequence[Source],
        *,
        labels: Sequence[str] | None = None,
        fps: float | None = None,
        blind: bool = False,
        seed: int | None = None,
        library: Library | None = None,
    ) -> None:
        if not 2 <= len(videos) <= len(LETTERS):
            raise ValueError(tr(_HOW_MANY).format(number=len(videos)))
        if labels is not None and len(labels) != len(videos):
            raise ValueError(tr(_NOT_AS_MANY).format(videos=len(videos), labels=len(labels)))
        kind = _controller()
        order = list(range(len(videos)))
        if blind:
            random.Random(seed).shuffle(order)
        clips = clips_of(videos, library)
        self._clips = [clips[number] for number in order]
        self.videos = tuple(clip.source for clip in self._clips)
        self.is_blind = blind
        self._paths = [_path_of(clip) for clip in self._clips]
        captions = _captions(clips) if labels is None else list(labels)
        self._shared = shared_caption(clips) if labels is None else ""
        self._labels = [captions[number] for number in order]
        texts = {name: tr(text) for name, text in _TEXTS.items()}
        fps = fps or frame_rate(self._paths[0]) or 30.0
        self.controls = kind(count=len(videos), fps=fps, texts=texts)
        self._head, self._videos = ipywidgets.HTML(), ipywidgets.Output(layout={"margin": "0"})
        self._embed = embed_of(clips)
        embedding = held_by(self, self._embed)
        shown = figures(self._paths, self._visible_labels, embedding, synced=True)
        self._videos.outputs = (output_of(shown, self._plain_copy()),)
        self.ratings: dict[str, Any] = {}
        self._legend = ipywidgets.HTML()
        at_left = {"width": "auto", "align_self": "flex-start"}
        self.reveal_button = button(tr("Reveal"), tr(_REVEAL_HELP), self.reveal, layout=at_left)
        super().__init__(
            [self._head, self._videos, self.controls, *(self._rating_row() if blind else ())],
            layout={"overflow": "visible"},
        )
        self.add_class("qingbo")
        self.add_class("qingbo-comparison")
        self.add_class(SCRIPTS_CLASS)
        self.cell_output = CellOutput(self)
        styles = markup.style() + markup.style(CSS) + self.cell_output.style
        shared = Markup() if blind or not self._shared else markup.user_text(self._shared)
        self._head.value = styles + missing_script(tr(_ONE_BY_ONE)) + shared

    def reveal(self) -> None:
        """Show the label of each letter."""
        if not self.is_blind:
            return
        self.is_blind = False
        lines = [f"{letter}: {label}" for letter, label in zip(LETTERS, self._labels, strict=False)]
        with update(self._legend, self.reveal_button):
            # Shown below the controls, because redrawing the videos would restart them.
            self._legend.value = markup.join(markup.user_text(markup.plain_line(line)) for line in lines)
            self.reveal_button.disabled = True
        self.cell_output.set_copy(self._static_copy(), self._plain_copy())

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._legend, self.reveal_button)  # not in the page unless blind

    def _ipython_display_(self, **_: Any) -> None:
        self.cell_output.show(self._static_copy(), self._plain_copy())

    def _html_without_widgets(self) -> Markup:
        return self._static_copy()

    @property
    def _visible_labels(self) -> list[str]:
        return [""] * len(self._labels) if self.is_blind else self._labels

    def _static_copy(self) -> Markup:
        embedding = held_by(self, self._embed, is_copy=True)
        shown = figures(self._paths, self._visible_labels, embedding)
        if self._shared and not self.is_blind:
            shown = markup.user_text(self._shared) + shown
        return markup.style(CSS) + markup.tag("div", shown, class_=self.cell_output.copy_class)

    def _plain_copy(self) -> str:
        """Return the labels and files as plain text; file names would show which is which."""
        if self.is_blind:
            return tr("{number} videos").format(number=len(self.videos))
        return "\n".join(
            " · ".join(filter(None, (f"{letter}: {markup.plain_line(label)}", shown_path(path))))
            for letter, label, path in zip(LETTERS, self._labels, self._paths, strict=False)
        )

    def _rating_row(self) -> list[Any]:
        """Return the buttons that rate the tasks by letter, the one that reveals, and the legend."""
        for letter, clip in zip(LETTERS, self._clips, strict=False):
            if clip.library is not None:
                rating = self.ratings[letter] = rating_buttons(tr("Video {letter}").format(letter=letter))
                rating.style.description_width = "initial"
                rating.observe(partial(self._rate, clip.library, clip.key), "value")
        self._legend.value = markup.note(tr(_BLIND))
        return [*self.ratings.values(), self.reveal_button, self._legend]

    def _rate(self, library: Library, key: str, change: Any) -> None:
        library.judgements.rate(key, change["new"])
        if len(self.ratings) == len(self.videos) and all(
            buttons.value is not None for buttons in self.ratings.values()
        ):
            self.reveal()


def _captions(clips: Sequence[Clip]) -> list[str]:
    """Return what tells each video from the others, and what it has cost."""
    entries = [None if clip.library is None else clip.library.get(clip.key) for clip in clips]
    return [
        SEPARATOR.join(filter(None, (caption, *(() if entry is None else cost_texts(entry)))))
        for caption, entry in zip(captions_of(clips), entries, strict=True)
    ]


def figures(
    paths: Sequence[Path], labels: Sequence[str], embedding: Embedding, *, synced: bool = False
) -> Markup:
    """Return the videos side by side, as HTML for an output.

    Each has controls of its own; comparison.js takes them away when it controls all.

    Args:
        paths: the videos.
        labels: the caption of each, after its letter; empty for the letter alone.
        embedding: the videos that the output embeds.
        synced: whether comparison.js controls them, so they are loaded at once and muted.
    """
    items = []
    for letter, path, label in zip(LETTERS, paths, labels, strict=False):
        data, reason = embedded_url(path, embedding)
        # A picture behind the player is enough for one that the user starts.
        poster = poster_behind(path) if not synced and data is None else Markup()
        player = markup.tag(
            "video",
            src=data or relative_url(path),
            preload="none" if synced or poster else "metadata",  # comparison.js loads a few at a time
            poster=TRANSPARENT if poster else None,
            controls="",
            muted="" if synced else None,
            playsinline="",
            style=_STYLE + ratio_style(path),
            aria_label=tr("Video {letter}").format(letter=letter),
            onerror=uncover_next("this.parentElement") if data is None else None,
        )
        box = markup.tag("div", poster, player, style=_BOX)
        name = markup.plain_line(f"{letter}: {shorten(label, 120)}" if label else letter)
        lines = markup.user_text(name if len(paths) > 1 else label, "span")
        if data is None and (line := reason or reach_note(path)):
            lines += markup.Markup("<br>") + markup.text(line)
        caption = markup.tag("figcaption", lines, class_="qingbo-dim")
        items.append(markup.tag("figure", box, Markup() if data else not_loaded(), caption))
    return markup.block(markup.tag("div", *items, class_="qingbo-figures"))


def _path_of(clip: Clip) -> Path:
    path = clip.path
    if path is None:
        raise QingboError(tr(_NO_VIDEO).format(task=clip.task_id or clip.source))
    if not path.is_file():
        raise QingboError(tr(_NO_FILE).format(path=path))
    return path


@cache
def _controller() -> Any:
    import anywidget  # slow to import, and only needed by a comparison

    class Controls(anywidget.AnyWidget):
        """The controls of the comparison, which also synchronise the videos: comparison.js."""

        _esm = one_module(_SCRIPT)  # given a path, anywidget keeps every instance alive
        _css = markup.read_css(__file__, "comparison.css")
        count = Int(2, help="The number of videos.").tag(sync=True)
        fps = Float(30.0, help="The frame rate for the steps, in frames per second.").tag(sync=True)
        texts = Dict(help="The texts of the controls, by their keys in the script.").tag(sync=True)

    return Controls
