"""The tables of judgements and sweeps, which a journal now has from the start.

Version 0.1.0 created each of them when it was first needed, even if the journal was only read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0.2.0"
down_revision = "0.1.0"


def upgrade() -> None:
    """Create the missing tables and indexes."""
    op.create_table(
        "judgements",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("rating", sa.Integer),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("judged_at", sa.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "tags",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("tag", sa.String, primary_key=True),
        if_not_exists=True,
    )
    op.create_table(
        "preferences",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("better", sa.String, nullable=False),
        sa.Column("worse", sa.String, nullable=False),
        sa.Column("judged_at", sa.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "sweeps",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("service", sa.String, primary_key=True),
        sa.Column("axes", sa.JSON, nullable=False),
        sa.Column("skipped", sa.JSON, nullable=False),
        sa.Column("max_running", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "sweep_cells",
        sa.Column("sweep", sa.String, primary_key=True),
        sa.Column("service", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("key", sa.String),
        sa.Column("is_dropped", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    for table, column in (("judgements", "rating"), ("preferences", "better"), ("preferences", "worse")):
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
