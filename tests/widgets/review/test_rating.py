"""``Rating``: rating, tags and note that cannot be saved."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.widgets.review.rating import Rating


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library with one judged task, whose journal belongs to a later version."""
    first = Library(tmp_path)
    first.add(Entry(key="a", service="sandbox"))
    first.judgements.rate("a", 5)
    first.close()
    with closing(sqlite3.connect(tmp_path / "library.sqlite")) as database, database:
        database.execute("update qingbo_version set version_num = '9.9.0'")
    return Library(tmp_path)


@pytest.mark.parametrize(("control", "value"), [("rating", 1), ("tags", "a, b"), ("note", "mine")])
def test_a_judgement_that_cannot_be_kept_is_taken_back(library: Library, control: str, value: object) -> None:
    """A control returns to the saved value, and the error is shown until the next video."""
    judged: list[int] = []
    panel = Rating(library.judgements, lambda: judged.append(1))
    panel.show("a")
    before = getattr(panel, control).value
    getattr(panel, control).value = value
    assert getattr(panel, control).value == before != value
    assert "9.9.0" in panel.children[-1].value
    assert judged == []
    assert library.judgements.of("a").rating == 5
    panel.show("a")
    assert panel.children[-1].value == ""
