"""``Verdict``: rating, tags and note, where they cannot be kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.widgets.review.rating import Verdict


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with one judged task, that a later version has taken over."""
    first = Library(tmp_path)
    first.add(Entry(key="a", service="sandbox"))
    first.judgements.rate("a", 5)
    first.close()
    with closing(sqlite3.connect(tmp_path / "library.sqlite")) as database, database:
        database.execute("update qingbo_version set version_num = '9.9.0'")
    return Library(tmp_path)


@pytest.mark.parametrize(("control", "value"), [("rating", 1), ("tags", "a, b"), ("note", "mine")])
def test_a_judgement_that_cannot_be_kept_is_taken_back(library: Library, control: str, value: object) -> None:
    """The controls return to the saved values, and the error stays below until another video is shown."""
    judged: list[int] = []
    verdict = Verdict(library.judgements, lambda: judged.append(1))
    verdict.show("a")
    before = getattr(verdict, control).value
    getattr(verdict, control).value = value
    assert getattr(verdict, control).value == before != value
    assert "9.9.0" in verdict.children[-1].value
    assert judged == []
    assert library.judgements.of("a").rating == 5
    verdict.show("a")
    assert verdict.children[-1].value == ""
