"""The length of the requested video, and the index for the cost and the cost of a second.

The column stays NULL here: ``length_column`` fills it before it is needed.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0.2.0_6"
down_revision = "0.2.0_5"

_NEWEST = sa.text("submitted_at DESC")
_LACKS_SECONDS = sa.text("seconds IS NULL")


def upgrade() -> None:
    """Add the column and the indexes that are missing."""
    existing = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("tasks")}
    if "seconds" not in existing:
        op.add_column("tasks", sa.Column("seconds", sa.Float))
    columns: list[Any] = ["contract", "cost", _NEWEST, "key", "status", "model", "mode", "seconds"]
    op.create_index("ix_tasks_cost", "tasks", columns, if_not_exists=True)
    op.create_index(
        "ix_tasks_seconds",
        "tasks",
        ["submitted_at"],
        if_not_exists=True,
        sqlite_where=_LACKS_SECONDS,
        postgresql_where=_LACKS_SECONDS,
    )
