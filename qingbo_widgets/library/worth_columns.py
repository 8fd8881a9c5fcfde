"""The columns to sum for the worth of tasks: in the gallery and in ``Spending``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..service.contract.snapshot import TaskStatus
from .journal.tables import judgements, tasks
from .judgements import RATINGS
from .ledger import SETTLED
from .worth import KEPT

__all__ = ["IS_KEPT", "IS_VIDEO", "TIMED_COST", "TIMED_SECONDS"]

_IS_COMPLETED = tasks.c.status == TaskStatus.completed.value
_IS_TIMED = sa.and_(_IS_COMPLETED, tasks.c.seconds > 0, SETTLED > 0)
_RATED_HIGH = tasks.c.key.in_(
    sa.select(judgements.c.key).where(judgements.c.rating.between(KEPT, RATINGS[-1]))
)


def _number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.case((condition, 1), else_=0)


#: 1 for a task with a video, else 0.
IS_VIDEO = _number(_IS_COMPLETED)
#: 1 for a video that is worth keeping, else 0.
IS_KEPT = _number(sa.and_(_IS_COMPLETED, _RATED_HIGH))
#: The seconds of a video whose cost and length are known, and that cost.
TIMED_SECONDS = sa.case((_IS_TIMED, tasks.c.seconds), else_=0)
TIMED_COST = sa.case((_IS_TIMED, SETTLED), else_=0)
