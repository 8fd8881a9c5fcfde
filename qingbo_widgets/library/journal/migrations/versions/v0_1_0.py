"""The table of tasks, as version 0.1.0 created it. Journals of that version have it, but no revision."""

import sqlalchemy as sa
from alembic import op

revision = "0.1.0"
down_revision = None


def upgrade() -> None:
    """Create the missing parts: a kernel may have been killed between the table and its indexes."""
    op.create_table(
        "tasks",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("task_id", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("request", sa.JSON),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("submitted_at", sa.Float, nullable=False),
        sa.Column("created_at", sa.Float),
        sa.Column("completed_at", sa.Float),
        sa.Column("file", sa.String),
        sa.Column("error", sa.JSON),
        sa.Column("cost", sa.Integer),
        sa.Column("holder", sa.String),
        sa.Column("held_until", sa.Float),
        if_not_exists=True,
    )
    for column in ("task_id", "submitted_at"):
        op.create_index(f"ix_tasks_{column}", "tasks", [column], if_not_exists=True)
