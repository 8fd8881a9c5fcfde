"""``service_names``: one name for every spelling of an address, including those of earlier versions."""

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
    """Capitals in the host, the default port and a trailing slash do not change the name."""
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
    """Capitals in the path and another port change the name; a name that is not a URL is unchanged."""
    assert normalised(url) == name


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_rows_of_an_earlier_version_are_found(tmp_path: Path, spelling: str) -> None:
    """Tasks and sweeps of an earlier version, which stored the URL unchanged, are found by any spelling."""
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
    reloaded = sweeps.get("sweep")
    assert reloaded is not None
    assert [cell.key for cell in reloaded.cells] == ["key"]


def test_connecting_by_another_spelling_gives_the_same_manager(tmp_path: Path) -> None:
    """Another spelling gives the same manager; two in one kernel would wait for each other's tasks."""
    first, second = (
        qw.connect("some-key", library=tmp_path, base_url=url) for url in (ONE, "https://QINGBO.dev:443/v1/")
    )
    assert first is second
