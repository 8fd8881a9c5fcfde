"""``Pairwise``: choices between two videos, and the ranking computed from them."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import ipywidgets

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...library.entry import Entry
from ...library.library import Library
from ...library.ranking import Ranked, rank
from ...library.worth import Video, Worth, worth_of
from ...media.posters import read_small
from ...tasks.sweep.labels import SEPARATOR
from ...tasks.task import Task
from ..base import html as markup
from ..base.build import button
from ..base.captions import captions_of, shared_prompt
from ..base.clicks import DOUBLE_CLICK
from ..base.clips import Clip, clips_of, embed_of
from ..base.composite import Composite
from ..base.embedding import held_by
from ..base.html import Markup
from ..base.keys import KEYS_CLASS, PLAY, make_keys
from ..base.output import CellOutput
from ..base.player import output_of
from ..base.posters import poster_html
from ..base.sync import update
from .comparison import CSS, figures
from .costs import KEPT_HELP, video_of

__all__ = ["Pairwise"]

_QUESTION = N_("Which is better? Keys: ← A, → B, ↓ another pair; space plays both.")
_HIDDEN = N_("Names are hidden until the ranking.")
_FEW = N_("A ranking needs at least two saved videos of one library.")
_RANKING_HELP = N_("Shows the names, and the order with its uncertainty.")
_COUNTED = N_("Answers so far: {number}")
_TOO_SOON = N_("Not counted: the pair was shown for less than a second. Choose again.")


class Pairwise(Composite):
    """Two anonymous videos at a time, of which the user chooses the better; answers are saved in the library.

    The next pair is one of those shown the fewest times, with random sides.

    Args:
        tasks: the tasks, or the entries of a library, whose videos are ranked.
        seed: the seed of the random choices, to repeat a sequence of pairs.
        library: the library of the entries; by default that of the default manager, or ``qingbo_videos``.

    Attributes:
        pair: the tasks shown, left and right.

    Raises:
        QingboError: fewer than two tasks with a video, or tasks of several libraries.
    """

    def __init__(
        self, tasks: Sequence[Task | Entry], *, seed: int | None = None, library: Library | None = None
    ) -> None:
        self._clips = {clip.key: clip for clip in clips_of(tasks, library)}
        libraries = {
            clip.library.journal.place: clip.library for clip in self._clips.values() if clip.library
        }
        if len(self._clips) < 2 or len(libraries) != 1 or not all(map(_is_saved, self._clips.values())):
            raise QingboError(tr(_FEW))
        self._judgements = next(iter(libraries.values())).judgements
        self._random = random.Random(seed)
        self._pair: tuple[str, str] | None = None
        self._shown_at = 0.0
        self._head, self._table = ipywidgets.HTML(), ipywidgets.HTML()
        self._prompt, self._remark = ipywidgets.HTML(), ipywidgets.HTML()
        self._videos = ipywidgets.Output(layout={"margin": "0"})
        self._videos.add_class(PLAY)
        # By letters: on a narrow page, the videos stand one above the other.
        left, right, other = tr("A is better"), tr("B is better"), tr("Another pair")
        self.left_button = button(left, tr("Left arrow"), lambda: self._on_key("ArrowLeft"))
        self.right_button = button(right, tr("Right arrow"), lambda: self._on_key("ArrowRight"))
        self.skip_button = button(other, tr("Down arrow"), lambda: self._on_key("ArrowDown"))
        self.ranking_button = button(tr("Ranking"), tr(_RANKING_HELP), self._show_ranking)
        self._counted = ipywidgets.HTML(layout={"margin": "0 10px"})
        buttons = ipywidgets.HBox(
            [self.left_button, self.right_button, self.skip_button, self.ranking_button, self._counted],
            layout={"flex_flow": "row wrap", "align_items": "center", "margin": "6px 0"},
        )
        keys = make_keys(("ArrowLeft", "ArrowRight", "ArrowDown"), self._on_key, here={" ": PLAY})
        super().__init__(
            [self._head, self._prompt, self._videos, buttons, self._remark, self._table, *keys],
            layout={"overflow": "visible"},
        )
        for name in ("qingbo", "qingbo-comparison", KEYS_CLASS):
            self.add_class(name)
        self.cell_output = CellOutput(self)
        intro = markup.tag(
            "div", markup.span(tr(_QUESTION)), Markup(" "), markup.span(tr(_HIDDEN), "qingbo-dim")
        )
        self._head.value = markup.style() + markup.style(CSS) + self.cell_output.style + intro
        self.skip()

    @property
    def pair(self) -> tuple[Any, Any] | None:
        """The tasks or entries shown, left and right."""
        if self._pair is None:
            return None
        left, right = self._pair
        return self._clips[left].source, self._clips[right].source

    def choose(self, side: int) -> None:
        """Record that the left (0) or right (1) video is better, and show another pair."""
        if self._pair is not None:
            self._judgements.prefer(self._pair[side], self._pair[1 - side])
            self.skip()

    def skip(self) -> None:
        """Show another pair, one of those shown the fewest times."""
        answers = self._judgements.preferences(self._clips.keys())
        seen = Counter(frozenset(pair) for pair in answers)
        shown = frozenset(self._pair or ())
        pairs = [pair for pair in combinations(self._clips, 2) if frozenset(pair) != shown]
        pairs = pairs or list(combinations(self._clips, 2))
        fewest = min(seen[frozenset(pair)] for pair in pairs)
        left, right = self._random.choice([pair for pair in pairs if seen[frozenset(pair)] == fewest])
        if self._random.random() < 0.5:
            left, right = right, left
        self._pair = left, right
        paths = [path for key in self._pair if (path := self._clips[key].path) is not None]
        embedding = held_by(self, embed_of(list(self._clips.values())))
        embedding.clear()
        with update(self._prompt, self._videos, self._counted, self._remark, self._table):
            self._prompt.value = markup.user_text(shared_prompt([self._clips[key] for key in self._pair]))
            self._videos.outputs = (output_of(figures(paths, ("", ""), embedding), tr("Two videos")),)
            self._counted.value = markup.span(tr(_COUNTED).format(number=len(answers)), "qingbo-dim")
            self._remark.value = self._table.value = ""
        self._shown_at = time.monotonic()

    def ranking(self) -> list[Ranked]:
        """Return the tasks by strength, best first, each with its uncertainty and its cost.

        Raises:
            ImportError: choix is not installed (``[judging]``).
        """
        ranked = rank(list(self._clips), self._judgements.preferences(self._clips.keys()))
        entries = self._entries()
        return [
            replace(item, worth=worth_of([video_of(entry)], entry.contract))
            if (entry := entries.get(item.key)) is not None and entry.cost is not None
            else item
            for item in ranked
        ]

    def _ipython_display_(self, **_: Any) -> None:
        text = tr("Pairwise comparison. Run this cell in a notebook to show it.")
        self.cell_output.show(markup.block(markup.note(text), class_=self.cell_output.copy_class), text)

    def _on_key(self, key: str) -> None:
        chosen = {"ArrowLeft": lambda: self.choose(0), "ArrowRight": lambda: self.choose(1)}
        self._answer(chosen.get(key, self.skip))

    def _answer(self, act: Callable[[], object]) -> None:
        """Act on an answer. The second of a double click is not counted: the user has not seen that pair."""
        if time.monotonic() - self._shown_at < DOUBLE_CLICK:
            with update(self._remark):
                self._remark.value = markup.note(tr(_TOO_SOON), "hint")
            return
        try:
            act()
        except QingboError as error:  # a read-only library
            with update(self._table):
                self._table.value = markup.note(error, "alarm")

    def _show_ranking(self) -> None:
        try:
            html = self._ranking_html(self.ranking())
        except ImportError as error:
            html = markup.note(error, "hint")
        with update(self._remark, self._table):
            self._remark.value = ""
            self._table.value = html

    def _ranking_html(self, ranked: Sequence[Ranked]) -> Markup:
        number = markup.tag("th", markup.text("#"))
        video = markup.tag("th", markup.text(tr("Video")), colspan="2")  # picture and name
        has_costs = any(item.worth is not None for item in ranked)
        figures_of = (tr("Strength"), tr("Wins"), tr("Losses"), *(_heads_of_costs() if has_costs else ()))
        rows = [
            markup.tag("tr", number, video, *(markup.tag("th", markup.text(text)) for text in figures_of))
        ]
        captions = dict(zip(self._clips, captions_of(list(self._clips.values())), strict=True))
        for place, item in enumerate(ranked, 1):
            clip = self._clips[item.key]
            title = captions[item.key]
            if clip.request is None:  # only the id says which it is
                title = SEPARATOR.join(filter(None, (title, clip.task_id)))
            picture = None if clip.path is None else read_small(clip.path)
            strength = round(item.strength, 2) + 0.0  # no "-0.00"
            costs = _costs_of(item.worth) if has_costs else ()
            cells = (title, f"{strength:+.2f} ± {item.error:.2f}", item.wins, item.losses, *costs)
            texts = [markup.tag("td", markup.text(cell)) for cell in (place, *cells)]
            rows.append(markup.tag("tr", texts[0], markup.tag("td", poster_html(picture)), *texts[1:]))
        table = markup.tag("table", *rows, class_="qingbo-ranking")
        models = self._models_html() if has_costs else Markup()
        return markup.tag("div", table, models, style="overflow-x: auto")

    def _entries(self) -> dict[str, Entry]:
        """Return the rows of the tasks by key, with what they have cost."""
        library = next(clip.library for clip in self._clips.values() if clip.library is not None)
        found = ((key, library.get(key)) for key in self._clips)
        return {key: entry for key, entry in found if entry is not None}

    def _models_html(self) -> Markup:
        """Return what each model was worth, if there are several."""
        entries = self._entries()
        ratings = self._judgements.of_all(list(entries))
        groups: dict[tuple[str, str], list[Video]] = {}
        for key, entry in entries.items():
            video = video_of(entry, ratings[key].rating)
            groups.setdefault((entry.model, entry.contract), []).append(video)
        if len({model for model, _ in groups}) < 2:
            return Markup()
        heads = (tr("Model"), tr("Videos"), *_heads_of_costs(), tr("Kept"), tr("A kept video"))
        rows = [markup.tag("tr", *(markup.tag("th", markup.text(head)) for head in heads))]
        for (model, contract), videos in groups.items():
            worth = worth_of(videos, contract)
            kept = worth.average_text(worth.per_kept)
            cells = (model, worth.tasks, *_costs_of(worth), worth.kept, kept)
            rows.append(markup.tag("tr", *(markup.tag("td", markup.text(cell)) for cell in cells)))
        note = markup.note(tr(KEPT_HELP))
        return markup.tag("table", *rows, class_="qingbo-worth") + note


def _heads_of_costs() -> tuple[str, str]:
    return tr("Cost"), tr("A second")


def _costs_of(worth: Worth | None) -> tuple[str, str]:
    return ("", "") if worth is None else (worth.text(worth.quota), worth.average_text(worth.per_second))


def _is_saved(clip: Clip) -> bool:
    return clip.path is not None and clip.path.is_file()
