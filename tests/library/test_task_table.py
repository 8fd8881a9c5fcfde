"""The table of all tasks: it is what a table built one row at a time would be, whatever the rows contain."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from qingbo_widgets.library.dataframe import dataframe, request_columns
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal.tables import Moment, tasks
from qingbo_widgets.library.lengths import as_seconds
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.moments import moments
from qingbo_widgets.library.requests import readable_part_of
from tests.library.test_request_templates import REQUESTS

pandas = pytest.importorskip("pandas", reason="pandas is not installed")

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
#: Values that another program, a damaged disk or a later version may leave in a row of SQLite.
ODD: dict[str, list[Any]] = {
    "request": [
        None, "null", "5", "[]", "\"a koi\"", "{\"prompt\": \"a", " {\"prompt\": \"blank before\"}", "",
        "{\"prompt\": \"after\"} x", b"{\"prompt\": \"bytes\"}", b"\xff\xfe", 7, 2.5, "[" * 100_000,
        json.dumps({"prompt": "a koi", "shots": [{"prompt": "no seconds"}]}),
        json.dumps({"shots": [{"prompt": "dawn", "duration": 3}, {"prompt": "dusk", "duration": 2.5}]}),
        json.dumps({"prompt": "a koi", "multi_prompt": [["dawn", 3]], "multi_shot": True}),
        json.dumps({"prompt": ["a", "list"]}), json.dumps({"prompt": "x\0y", "cfg_scale": float("nan")}),
        json.dumps({"model": "kling-v3", "prompt": "a koi", "seed": 7, "status": "x", "note": "own"}),
    ],
    "error": [None, "null", "[]", "{\"message\": \"no luck\"}", "{\"message\": [1]}", "{}", b"\xff", 3],
    "submitted_at": [0, -1.5, "soon", b"", 1e300, float("inf"), -2.3e9, 32503680000.0, 1777636800.1234567],
    "completed_at": [None, 1777636800.0000005, 1777636800.4999995, "1777636800", -0.0000005, 2**62, 9e11],
    "cost": [None, 5, 5.0, 5.5, "much", b"5", 2**40],
    "status": ["completed", "", " ", "a\nb", "a status of tomorrow", b"failed", 7, "\u00a0"],
    "model": ["kling-v3", "", b"kling-v1", 3, "a model of no contract"],
    "contract": [None, "", "2026-11", "2031-01", "yesterday", b"2026-11", 2026],
    "file": [None, "", "koi.mp4", "missing.mp4", "../koi.mp4", "/etc/passwd", "link.mp4", b"koi.mp4", 5, "."],
    "task_id": ["", "x", b"\xff", 4],
    "billing_status": [None, "", "settled", b"settled", 1],
    "frozen": [None, 3, "3", 3.5],
}  # fmt: skip


def cost_per_second(entry: Entry) -> float | None:
    """Return the cost of a second of a finished video, in quota."""
    columns = request_columns(readable_part_of(entry), entry.contract)
    seconds = as_seconds(columns["duration"])
    return entry.cost / seconds if entry.status == "completed" and entry.cost and seconds else None


def by_rows(library: Library) -> Any:
    """Return the table of all tasks, built one row at a time."""
    entries = library.entries()
    judged = library.judgements.of_all([entry.key for entry in entries])
    rows = [
        {
            **request_columns(readable_part_of(entry), entry.contract), "task_id": entry.task_id,
            "model": entry.model, "prompt": entry.prompt, "status": entry.status,
            "submitted_at": entry.submitted_at, "created_at": entry.created_at,
            "completed_at": entry.completed_at, "cost": entry.cost, "frozen": entry.frozen,
            "billing_status": entry.billing_status or None,
            "price": None, "price_source": None, "price_at": None, "rating": judged[entry.key].rating,
            "tags": judged[entry.key].tags, "note": judged[entry.key].note,
            "video": library.video_of(entry), "error": (entry.error or {}).get("message"),
            "request": dict(entry.request or {}), "key": entry.key, "cost_per_second": cost_per_second(entry),
        }
        for entry in entries
    ]  # fmt: skip
    like = request_columns(readable_part_of(Entry("", "")), Entry("", "").contract)
    return dataframe(rows, like)


def assert_same(library: Library) -> Any:
    """Compare both tables: columns, types of columns, values, and types of values."""
    table, expected = library.to_dataframe(), by_rows(library)
    assert sorted(table.columns) == sorted(expected.columns)
    pandas.testing.assert_frame_equal(table[list(expected)], expected)
    for name in expected:
        assert [*map(type, table[name])] == [*map(type, expected[name])], name
    return table


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Yield a library of requests of each kind."""
    with closing(Library(tmp_path / "videos")) as library:
        for number, (model, contract, request) in enumerate(REQUESTS * 2):
            fields: dict[str, Any] = {"submitted_at": NOON + timedelta(microseconds=number**5)}
            fields |= {"created_at": NOON, "file": f"{number}.mp4"} if number % 3 else {}
            library.add(
                Entry(f"{number:03}", "sandbox", model=model, contract=contract, request=request, **fields)
            )
        (library.folder / "7.mp4").touch()
        yield library


def test_the_table_is_as_if_made_row_by_row(library: Library) -> None:
    """Every column has the same values and the same type as a table that is built one row at a time."""
    library.judgements.rate("003", 4)
    library.judgements.tag("004", ["水墨", "best"])
    library.judgements.note("004", "too dark")
    table = assert_same(library).set_index("key")
    assert table.loc["003", "rating"] == 4
    assert table.loc["007", "video"] == library.folder / "7.mp4"


@pytest.mark.parametrize("number", [1, 2])
def test_small_tables_have_the_same_types(tmp_path: Path, number: int) -> None:
    """The type of a column depends on its values: a column of missing values is the same too."""
    library = Library(tmp_path / "videos")
    for key in range(number):
        library.add(Entry(str(key), "sandbox", request={"prompt": "koi"} if key else None))
    assert len(assert_same(library)) == number


def test_odd_rows_are_read_as_one_by_one(library: Library) -> None:
    """Missing, damaged and unknown values are as when each row is read on its own."""
    (library.folder / "koi.mp4").touch()
    (library.folder / "link.mp4").symlink_to("/etc/hosts")
    usual = {
        "service": "sandbox", "task_id": "", "model": "kling-v3", "request": "{\"prompt\": \"koi\"}",
        "status": "completed", "progress": 100, "submitted_at": 1777636800.5,
    }  # fmt: skip
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        for name, values in ODD.items():
            for number, value in enumerate(values):
                row = usual | {"key": f"{name} {number}", name: value}
                marks = ", ".join("?" * len(row))
                database.execute(f"INSERT INTO tasks ({', '.join(row)}) VALUES ({marks})", [*row.values()])
        database.execute("UPDATE tasks SET key = x'ff' WHERE key = '003'")
    table = assert_same(library)
    assert len(table) == 2 * len(REQUESTS) + sum(map(len, ODD.values()))


@pytest.mark.slow
def test_the_table_in_postgresql_is_the_same(tmp_path: Path, postgresql_url: Callable[[], str]) -> None:
    """PostgreSQL parses JSON on its own; a text in place of an object stays a text there too."""
    with closing(Library(tmp_path / "videos", database=postgresql_url())) as library:
        for number, (model, contract, request) in enumerate(REQUESTS):
            library.add(Entry(f"{number:03}", "sandbox", model=model, contract=contract, request=request))
        with library.journal.begin() as connection:
            for number, text in enumerate(["null", "5", '"{}"', "[1]", '"{\\"prompt\\": \\"x\\"}"']):
                change = tasks.update().where(tasks.c.key == f"{number:03}")
                connection.execute(change.values(request=sa.text(f"'{text}'::json")))
        assert_same(library)


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats(),
            st.floats(-3e9, 4e10),
            st.integers(-(2**63), 2**63 - 1),
            st.text(max_size=3),
            st.binary(max_size=3),
        ),
        max_size=5,
    )
)
@example([None])
@example([0.5e-6, 1.5e-6, 2.5e-6, -0.5e-6, -1.5e-6, 1777636800.0000005])
@example([-2208988800.0, -2208988800.000001, 32503679999.9999999, 32503679999.999, 32503680000.0])
def test_times_are_those_of_each_row(seconds: list[Any]) -> None:
    """A column of times has what ``Moment`` reads from each value, to the microsecond."""
    expected = [Moment().process_result_value(value, None) for value in seconds]
    pandas.testing.assert_series_equal(pandas.Series(moments(seconds)), pandas.Series(expected))
    filled = pandas.Series([moment or NOON for moment in expected])
    pandas.testing.assert_series_equal(pandas.Series(moments(seconds, if_missing=NOON)), filled)


def test_the_cost_of_a_second_of_tasks_that_are_alike(tmp_path: Path) -> None:
    """A column of integers is one of NumPy, whose numbers are lengths too."""
    library = Library(tmp_path / "videos")
    for key in "ab":
        request = {"prompt": "A koi", "duration": 5}
        library.add(
            Entry(key, "https://api.qingbo.ai/v1", model="kling-v3", request=request, status="completed",
                  cost=189_000, contract="2026-11")
        )  # fmt: skip
    assert list(library.to_dataframe()["cost_per_second"]) == [37_800.0, 37_800.0]
