"""Costs of videos in the gallery, in the ranking and in a comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.ranking import Ranked
from qingbo_widgets.widgets.review import pairwise as pairwise_module
from qingbo_widgets.widgets.review.comparison import Comparison
from qingbo_widgets.widgets.review.gallery import Gallery
from qingbo_widgets.widgets.review.pairwise import Pairwise
from tests.widgets.page import html_of, outputs_of, text_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library with three rated videos of two models."""
    library = Library(tmp_path / "videos")
    for minute, (model, cost, rating) in enumerate(
        [("kling-v3", 189_000, 5), ("kling-v3", 189_000, 2), ("veo3.1-fast", 288_000, 4)]
    ):
        request = {"model": model, "prompt": f"A koi {minute}", "duration": 5}
        columns: dict[str, Any] = {"contract": "2026-11", "status": "completed", "file": f"{minute}.mp4"}
        at = NOON + timedelta(minutes=minute)
        service = "https://api.qingbo.ai/v1"
        library.add(
            Entry(str(minute), service, model=model, request=request, cost=cost, submitted_at=at, **columns)
        )
        library.judgements.rate(str(minute), rating)
        (library.folder / f"{minute}.mp4").write_bytes(b"")
    return library


def test_a_selection_says_what_it_is_worth(library: Library) -> None:
    """With a filter, the line of the number of tasks has their cost; without one, or blind, it has not."""
    gallery = Gallery(library)
    assert "kept" not in text_of(gallery.pager)
    gallery.filters.controls["model"].value = "kling-v3"
    assert "2 videos · $0.756 · $0.0756 a second · 1 kept: $0.756 each" in text_of(gallery.pager)
    gallery.open_video("1")
    assert "$0.0756 a second" in text_of(gallery.opened)
    gallery.opened.judgement.press("4")
    assert "2 kept: $0.378 each" in text_of(gallery.pager), "a new rating did not change the sum"
    gallery.filters.clear()
    assert "kept" not in text_of(gallery.pager)
    gallery.close()
    blind = Gallery(library, blind=True)
    blind.filters.controls["rating"].value = 0
    assert "$" not in text_of(blind.pager), "the cost says which model it is"
    blind.close()


def test_the_filter_offers_what_occurs(library: Library) -> None:
    """Only amounts that leave out some of the videos are offered."""
    gallery = Gallery(library)
    control = gallery.filters.controls["max_cost"]
    assert [text for text, _ in control.options] == ["all", "$0.50 or less"]
    control.value = Decimal("0.5")
    assert gallery.total == 2
    gallery.close()


def test_the_ranking_has_costs(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each video has its cost beside its strength, and each model what it was worth."""
    monkeypatch.setattr(
        pairwise_module, "rank", lambda keys, _: [Ranked(key, 0.0, 1.0, 0, 0) for key in keys]
    )
    entries = library.entries()
    chooser = Pairwise(entries, library=library)
    assert "$" not in html_of(chooser)
    worth = chooser.ranking()[0].worth
    assert worth is not None
    assert (worth.quota, worth.per_second) == (288_000, 57_600)
    chooser.ranking_button.click()
    ranking, _, models = html_of(chooser).partition("qingbo-worth")
    assert "<td>$0.576</td><td>$0.115</td>" in plain(ranking)
    assert "<td>kling-v3</td><td>2</td><td>$0.756</td><td>$0.0756</td><td>1</td><td>$0.756</td>" in plain(
        models
    )
    chooser.close()


def test_a_comparison_has_costs(library: Library) -> None:
    """A caption has the cost, but not while the names are hidden."""
    entries = library.entries()[1:]
    comparison = Comparison(entries, library=library, fps=30)
    assert "$0.378 · $0.0756 a second" in plain("".join(outputs_of(comparison)))
    comparison.close()
    blind = Comparison(entries, library=library, fps=30, blind=True)
    assert "a second" not in "".join(outputs_of(blind))
    blind.close()


def plain(html: str) -> str:
    """Return HTML without the elements around signs that a page could take for a formula."""
    return html.replace("<span>$</span>", "$")
