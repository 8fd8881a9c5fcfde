"""The columns for the quota that is reserved for a task, its billing, and the time of its first submission.

Rows without them are from contract 2026-04, which reports neither, or were submitted once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0.2.0_3"
down_revision = "0.2.0_2"

_COLUMNS = {"frozen": sa.Integer, "billing_status": sa.String, "first_submitted_at": sa.Float}


def upgrade() -> None:
    """Add the columns that are missing."""
    existing = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("tasks")}
    for name in _COLUMNS.keys() - existing:
        op.add_column("tasks", sa.Column(name, _COLUMNS[name]))
