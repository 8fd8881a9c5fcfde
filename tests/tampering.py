"""Changes to a journal that other programs make."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from qingbo_widgets.library.library import Library

__all__ = ["run"]


def run(library: Library, statement: str) -> None:
    """Change the journal as another program does."""
    with closing(sqlite3.connect(library.journal.path)) as database, database:
        database.execute(statement)
