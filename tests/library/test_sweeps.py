"""Sweeps in the journal: a cell's key and its task's row are written together, by one kernel only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from qingbo_widgets import Library
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.sweeps import CellRow, Sweeps

SERVICE = "https://qingbo.dev/v1"
ROUNDS = 60


def add(library: Library, count: int, name: str = "koi") -> Sweeps:
    """Add a sweep with this number of waiting cells."""
    sweeps = Sweeps(library.journal, SERVICE)
    assert sweeps.add(name, {}, [], 4, [CellRow({}, {"prompt": str(number)}) for number in range(count)])
    return sweeps


def claim(sweeps: Sweeps, number: int, key: str, before: str | None = None) -> str | None:
    """Claim a cell for a task of this key, as a kernel of the same name."""
    return sweeps.claim("koi", number, Entry(key=key, service=SERVICE), before=before, holder=key, seconds=60)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def open_library(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Library]:
    """Return a function that opens the journal like another kernel, with separate connections."""
    if request.param == "sqlite":
        return lambda: Library(tmp_path)
    url = request.getfixturevalue("postgresql_url")()
    return lambda: Library(tmp_path, database=url)


def test_the_key_and_the_row_are_written_together(open_library: Callable[[], Library]) -> None:
    """A claim writes a row that its kernel holds; if the row fails, the cell is unchanged."""
    with closing(open_library()) as library:
        sweeps = add(library, 2)
        assert claim(sweeps, 0, "a") == "a"
        assert library.get("a") is not None
        assert (library.current_hold("a") or ("",))[0] == "a"
        with pytest.raises(Exception, match=r"(?i)unique"):
            claim(sweeps, 1, "a")  # a row of this key exists already
        row = sweeps.get("koi")
        assert row is not None
        assert [cell.key for cell in row.cells] == ["a", None]


def test_a_dropped_cell_is_not_claimed(open_library: Callable[[], Library]) -> None:
    """Another kernel does not submit a dropped cell; dropping a submitted cell returns its key."""
    with closing(open_library()) as library:
        sweeps = add(library, 2)
        assert claim(sweeps, 1, "a") == "a"
        assert sweeps.drop("koi", [0, 1]) == {0: None, 1: "a"}
        assert claim(sweeps, 0, "b") is None
        assert claim(sweeps, 1, "b") == "a"
        assert library.get("b") is None


def test_only_one_of_two_sweeps_of_one_name_is_added(open_library: Callable[[], Library]) -> None:
    """The second ``add`` returns False, and the cells of the first sweep stay."""
    with closing(open_library()) as library:
        sweeps = add(library, 2)
        assert not sweeps.add("koi", {}, [], 4, [CellRow({}, {"prompt": "other"})])
        row = sweeps.get("koi")
        assert row is not None
        assert len(row.cells) == 2


@pytest.mark.slow
def test_of_two_kernels_one_claims_a_cell(open_library: Callable[[], Library]) -> None:
    """Of two simultaneous claims one wins, the other returns the winner's key, and only that row exists."""
    with closing(open_library()) as one, closing(open_library()) as other:
        both = add(one, ROUNDS), Sweeps(other.journal, SERVICE)
        assert both[1].get("koi") is not None  # opened
        for before in (None, "again"):
            for number in range(ROUNDS):
                start = threading.Barrier(2)
                keys: dict[str, str | None] = {}

                def work(name: str, sweeps: Sweeps) -> None:
                    start.wait()  # noqa: B023 - joined before the next round
                    key = f"{name}-{number}-{before}"  # noqa: B023
                    keys[key] = claim(sweeps, number, key, was)  # noqa: B023

                row = both[0].get("koi")
                assert row is not None
                was = row.cells[number].key
                threads = [
                    threading.Thread(target=work, args=(name, sweeps))
                    for name, sweeps in zip("ab", both, strict=True)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                winners = set(keys.values())
                assert len(keys) == 2, "both kernels get a key"
                assert len(winners) == 1, f"both kernels submit the cell {number}: {keys}"
                winner = winners.pop()
                assert winner in keys
                assert [key for key in keys if one.get(key) is not None] == [winner]
