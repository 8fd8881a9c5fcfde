"""Settings of a journal, known without SQLAlchemy."""

from __future__ import annotations

__all__ = ["JOURNAL", "PATIENCE"]

#: The name of its file.
JOURNAL = "library.sqlite"
#: Seconds to wait while another kernel writes.
PATIENCE = 30.0
