"""Settings of a journal, available without SQLAlchemy."""

from __future__ import annotations

__all__ = ["JOURNAL", "PATIENCE", "UNFINISHED"]

#: The name of the journal's file.
JOURNAL = "library.sqlite"
#: Seconds to wait while another kernel writes.
PATIENCE = 30.0
#: The condition for a task that has not ended, or whose video is not saved yet. A database uses the index
#: ``ix_tasks_unfinished`` only for a query with exactly this condition, and without placeholders.
UNFINISHED = "status NOT IN ('completed', 'failed', 'cancelled') OR status = 'completed' AND file IS NULL"
