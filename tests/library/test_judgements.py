"""Judgements: what a person thinks of the videos, kept beside the journal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgement, tags_in
from qingbo_widgets.library.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with three tasks."""
    library = Library(tmp_path / "videos")
    for key in "abc":
        library.add(Entry(key=key, service="sandbox"))
    return library


def test_a_judgement_is_kept(library: Library) -> None:
    """Rating, tags and note are there for the next kernel; the parts do not overwrite each other."""
    kept = library.judgements
    assert kept.of("a") == Judgement()
    kept.rate("a", 4)
    kept.tag("a", ["water", " koi  pond ", "water", ""])
    kept.note("a", " 很好 <b> ")
    again = Library(library.folder).judgements
    assert again.of("a") == Judgement(4, ("koi pond", "water"), "很好 <b>")
    assert again.of("b") == Judgement()


def test_a_judgement_can_be_taken_back(library: Library) -> None:
    """A rating becomes none, tags are replaced, a note emptied."""
    kept = library.judgements
    kept.rate("a", 0)
    kept.tag("a", ["x"])
    kept.note("a", "n")
    assert kept.of("a").rating == 0
    kept.rate("a", None)
    kept.tag("a", [])
    kept.note("a", "")
    assert kept.of("a") == Judgement()


@pytest.mark.parametrize("rating", [-1, 6, 2.5, "3"])
def test_a_rating_is_from_0_to_5(library: Library, rating: object) -> None:
    """Anything else is refused in words, and nothing is written."""
    with pytest.raises(ValueError, match="0 to 5"):
        library.judgements.rate("a", rating)  # type: ignore[arg-type]
    assert library.judgements.of("a") == Judgement()


def test_preferences_are_kept_in_their_order(library: Library) -> None:
    """Which of two was better, again and again; only pairs among the asked keys are told."""
    kept = library.judgements
    kept.prefer("a", "b")
    kept.prefer("b", "c")
    kept.prefer("a", "b")
    assert kept.preferences() == [("a", "b"), ("b", "c"), ("a", "b")]
    assert kept.preferences(["a", "b"]) == [("a", "b"), ("a", "b")]
    with pytest.raises(ValueError, match="itself"):
        kept.prefer("a", "a")


def test_looking_makes_no_journal(tmp_path: Path) -> None:
    """Where there is no library there are no judgements, and none is made by asking or judging."""
    kept = Library(tmp_path / "none").judgements
    kept.rate("a", 3)
    assert kept.of("a") == Judgement()
    assert kept.preferences() == []
    assert list(tmp_path.iterdir()) == []


def test_two_threads_judge_at_once(library: Library) -> None:
    """Two kernels that judge the same video for the first time neither fail nor lose a part."""

    def judge(number: int) -> None:
        own = Library(library.folder).judgements
        own.rate("a", number % 6) if number % 2 else own.note("a", f"note {number}")

    library.judgements.of("a")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(judge, range(12)))
    found = library.judgements.of("a")
    assert found.rating in (1, 3, 5)
    assert found.note.startswith("note ")


def test_tags_are_written_with_commas() -> None:
    """As people write them, in either script; blanks and doubles go."""
    assert tags_in(" koi, 水面，慢、 koi ,,") == ("koi", "慢", "水面")
