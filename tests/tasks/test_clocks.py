"""Coarse clocks, which advance in steps: 15.6 ms on Windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from qingbo_widgets.tasks import clocks

STEP = 15_625  # microseconds


class Coarse(datetime):
    """The Windows clock: the real time, rounded down to a step."""

    @classmethod
    def now(cls, tz=None):
        """Return the beginning of the current step."""
        now = datetime.now(tz)
        return now.replace(microsecond=now.microsecond // STEP * STEP)


@pytest.fixture
def coarse(monkeypatch):
    """Make the package's task timestamps use the coarse clock."""
    monkeypatch.setattr(clocks, "datetime", Coarse)


def test_no_moment_comes_twice(coarse):
    """All timestamps within one step differ, and none is far from the real time."""
    began = datetime.now(UTC)
    moments = [clocks.next_moment() for _ in range(1000)]
    assert all(one < other for one, other in pairwise(moments))
    early, late = timedelta(microseconds=STEP), timedelta(microseconds=1000)
    assert began - early <= moments[0]
    assert moments[-1] <= datetime.now(UTC) + late


def test_a_clock_that_is_set_back(monkeypatch):
    """A clock that was set back is used unchanged from then on."""
    times = [datetime(2001, 4, 1, hour, tzinfo=UTC) for hour in (12, 11, 11, 13)]

    class Set(datetime):
        @classmethod
        def now(cls, tz=None):
            return times.pop(0).astimezone(tz)

    monkeypatch.setattr(clocks, "datetime", Set)
    moments = [clocks.next_moment() for _ in range(4)]
    assert [moment.hour for moment in moments] == [12, 11, 11, 13]
    assert moments[2] - moments[1] == timedelta(microseconds=1)


def test_tasks_of_one_step_keep_their_order(coarse, make_manager):
    """Tasks keep the order of submission, in the manager and in the journal."""
    manager = make_manager()
    tasks = [manager.submit(prompt=f"koi {number}") for number in range(12)]
    assert manager.tasks == tuple(tasks)
    for task in tasks:
        while manager.library.get(task.key) is None:
            task.lifecycle.wait(0.01)
    assert [entry.key for entry in manager.library.entries()] == [task.key for task in reversed(tasks)]
    for task in tasks:
        task.cancel(wait=False)
