"""The search of a library's tasks."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from qingbo_widgets.library import search as selection_module
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal.rows import read_row
from qingbo_widgets.library.journal.tables import tasks
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.search import Choices, Selection, choices, select
from qingbo_widgets.service.contract.request import Shot, VideoRequest
from tests.descriptions import INVENTED

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROWS: dict[str, dict[str, Any]] = {
    "koi": {"prompt": "一条锦鲤在池塘中游动", "model": "kling-v3"},
    "cat": {"prompt": "A Cat on 100% of a sofa", "model": "kling-v1", "mode": "pro"},
    "dog": {"prompt": "a dog on a sofa_bed", "model": "kling-v1"},
    "film": {
        "shots": [{"prompt": "雪山日出", "duration": 3}, {"prompt": 'the "end"', "duration": 4}],
        "model": "kling-v3",
    },
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library with four tasks, one per day, of which one failed."""
    library = Library(tmp_path / "videos")
    for day, (key, request) in enumerate(ROWS.items()):
        status = "failed" if key == "dog" else "completed"
        when = NOON + timedelta(days=day)
        library.add(
            Entry(key, "sandbox", model=request["model"], request=request, status=status, submitted_at=when)
        )
    return library


def keys(library: Library, **selection: Any) -> list[str]:
    """Return the keys of the matching tasks, in order."""
    return [entry.key for entry, _ in select(library.journal, Selection(**selection))[1]]


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        ({}, ["film", "dog", "cat", "koi"]),
        ({"text": "锦鲤"}, ["koi"]),
        ({"text": "SOFA a"}, ["dog", "cat"]),
        ({"text": "sofa cat"}, ["cat"]),
        ({"text": "100%"}, ["cat"]),
        ({"text": "sofa_"}, ["dog"]),
        ({"text": "雪山"}, ["film"]),
        ({"text": '"end"'}, ["film"]),
        ({"text": "duration"}, []),
        ({"text": "nothing like it"}, []),
        ({"model": "kling-v1"}, ["dog", "cat"]),
        ({"mode": "pro"}, ["cat"]),
        ({"mode": "std"}, ["film", "dog", "koi"]),
        ({"status": "failed"}, ["dog"]),
        ({"since": NOON + timedelta(days=2)}, ["film", "dog"]),
        ({"until": NOON + timedelta(days=2)}, ["cat", "koi"]),
        ({"order": "oldest"}, ["koi", "cat", "dog", "film"]),
        ({"order": "model"}, ["dog", "cat", "film", "koi"]),
        ({"order": "shuffled"}, ["cat", "dog", "film", "koi"]),
    ],
)
def test_filters_and_orders(library: Library, selection: dict[str, Any], chosen: list[str]) -> None:
    """Words of any script, column names and wildcards are literal; each filter and order has its effect."""
    assert keys(library, **selection) == chosen


def test_judgements_filter_and_order(library: Library) -> None:
    """Tasks are filtered by rating, tag and missing rating; the best come first, unrated tasks last."""
    judgements = library.judgements
    judgements.rate("cat", 2)
    judgements.rate("koi", 5)
    judgements.rate("dog", 0)
    judgements.tag("koi", ["水", "b"])
    assert keys(library, order="best") == ["koi", "cat", "dog", "film"]
    assert keys(library, rating=2) == ["cat", "koi"]
    assert keys(library, rating=0) == ["dog", "cat", "koi"]
    assert keys(library, unrated=True) == ["film"]
    assert keys(library, tag="水") == ["koi"]
    assert choices(library.journal) == Choices(("kling-v1", "kling-v3"), ("completed", "failed"), ("b", "水"))


def test_pages(library: Library) -> None:
    """The database returns one page and the total number of tasks."""
    total, page = select(library.journal, Selection(), limit=2, offset=1)
    assert total == 4
    assert [entry.key for entry, _ in page] == ["dog", "cat"]


def test_an_unknown_order_is_rejected() -> None:
    """The error for an unknown order lists the valid ones."""
    with pytest.raises(ValueError, match="newest, oldest"):
        Selection(order="random()")


def test_a_damaged_row_hides_no_other(library: Library) -> None:
    """A request that is not JSON loses the prompt of its own row and does not break the search."""
    journal = sqlite3.connect(library.folder / "library.sqlite")
    journal.execute("update tasks set request = '{broken' where key = 'dog'")
    journal.commit()
    journal.close()
    assert keys(library, text="sofa") == ["cat"]
    assert keys(library) == ["film", "dog", "cat", "koi"]


def test_no_library_is_an_empty_selection(tmp_path: Path) -> None:
    """A search without a library finds nothing and creates no journal."""
    library = Library(tmp_path / "none")
    assert select(library.journal) == (0, [])
    assert choices(library.journal) == Choices()
    assert not library.folder.exists()


@pytest.mark.slow
def test_only_one_page_of_thousands_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a page of 24 out of 5,000, filtered and ordered by rating, only 24 rows are read."""
    library = Library(tmp_path / "videos")
    fill(library, 5_000)
    read: list[str] = []
    monkeypatch.setattr(selection_module, "read_row", lambda row: read.append(row.key) or read_row(row))
    total, page = select(library.journal, Selection(text="锦鲤 7", order="best"), limit=24, offset=24)
    assert total > 1000
    assert sorted(read) == sorted(entry.key for entry, _ in page)
    assert len(page) == 24


def fill(library: Library, number: int) -> None:
    """Write this number of rows at once."""
    library.add(Entry("first", "sandbox"))
    rows = [
        {
            "key": f"{n:08}", "service": "sandbox", "model": "kling-v3", "status": "completed",
            "request": {"prompt": f"锦鲤 {n}", "model": "kling-v3"},
            "submitted_at": NOON + timedelta(hours=n),
        }
        for n in range(number)
    ]  # fmt: skip
    with library.journal.begin() as connection:
        connection.execute(tasks.insert(), rows)


@pytest.mark.slow
def test_a_table_of_everything(library: Library) -> None:
    """The table has one row per task with request, outcome and judgement; omitted fields have defaults."""
    pytest.importorskip("pandas", reason="pandas is not installed")
    library.judgements.rate("koi", 5)
    table = library.to_dataframe().sort_values("submitted_at").set_index("key")
    assert list(table.index) == ["koi", "cat", "dog", "film"]
    assert table.loc["koi", "rating"] == 5
    assert table["mode"].to_list() == ["std", "pro", "std", "std"]
    assert table["duration"].to_list() == [5, 5, 5, 7]
    assert table.loc["film", "prompt"] == '雪山日出\nthe "end"'


def test_without_pandas_the_error_says_what_to_install(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error without pandas names the command that installs it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        library.to_dataframe()


def test_an_empty_library_is_a_table_with_its_columns(tmp_path: Path) -> None:
    """An empty library has all columns, so a cell that filters by rating works on it too."""
    pytest.importorskip("pandas")
    table = Library(tmp_path / "none").to_dataframe()
    assert len(table) == 0
    assert {"task_id", "model", "prompt", "duration", "mode", "status", "rating", "video"} <= set(table)


def test_an_invented_parameter_is_a_column(library: Library, described: Callable[[str], None]) -> None:
    """A parameter added to the description becomes a column where a request has it, with no other change."""
    pytest.importorskip("pandas")
    described(INVENTED)
    request = VideoRequest("kling-v9", "a koi", grain="coarse", duration=12)  # type: ignore[call-arg]  # the test's own field
    library.add(Entry(key="grainy", service="sandbox", model="kling-v9", request=request.as_dict()))
    table = library.to_dataframe().set_index("key")
    assert table.loc["grainy", "grain"] == "coarse"
    assert table["grain"].isna().sum() == len(table) - 1


def test_a_request_of_a_later_version_is_in_the_table(library: Library) -> None:
    """An unknown field does not replace the known ones by defaults, which would be 5 s of std in 16:9."""
    pytest.importorskip("pandas")
    known = {"mode": "pro", "duration": 10, "aspect_ratio": "9:16"}
    later = {"model": "kling-v3", "prompt": "a koi", "seed": 7, **known}
    library.add(Entry(key="later", service="sandbox", model="kling-v3", request=later))
    damaged = {"prompt": {"a": 1}, "mode": ["pro"], "duration": "long"}
    library.add(Entry(key="damaged", service="sandbox", model="kling-v3", request=damaged))
    table = library.to_dataframe().set_index("key")
    assert {name: table.loc["later", name] for name in known} == known
    assert table.loc["damaged", ["mode", "duration"]].to_list() == [["pro"], "long"]


PICTURE, FILM = ("https://e.com/a.png",), ("https://e.com/a.mp4",)
AS_SENT = [
    ("2026-11", VideoRequest("kling-v3", "a"), {"resolution": "720p", "duration": 5}),
    ("2026-11", VideoRequest("kling-v3", "a", mode="pro"), {"resolution": "1080p", "duration": 5}),
    ("2026-11", VideoRequest("kling-v3", "a", image_urls=PICTURE), {"resolution": "720p", "duration": 5}),
    ("2026-11", VideoRequest("kling-v3-omni", "a", action="edit", video_urls=FILM), {"resolution": "720p"}),
    (
        "2026-11",
        VideoRequest(
            "kling-v3-motion-control",
            image_urls=PICTURE,
            video_urls=FILM,
            character_orientation="video",
            resolution="1080p",
        ),
        {"resolution": "1080p"},
    ),
    ("2026-04", VideoRequest("kling-v3", "a"), {"mode": "std", "aspect_ratio": "16:9", "duration": 5}),
    ("2026-04", VideoRequest("kling-v3", "a", image_urls=PICTURE), {"mode": "std", "duration": 5}),
    ("2027-01", VideoRequest("kling-v3", "a", resolution="4k"), {"resolution": "4k", "duration": 5}),
]


@pytest.mark.parametrize(("contract", "request_", "sent"), AS_SENT)
def test_the_table_has_what_was_sent(
    tmp_path: Path, contract: str, request_: VideoRequest, sent: dict[str, Any]
) -> None:
    """The values are those of the task's contract; a length that the input video decides is no number."""
    pytest.importorskip("pandas")
    library = Library(tmp_path / "videos")
    fields = request_.as_dict()
    library.add(Entry("one", "sandbox", model=request_.model, request=fields, contract=contract))
    row = library.to_dataframe().set_index("key").loc["one"]
    names = ("mode", "resolution", "aspect_ratio", "duration")
    assert {name: value for name in names if (value := row[name]) == value and value is not None} == sent


@pytest.mark.parametrize(
    ("durations", "seconds"), [((5.0, 5), 10), ((2.5, 5), 7.5), ((3, 4), 7)], ids=["float", "half", "whole"]
)
def test_the_length_of_shots_is_their_sum(
    library: Library, durations: tuple[float, float], seconds: float
) -> None:
    """A shot of 5.0 s counts as much as a shot of 5 s, whichever way a file writes the number."""
    pytest.importorskip("pandas")
    shots = [Shot("a koi", duration).as_dict() for duration in durations]  # type: ignore[arg-type]
    request = {"model": "kling-v3", "shots": shots}
    library.add(Entry(key="shots", service="sandbox", model="kling-v3", request=request))
    assert library.to_dataframe().set_index("key").loc["shots", "duration"] == seconds


def test_every_field_is_a_column(library: Library, tmp_path: Path) -> None:
    """``table["cfg_scale"]`` raises no KeyError if no task has it, even in an empty library."""
    pytest.importorskip("pandas")
    fields = set(VideoRequest.field_names())
    assert fields <= set(library.to_dataframe())
    assert fields <= set(Library(tmp_path / "none").to_dataframe())
    assert list(library.to_dataframe()["cfg_scale"].isna()) == [True] * len(ROWS)


OWN_MODE = """
[models.kling-v9]
description = "5 or 10 s"
takes = []
mode = { default = "pro" }
"""


def test_a_model_is_found_by_its_own_default(library: Library, described: Callable[[str], None]) -> None:
    """A filter by mode finds a task without a mode whose model renders pro by default."""
    described(OWN_MODE)
    request, when = VideoRequest("kling-v9", "a koi").as_dict(), NOON + timedelta(days=9)
    library.add(Entry(key="own", service="sandbox", model="kling-v9", request=request, submitted_at=when))
    assert keys(library, mode="pro") == ["own", "cat"]
    assert keys(library, mode="std") == ["film", "dog", "koi"]


def test_a_default_shared_by_all_models_needs_no_case(library: Library) -> None:
    """The query has no CASE as long as all models have the same default."""
    statements: list[str] = []

    def record(*arguments: Any) -> None:
        statements.append(arguments[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    keys(library, mode="std")
    sa.event.remove(sa.Engine, "before_cursor_execute", record)
    assert any("coalesce" in text for text in statements)
    assert not any("CASE tasks.model" in text for text in statements)
