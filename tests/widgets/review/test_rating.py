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


CHANGES = pytest.mark.parametrize(("control", "value"), [("rating", 1), ("tags", "a, b"), ("note", "mine")])


@CHANGES
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


@CHANGES
@pytest.mark.parametrize("what", ["removed", "replaced by a file", "damaged"])
def test_a_library_that_has_gone_lights_no_stars(
    tmp_path: Path, what: str, control: str, value: object
) -> None:
    """If the library is gone, a control returns to what it was, and the error names the folder."""
    folder = tmp_path / "films"
    library = Library(folder)
    library.add(Entry(key="a", service="sandbox"))
    library.judgements.rate("a", 4)
    library.judgements.tag("a", ["water"])
    panel = Rating(library.judgements, lambda: pytest.fail("nothing was saved"))
    panel.show("a")
    before = getattr(panel, control).value
    library.close()
    if what == "damaged":
        (folder / "library.sqlite").write_bytes(b"no database" * 1000)
    else:
        folder.rename(tmp_path / "elsewhere")
    if what == "replaced by a file":
        folder.write_text("a file", encoding="utf-8")
    getattr(panel, control).value = value
    assert getattr(panel, control).value == before != value
    assert (panel.rating.value, panel.tags.value, panel.note.value) == (4, "water", "")
    assert "films" in panel.children[-1].value
    assert "connect(library=…)" in panel.children[-1].value
    if what == "removed":
        (tmp_path / "elsewhere").rename(folder)
        panel = Rating(library.judgements, lambda: None)
        panel.show("a")
        getattr(panel, control).value = value
        assert getattr(panel, control).value == value
        assert panel.children[-1].value == ""
    library.close()
