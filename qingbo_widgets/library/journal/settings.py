"""Settings of a journal, available without SQLAlchemy."""

from __future__ import annotations

__all__ = ["JOURNAL", "PATIENCE"]

#: The name of the journal's file.
JOURNAL = "library.sqlite"
#: Seconds to wait while another kernel writes.
PATIENCE = 30.0
