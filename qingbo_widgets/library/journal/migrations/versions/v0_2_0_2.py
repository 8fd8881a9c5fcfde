"""A task's row says which of the service's contracts carried it. Rows from before are of 2026-04."""

import sqlalchemy as sa
from alembic import op

revision = "0.2.0_2"
down_revision = "0.2.0"


def upgrade() -> None:
    """Add the column, unless it is there."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("tasks")}
    if "contract" not in columns:
        op.add_column("tasks", sa.Column("contract", sa.String))
