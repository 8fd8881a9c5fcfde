"""The column for the contract that a task was submitted under. Rows without it are from 2026-04."""

import sqlalchemy as sa
from alembic import op

revision = "0.2.0_2"
down_revision = "0.2.0"


def upgrade() -> None:
    """Add the column if it is missing."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("tasks")}
    if "contract" not in columns:
        op.add_column("tasks", sa.Column("contract", sa.String))
