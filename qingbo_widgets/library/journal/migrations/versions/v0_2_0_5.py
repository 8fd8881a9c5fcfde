"""The tables of the amounts that submissions reserve, and of the folder's budget."""

import sqlalchemy as sa
from alembic import op

revision = "0.2.0_5"
down_revision = "0.2.0_4"


def upgrade() -> None:
    """Add the tables that are missing."""
    existing = sa.inspect(op.get_bind()).get_table_names()
    if "ledger" not in existing:
        op.create_table(
            "ledger",
            sa.Column("key", sa.String, primary_key=True),
            sa.Column("service", sa.String, nullable=False),
            sa.Column("holder", sa.String),
            sa.Column("at", sa.Float, nullable=False),
            sa.Column("price", sa.Integer),
            sa.Column("source", sa.String, nullable=False),
            sa.Column("price_at", sa.Float),
            sa.Column("is_open", sa.Boolean, nullable=False),
            sa.Column("settled", sa.Integer),
            sa.Column("contract", sa.String),
            sa.Column("model", sa.String),
            sa.Column("submitted_at", sa.Float),
        )
    if "budgets" not in existing:
        op.create_table(
            "budgets",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("usd", sa.String, nullable=False),
            sa.Column("per", sa.String, nullable=False),
            sa.Column("unknown", sa.String, nullable=False),
        )
