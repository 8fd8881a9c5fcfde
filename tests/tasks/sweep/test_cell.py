"""The duration of a sweep's cell, in the column ``seconds``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.sweep.cell import duration_of

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_the_duration_with_a_service_whose_clock_is_hours_off(hours: int) -> None:
    """The seconds of a cell are those from the submission to the end, whatever the service's clock shows."""
    created = NOON + timedelta(hours=hours)
    end = created + timedelta(seconds=72)
    task: Any = SimpleNamespace(
        request=VideoRequest(prompt="A koi"),
        submitted_at=NOON,
        created_at=created,
        completed_at=end,
        status=TaskStatus.completed,
    )
    assert duration_of(task) == 72
    task.status = TaskStatus.failed
    assert duration_of(task) is None
