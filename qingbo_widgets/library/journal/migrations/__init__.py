"""The migrations of the journal; see README.md in this folder."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["configuration", "upgrade"]

#: Alembic stores the running migration in module variables.
_one_at_a_time = threading.Lock()


def upgrade(connection: sa.Connection) -> None:
    """Run every migration that a journal lacks, in the current transaction of the connection."""
    config = configuration()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")


def configuration() -> Config:
    """Return Alembic's configuration, which finds the migrations in this folder."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
