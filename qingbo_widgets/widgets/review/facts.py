"""The facts on a tile: what a user wants to know of a video before opening it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...library.other_videos import saved_beside
from ...library.requests import readable_part_of
from ...service.contract.status_names import status_label
from ...service.contract.text import shorten
from ...system.video_files import VIDEO_SUFFIXES
from ...tasks.sweep.labels import SEPARATOR
from ..base.captions import differences
from ..base.settings import settings_of
from .costs import cost_texts

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.judgements import Judgement
    from ...library.library import Library

__all__ = ["Facts", "facts_of", "stars"]

_HIDDEN = N_("Not rated yet")


@dataclass(frozen=True)
class Facts:
    """The texts of one tile.

    Attributes:
        title: the prompt.
        lines: the rating or status with length and shape, the model and day, and if they are known the cost
            and the cost of a second.
        difference: how the task differs from others of the page with the same prompt.
        count: the number of saved videos.
    """

    title: str
    lines: tuple[str, ...]
    difference: str = ""
    count: int = 1


def facts_of(page: Sequence[tuple[Entry, Judgement]], library: Library, *, blind: bool) -> dict[str, Facts]:
    """Return the facts of each task of a page by its key; ``blind`` hides those of unrated tasks."""
    is_hidden = {entry.key: blind and judgement.rating is None for entry, judgement in page}
    folder, names = library.folder, _names(library.folder)
    different = differences((entry for entry, _ in page if not is_hidden[entry.key]), library)
    return {
        entry.key: _hidden(entry, judgement)
        if is_hidden[entry.key]
        else _facts(entry, judgement, different.get(entry.key, ""), _count(entry, folder, names))
        for entry, judgement in page
    }


def stars(rating: int | None) -> str:
    """Return a rating as stars; empty if there is none."""
    return "" if rating is None else "★" * rating + "☆" * (5 - rating)


def _hidden(entry: Entry, judgement: Judgement) -> Facts:
    return Facts(tr(_HIDDEN), (_line(stars(judgement.rating), _status(entry)),))


def _facts(entry: Entry, judgement: Judgement, difference: str, count: int) -> Facts:
    length = shape = ""
    if entry.request is not None:
        sent = settings_of(readable_part_of(entry), entry.contract)
        length, shape = sent.length, sent.shape
    named = difference.split(SEPARATOR)
    length, shape, model = ("" if text in named else text for text in (length, shape, entry.model))
    lines = (
        _line(stars(judgement.rating), _status(entry), length, shape),
        _line(model, f"{entry.submitted_at.astimezone():%Y-%m-%d}"),
        _line(*cost_texts(entry)),
    )
    return Facts(
        shorten(entry.prompt or entry.task_id or entry.model, 140),
        tuple(line for line in lines if line),
        difference,
        count,
    )


def _count(entry: Entry, folder: Path, names: frozenset[str]) -> int:
    """Return the number of saved videos of a task; ``names`` are those of the files in the folder."""
    if not entry.file:
        return 1
    video = folder / Path(entry.file).name
    others = (f"{video.stem}-{number}{suffix}" for number in (1, 2) for suffix in VIDEO_SUFFIXES)
    # Each test for a file is several system calls, and most tasks have one video.
    return 1 + len(saved_beside(video)) if not names.isdisjoint(others) else 1


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208  # faster, and a library has thousands of files
    except OSError:  # there is no folder yet
        return frozenset()


def _status(entry: Entry) -> str:
    return "" if entry.file else status_label(entry.status)


def _line(*parts: str) -> str:
    return SEPARATOR.join(part for part in parts if part)
