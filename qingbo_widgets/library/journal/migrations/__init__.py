"""The steps from one journal to the next; see README.md here."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["configuration", "upgrade"]

#: Alembic keeps the migration under way in variables of its modules.
_one_at_a_time = threading.Lock()


def upgrade(connection: sa.Connection) -> None:
    """Take every step that a journal lacks, in the transaction that the connection is in."""
    config = configuration()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")


def configuration() -> Config:
    """Return Alembic's configuration, which finds the steps in this folder."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
