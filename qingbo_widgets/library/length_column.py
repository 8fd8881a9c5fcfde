"""The column of the journal with the length of the video that a task asks for.

It is filled before it is needed, never when a task is written: resolving a request takes as long as
reading a hundred rows.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa

from ..exceptions import QingboError
from ..service.contract.models import DEFAULT_CONTRACT
from .journal.journal import Journal
from .journal.rows import Rows, text_of
from .journal.tables import row_id, tasks
from .lengths import seconds_of
from .request_templates import RequestColumns
from .untrusted import fields_of_request

__all__ = ["fill_lengths"]

logger = logging.getLogger("qingbo_widgets")

#: Rows to fill in one transaction, so that another kernel does not wait long for its turn to write.
_BATCH_SIZE = 5_000
#: Seconds to wait while another kernel writes; lengths that are not filled then count as not known.
_PATIENCE = 2.0
_LACKS_LENGTH = tasks.c.seconds.is_(None)
_FILL = tasks.update().where(_LACKS_LENGTH).values(seconds=sa.bindparam("length"))


def fill_lengths(journal: Journal) -> None:
    """Fill the column of the tasks that lack it, unless the journal cannot be written."""
    if not journal.exists:
        return
    try:
        while journal.read_only is None and _fill_batch(journal):
            pass
    except QingboError as error:
        logger.info("The lengths of the videos in %s are not all known: %s", journal.place, error)


def _fill_batch(journal: Journal) -> bool:
    """Fill some of the rows; return whether there may be more."""
    with journal.begin() as connection:
        this = row_id(connection)
        query = sa.select(this.label("this"), tasks.c.model, tasks.c.contract, tasks.c.request)
        # In this order, neighbouring rows of the table and of its indexes change together.
        query = query.where(_LACKS_LENGTH).order_by(tasks.c.submitted_at).limit(_BATCH_SIZE)
        if connection.execute(sa.select(this).where(_LACKS_LENGTH).limit(1)).first() is None:
            return False
        Rows(connection).set_lock_timeout(_PATIENCE)
        if connection.dialect.name == "sqlite":  # begins to write now, so that no row changes meanwhile
            connection.exec_driver_sql("UPDATE tasks SET seconds = NULL WHERE 0")
        found = connection.execute(query.with_for_update(skip_locked=True)).all()
        if not found:
            return False
        requests = RequestColumns(lambda entry: {"seconds": seconds_of(entry) or 0.0})
        for _, model, contract, request in found:
            fields = None if request is None else fields_of_request(request)
            requests.add(text_of(model), text_of(contract) or DEFAULT_CONTRACT, fields)
        lengths = requests.values("seconds")
        rows = [{"row": row[0], "length": length} for row, length in zip(found, lengths, strict=True)]
        changed = connection.execute(_FILL.where(this == sa.bindparam("row")), rows).rowcount
    return changed == len(found) == _BATCH_SIZE
