"""The length of the video that a task asks for, and its column in the journal.

The column is filled before it is needed, never when a task is written: resolving a request takes as long as
reading a hundred rows.
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa

from ..exceptions import QingboError
from ..service.contract.models import DEFAULT_CONTRACT
from .dataframe import request_columns
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import Rows, text_of
from .journal.tables import row_id, tasks
from .request_templates import RequestColumns
from .requests import readable_part_of
from .untrusted import fields_of_request

__all__ = ["fill_lengths", "seconds_of"]

logger = logging.getLogger("qingbo_widgets")

#: Rows to fill in one transaction, so that another kernel does not wait long for its turn to write.
_BATCH_SIZE = 5_000
#: Seconds to wait while another kernel writes; lengths that are not filled then count as not known.
_PATIENCE = 2.0
#: The most seconds that are taken for the length of a video, and not for damage.
_LONGEST = 86_400
_LACKS_LENGTH = tasks.c.seconds.is_(None)
_FILL = tasks.update().where(_LACKS_LENGTH).values(seconds=sa.bindparam("length"))


def seconds_of(entry: Entry) -> float | None:
    """Return the seconds that a request asks for; ``None`` if the model or an input video decides them."""
    return _seconds(entry) or None


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
        requests = RequestColumns(lambda entry: {"seconds": _seconds(entry)})
        for _, model, contract, request in found:
            fields = None if request is None else fields_of_request(request)
            requests.add(text_of(model), text_of(contract) or DEFAULT_CONTRACT, fields)
        lengths = requests.values("seconds")
        rows = [{"row": row[0], "length": length} for row, length in zip(found, lengths, strict=True)]
        changed = connection.execute(_FILL.where(this == sa.bindparam("row")), rows).rowcount
    return changed == len(found) == _BATCH_SIZE


def _seconds(entry: Entry) -> float:
    """Return the length; 0 if it is not known."""
    if entry.request is None:
        return 0.0
    value: Any = request_columns(readable_part_of(entry), entry.contract)["duration"]
    is_length = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LONGEST
    return float(value) if is_length else 0.0
