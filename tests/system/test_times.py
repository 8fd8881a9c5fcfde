"""Times carry their zone, because an output is read later, and elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from qingbo_widgets.system.times import local_time

MOMENT = datetime(2026, 11, 29, 14, 4, 7, tzinfo=UTC)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Yield a function that sets the zone of this computer."""
    if sys.platform == "win32":
        pytest.skip("Windows has no time.tzset()")

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("UTC0", "2026-11-29 14:04 UTC"),
        ("CST-8", "2026-11-29 22:04 UTC+8"),
        ("IST-5:30", "2026-11-29 19:34 UTC+5:30"),
        ("NST3:30", "2026-11-29 10:34 UTC-3:30"),
        ("HST10", "2026-11-29 04:04 UTC-10"),
    ],
)
def test_a_time_carries_its_zone(zone: Callable[[str], None], name: str, shown: str) -> None:
    """A time is shown in the computer's zone, with the offset from UTC, full hours or not."""
    zone(name)
    assert local_time(MOMENT) == shown


def test_seconds_are_shown_where_they_help(zone: Callable[[str], None]) -> None:
    """The time of a submission that is looked for in a list has seconds."""
    zone("CST-8")
    assert local_time(MOMENT, seconds=True) == "2026-11-29 22:04:07 UTC+8"
