"""Judgements: the user's ratings, tags, notes and preferences, stored in the journal's database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgement, parse_tags
from qingbo_widgets.library.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library with three tasks."""
    library = Library(tmp_path / "videos")
    for key in "abc":
        library.add(Entry(key=key, service="sandbox"))
    return library


def test_a_judgement_is_kept(library: Library) -> None:
    """The next kernel reads the rating, tags and note; none of them overwrites another."""
    judgements = library.judgements
    assert judgements.of("a") == Judgement()
    judgements.rate("a", 4)
    judgements.tag("a", ["water", " koi  pond ", "water", ""])
    judgements.note("a", " 很好 <b> ")
    again = Library(library.folder).judgements
    assert again.of("a") == Judgement(4, ("koi pond", "water"), "很好 <b>")
    assert again.of("b") == Judgement()


def test_a_judgement_can_be_removed(library: Library) -> None:
    """A rating can be removed, tags can be replaced, and a note can be emptied."""
    judgements = library.judgements
    judgements.rate("a", 0)
    judgements.tag("a", ["x"])
    judgements.note("a", "n")
    assert judgements.of("a").rating == 0
    judgements.rate("a", None)
    judgements.tag("a", [])
    judgements.note("a", "")
    assert judgements.of("a") == Judgement()


@pytest.mark.parametrize("rating", [-1, 6, 2.5, "3"])
def test_a_rating_is_from_0_to_5(library: Library, rating: object) -> None:
    """Any other rating is rejected with a message, and nothing is written."""
    with pytest.raises(ValueError, match="0 to 5"):
        library.judgements.rate("a", rating)  # type: ignore[arg-type]
    assert library.judgements.of("a") == Judgement()


def test_preferences_are_kept_in_their_order(library: Library) -> None:
    """A pair may be judged repeatedly; only pairs among the requested keys are returned."""
    judgements = library.judgements
    judgements.prefer("a", "b")
    judgements.prefer("b", "c")
    judgements.prefer("a", "b")
    assert judgements.preferences() == [("a", "b"), ("b", "c"), ("a", "b")]
    assert judgements.preferences(["a", "b"]) == [("a", "b"), ("a", "b")]
    with pytest.raises(ValueError, match="itself"):
        judgements.prefer("a", "a")


def test_reading_creates_no_journal(tmp_path: Path) -> None:
    """A missing library has no judgements, and neither reading nor rating creates it; rating says so."""
    judgements = Library(tmp_path / "none").judgements
    changes = [
        lambda: judgements.rate("a", 3),
        lambda: judgements.tag("a", ["water"]),
        lambda: judgements.note("a", "mine"),
        lambda: judgements.prefer("a", "b"),
    ]
    for change in changes:
        with pytest.raises(QingboError, match=r"no journal .*none.*connect\(library=…\)"):
            change()
    assert judgements.of("a") == Judgement()
    assert judgements.preferences() == []
    assert list(tmp_path.iterdir()) == []


def test_two_threads_judge_at_once(library: Library) -> None:
    """Kernels that judge the same video for the first time neither fail nor lose a part."""

    def judge(number: int) -> None:
        own = Library(library.folder).judgements
        own.rate("a", number % 6) if number % 2 else own.note("a", f"note {number}")

    library.judgements.of("a")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(judge, range(12)))
    judgement = library.judgements.of("a")
    assert judgement.rating in (1, 3, 5)
    assert judgement.note.startswith("note ")


def test_tags_are_written_with_commas() -> None:
    """Western and Chinese commas separate tags; blanks and duplicates are removed."""
    assert parse_tags(" koi, 水面，慢、 koi ,,") == ("koi", "慢", "水面")
