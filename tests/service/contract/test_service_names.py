"""``service_names``: one service is one, however its address was spelt, also by an earlier version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.sweeps import CellRow, Sweeps
from qingbo_widgets.service.contract.service_names import normalised

ONE = "https://qingbo.dev/v1"
SPELLINGS = [ONE, f"{ONE}/", "https://QINGBO.dev/v1", "https://qingbo.dev:443/v1//", "HTTPS://qingbo.dev./v1"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_service_has_one_name(spelling: str) -> None:
    """Neither capitals, nor the port that goes without saying, nor a slash at the end makes another one."""
    assert normalised(spelling) == ONE


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://例え.jp/v1", "https://xn--r8jz45g.jp/v1"),
        ("https://XN--r8jz45g.jp/v1/", "https://xn--r8jz45g.jp/v1"),
        ("http://[::1]:8080/V1", "http://[::1]:8080/V1"),
        ("http://host:443/v1", "http://host:443/v1"),
        ("https://host:8443/v1", "https://host:8443/v1"),
        ("sandbox", "sandbox"),
        ("", ""),
        ("https://host:port/v1", "https://host:port/v1"),
    ],
)
def test_what_differs_stays_apart(url: str, name: str) -> None:
    """A path's capitals and another port matter; what is no URL is left as it is."""
    assert normalised(url) == name


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_rows_of_an_earlier_version_are_found(tmp_path: Path, spelling: str) -> None:
    """It wrote the URL as it was given; its tasks and its sweeps go on under any spelling."""
    library = Library(tmp_path)
    library.add(Entry(key="k", service=ONE, task_id="task-1", status="queued"))
    library.add(Entry(key="o", service="https://elsewhere.dev/v1", task_id="task-2", status="queued"))
    Sweeps(library.journal, ONE).add("sweep", {"seed": [1]}, [], 2, [CellRow({}, {"prompt": "koi"})])
    library.close()
    with closing(sqlite3.connect(tmp_path / "library.sqlite")) as database, database:
        for table in ("tasks", "sweeps", "sweep_cells"):
            database.execute(
                f"update {table} set service = ? where service = ?", ["https://Qingbo.dev:443/v1/", ONE]
            )
    assert library.has_unfinished(service=spelling)
    assert [entry.key for entry in library.entries(service=spelling)] == ["k"]
    found = library.find("task-1", service=spelling)
    assert found is not None, "resume(id) would follow, and save, the task a second time"
    assert library.find("task-2", service=spelling) is None
    sweeps = Sweeps(library.journal, spelling)
    assert sweeps.names() == ["sweep"]
    row = Entry(key="key", service=ONE)
    assert sweeps.claim("sweep", 0, row, before=None, holder="kernel", seconds=30) == "key"
    again = sweeps.get("sweep")
    assert again is not None
    assert [cell.key for cell in again.cells] == ["key"]


def test_connecting_by_another_spelling_gives_the_same_manager(tmp_path: Path) -> None:
    """Two managers of one kernel would wait for each other's tasks."""
    first, second = (
        qw.connect("some-key", library=tmp_path, base_url=url) for url in (ONE, "https://QINGBO.dev:443/v1/")
    )
    assert first is second
