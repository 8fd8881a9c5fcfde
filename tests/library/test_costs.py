"""Orders and filters by cost, and what a selection is worth, in SQLite and in PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal.tables import tasks
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.search import Selection, choices, select, worths
from qingbo_widgets.library.spending import spending_of

SERVICE = "https://api.qingbo.ai/v1"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROWS: dict[str, dict[str, Any]] = {
    "short": {"cost": 200_000, "request": {"duration": 5}},
    "long": {"cost": 300_000, "request": {"duration": 10}},
    "shots": {
        "cost": 450_000,
        "request": {"shots": [{"prompt": "a", "duration": 2}, {"prompt": "b", "duration": 3}]},
    },
    "default": {"cost": 100_000},
    "refunded": {"cost": 0, "status": "failed"},
    "unknown": {},
    "units": {"cost": 999_999, "contract": "2026-04"},
    "resumed": {"cost": 250_000, "request": None},
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Yield a library in each kind of database with tasks of every kind of cost and length."""
    url = request.getfixturevalue("postgresql_url")() if request.param == "postgresql" else None
    with closing(Library(tmp_path / "videos", database=url)) as library:
        for minute, (key, columns) in enumerate(ROWS.items()):
            add(library, key, minute, **columns)
        yield library


def add(library: Library, key: str, minute: int, **columns: Any) -> None:
    """Add a finished task of contract 2026-11."""
    fields = {"model": "kling-v3", "status": "completed", "contract": "2026-11", "request": {}} | columns
    if fields["request"] is not None:
        fields["request"] = {"model": "kling-v3", "prompt": key, **fields["request"]}
    library.add(Entry(key, SERVICE, submitted_at=NOON + timedelta(minutes=minute), **fields))


def keys(library: Library, **selection: Any) -> list[str]:
    """Return the keys of the matching tasks, read in pages of two."""
    chosen = Selection(**selection)
    total = select(library.journal, chosen, limit=1)[0]
    pages = (select(library.journal, chosen, limit=2, offset=at)[1] for at in range(0, total, 2))
    return [entry.key for page in pages for entry, _ in page]


@pytest.mark.parametrize(
    ("order", "chosen"),
    [
        ("cheapest", ["default", "short", "resumed", "long", "shots", "units", "unknown", "refunded"]),
        ("dearest", ["shots", "long", "resumed", "short", "default", "units", "unknown", "refunded"]),
        ("cheapest_second", ["default", "long", "short", "shots", "units", "resumed", "unknown", "refunded"]),
        ("dearest_second", ["shots", "short", "long", "default", "units", "resumed", "unknown", "refunded"]),
    ],
)
def test_orders(library: Library, order: str, chosen: list[str]) -> None:
    """Dollars come first, then other units; what cost nothing, or is not known, is last, newest first."""
    assert keys(library, order=order) == chosen
    assert keys(library, order=order, text="o") == [key for key in chosen if "o" in key and key != "resumed"]


def test_a_maximum_cost(library: Library) -> None:
    """A cost that is not known in dollars is left out; amounts are offered that divide the tasks."""
    assert keys(library, max_cost=Decimal("0.4")) == ["refunded", "default", "short"]
    assert keys(library, max_cost=Decimal("0.39999")) == ["refunded", "default"]
    assert choices(library.journal).costs == (Decimal("0.2"), Decimal("0.5"))


def test_a_changed_request_has_another_length(library: Library) -> None:
    """The length follows the request, the model and the contract of a row."""
    assert keys(library, order="dearest_second")[0] == "shots"
    library.update("long", request={"model": "kling-v3", "prompt": "long", "duration": 3})
    assert keys(library, order="dearest_second")[0] == "long", "the length is that of the earlier request"


def test_what_a_selection_is_worth(library: Library) -> None:
    """The sums are those of the selection, each contract in its own units, play money apart."""
    library.judgements.rate("short", 5)
    library.judgements.rate("long", 3)
    ((worth, is_play), (units, _)) = worths(library.journal, Selection())
    assert (worth.tasks, worth.quota, worth.kept, is_play) == (6, 1_300_000, 1, False)
    assert worth.per_second == round(1_050_000 / 25), "videos of unknown length have no cost of a second"
    assert worth.per_kept == 1_300_000
    assert (units.contract, units.quota) == ("2026-04", 999_999)
    ((one, _),) = worths(library.journal, Selection(text="short"))
    assert (one.tasks, one.quota, one.per_second) == (1, 200_000, 40_000)
    assert worths(library.journal, Selection(status="failed")) == []


def test_the_sum_is_that_of_the_spending(library: Library) -> None:
    """The gallery and the spending agree on the same tasks, whatever their states."""
    chance = random.Random(3)
    for number in range(60):
        add(
            library,
            f"task-{number}",
            number,
            model=chance.choice(("kling-v3", "kling-v2-6", "veo3.1-fast")),
            status=chance.choice(("completed", "failed", "cancelled", "processing")),
            cost=chance.choice((None, 0, 75_600, 189_000)),
            frozen=chance.choice((None, 200_000)),
            billing_status=chance.choice(("", "settled", "refund_pending")),
            request=chance.choice((None, {}, {"duration": 7})),
        )
        library.judgements.rate(f"task-{number}", chance.choice((None, 3, 4, 5)))
    for row in spending_of(library.journal, SERVICE, "model"):
        found = worths(library.journal, Selection(model=row.group))
        (worth,) = [worth for worth, _ in found if worth.contract == "2026-11"]
        assert (worth.tasks, worth.kept) == (row.videos, row.kept), row.group
        assert Decimal(worth.quota or 0) / 500_000 == row.spent, row.group
        assert row.per_second is not None
        assert abs(Decimal(worth.per_second or 0) / 500_000 - row.per_second) < Decimal("0.000002")


def test_an_older_journal_gets_its_lengths(library: Library) -> None:
    """Rows that a migration left without a length have it at the first order that needs it."""
    before = keys(library, order="cheapest_second")
    with library.journal.begin() as connection:
        connection.execute(tasks.update().values(seconds=None))
    assert keys(library, order="cheapest_second") == before
    with library.journal.begin() as connection:
        lacking = connection.execute(sa.select(tasks.c.key).where(tasks.c.seconds.is_(None))).all()
    assert lacking == []
