"""``CellLine``: a rating that cannot be saved."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.widgets.sweep.cell_line import CellLine


def test_a_rating_that_cannot_be_saved_is_taken_back(tmp_path: Path) -> None:
    """The buttons show the saved rating again, and the grid gets the error."""
    first = Library(tmp_path)
    first.add(Entry(key="a", service="sandbox"))
    first.judgements.rate("a", 5)
    first.close()
    with closing(sqlite3.connect(tmp_path / "library.sqlite")) as database, database:
        database.execute("update qingbo_version set version_num = '9.9.0'")
    errors: list[str] = []

    def act(action: Callable[[], object]) -> None:
        try:
            action()
        except QingboError as error:
            errors.append(str(error))

    line = CellLine(Library(tmp_path).judgements, "a", act, lambda: None)
    line.offer_rating()
    assert line.rating.value == 5
    line.rating.value = 1
    assert line.rating.value == 5, "a rating that is not in the library is shown"
    (error,) = errors
    assert "9.9.0" in error
