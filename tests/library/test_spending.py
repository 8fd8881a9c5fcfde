"""``Spending``: what the tasks of a library have cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets import InvalidRequest
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgements
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.spending import Expense, Spending, spending_of
from qingbo_widgets.library.sweeps import CellRow, Sweeps

SERVICE = "https://api.qingbo.ai/v1"
TODAY = datetime.now().astimezone().replace(hour=12).astimezone(UTC)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library with finished, failed and running tasks of two models and two days."""
    library = Library(tmp_path / "videos")
    yesterday = TODAY - timedelta(days=1)
    rows: list[dict[str, Any]] = [
        {"key": "a", "model": "kling-v3", "status": "completed", "cost": 500_000},
        {"key": "b", "model": "kling-v3", "status": "completed", "cost": 250_000, "submitted_at": yesterday},
        {"key": "c", "model": "kling-v2-6", "status": "processing", "frozen": 1_000_000},
        {"key": "d", "model": "kling-v2-6", "status": "failed", "frozen": 1_000_000, "cost": 0},
        {"key": "e", "model": "kling-v1", "status": "completed", "cost": 9, "contract": "2026-04"},
        {"key": "f", "model": "kling-v3", "status": "completed", "cost": 500_000, "service": "sandbox"},
    ]
    for row in rows:
        library.add(Entry(**{"service": SERVICE, "contract": "2026-11", "submitted_at": TODAY, **row}))
    return library


def spending(library: Library, by: Any) -> Spending:
    """Return the spending of a library."""
    return spending_of(library.journal, SERVICE, by)


def test_by_model(library: Library) -> None:
    """The most expensive model is first; refunds, other services and amounts without a rate do not count."""
    assert list(spending(library, "model")) == [
        Expense("kling-v2-6", 2, Decimal(0), Decimal(2)),
        Expense("kling-v3", 2, Decimal("1.5"), Decimal(0), 2),
    ]


def test_by_day(library: Library) -> None:
    """The newest day is first, as the user's clock has it."""
    rows = spending(library, "day")
    assert [row.group for row in rows] == sorted((row.group for row in rows), reverse=True)
    assert rows[0].group == f"{TODAY.astimezone():%Y-%m-%d}"
    assert [(row.spent, row.frozen) for row in rows] == [
        (Decimal(1), Decimal(2)),
        (Decimal("0.5"), Decimal(0)),
    ]


def test_by_tag(library: Library) -> None:
    """A task with two tags is in both rows; those without one are together."""
    judgements = Judgements(library.journal)
    judgements.tag("a", ["blue", "draft"])
    assert {row.group: row.spent for row in spending(library, "tag")} == {
        "blue": 1,
        "draft": 1,
        "": Decimal("0.5"),
    }


def test_by_sweep(library: Library) -> None:
    """A task belongs to the sweep of its cell."""
    Sweeps(library.journal, SERVICE).add("koi", {}, [], 4, [CellRow({}, {"prompt": "a koi"}, "a")])
    assert {row.group: row.spent for row in spending(library, "sweep")} == {"koi": 1, "": Decimal("0.5")}


def test_it_is_shown_as_a_table_with_bars(library: Library) -> None:
    """Names are text, and the longest bar is that of the highest amount."""
    library.add(
        Entry(key="g", service=SERVICE, contract="2026-11", model="<b>", status="completed", cost=125_000)
    )
    shown = spending(library, "model")
    assert repr(shown).splitlines() == [
        "kling-v2-6  $0.00  " + "░" * 24,
        "kling-v3    $1.50  " + "█" * 18,
        "<b>         $0.25  " + "█" * 3,
    ]
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "width: 100.0px" in html


def test_as_a_dataframe(library: Library) -> None:
    """The first column has the name of the group."""
    pytest.importorskip("pandas")
    frame = spending(library, "model").to_dataframe()
    assert list(frame.columns) == [
        *("model", "tasks", "spent", "frozen", "videos", "seconds", "kept", "per_second", "per_kept")
    ]
    assert frame["spent"].sum() == 1.5


def test_which_model_is_worth_it(library: Library) -> None:
    """A row compares what is spent with the seconds and with the videos that are rated 4 or 5."""
    request = {"model": "kling-v3", "prompt": "A koi"}
    dear, cheap = {**request, "duration": 10}, {**request, "duration": 5}
    library.update("a", request=dear)
    library.update("b", request=cheap)
    judgements = Judgements(library.journal)
    judgements.rate("a", 4)
    judgements.rate("b", 3)
    shown = spending(library, "model")
    row = next(row for row in shown if row.group == "kling-v3")
    assert (row.videos, row.seconds, row.kept) == (2, 15.0, 1)
    assert (row.per_second, row.per_kept) == (Decimal("0.1"), Decimal("1.5"))
    assert "$0.10 a second · $1.50 a kept video" in repr(shown)
    assert '<td style="text-align: left">$0.10</td>' in shown._repr_html_()
    library.delete(["a"])
    (row,) = [row for row in spending(library, "model") if row.group == "kling-v3"]
    assert (row.tasks, row.spent, row.videos, row.seconds) == (2, Decimal("1.5"), 1, 5.0), (
        "a deleted task has been paid for, and has no video"
    )


def test_an_empty_library(tmp_path: Path) -> None:
    """It says so, and creates nothing."""
    nothing = spending(Library(tmp_path / "none"), "day")
    assert len(nothing) == 0
    assert repr(nothing) == "No task of this library has a known cost."
    assert not (tmp_path / "none").exists()


def test_another_group(library: Library) -> None:
    """The error lists the groups."""
    with pytest.raises(InvalidRequest, match='"day", "model", "sweep", "tag"'):
        spending(library, "week")
