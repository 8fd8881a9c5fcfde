"""Changes to a journal by another program."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from qingbo_widgets.library.library import Library

__all__ = ["run"]


def run(library: Library, statement: str) -> None:
    """Run an SQL statement on the journal, outside the library."""
    with closing(sqlite3.connect(library.journal.path)) as database, database:
        database.execute(statement)
