"""The library keeps the price of each submission, and the task says when another amount was taken."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import qingbo_widgets as qw
from qingbo_widgets.library.ledger import Ledger, Sums
from qingbo_widgets.sandbox import Faults
from qingbo_widgets.service.contract.pricing.price import PriceSource
from qingbo_widgets.tasks.price_note import price_note
from qingbo_widgets.widgets.card.plain import plain_text
from qingbo_widgets.widgets.card.spoken import spoken
from qingbo_widgets.widgets.card.static_copy import ended, static_copy
from tests.waiting import until
from tests.widgets.page import read

KOI: dict[str, Any] = {"model": "kling-v3", "prompt": "A koi", "resolution": "720p", "duration": 5}
EACH = Decimal("0.378")
DEARER = {"kling-v3": {"per_second": True, "video_prices": {"720p": 0.1}}}


def kernel(server: qw.Sandbox, folder: Path) -> qw.TaskManager:
    """Return the manager of a kernel, which leaves the sandbox running when it is closed."""
    client = qw.Client(server.api_key, server.base_url, contract="2026-11")
    return qw.TaskManager(client, qw.Library(folder), poll_interval=0.1)


@pytest.fixture
def manager(server: qw.Sandbox, tmp_path: Path) -> Iterator[qw.TaskManager]:
    """Yield the manager of a first kernel."""
    with kernel(server, tmp_path / "videos") as manager:
        yield manager


@pytest.fixture(autouse=True)
def usual(server: qw.Sandbox) -> Iterator[None]:
    """Give the sandbox its own prices and no faults again."""
    yield
    server.prices, server.faults = {}, Faults()


def rows(manager: qw.TaskManager) -> list[tuple[Any, ...]]:
    """Return the key, price and source of each row of the ledger."""
    path = manager.library.journal.path
    if not path.exists():
        return []
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT key, price, source FROM ledger").fetchall()
    return []  # the tables are being made


def again(server: qw.Sandbox, manager: qw.TaskManager) -> qw.TaskManager:
    """Close a manager, and return that of the next kernel on the same folder."""
    manager.close()
    return kernel(server, manager.library.folder)


@contextmanager
def queries() -> Iterator[list[str]]:
    """Yield the statements that read recorded prices meanwhile."""
    seen: list[str] = []

    def record(*args: Any) -> None:
        if "ledger.price_at" in args[2]:
            seen.append(args[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)


def test_a_known_price_is_kept_without_a_budget(manager: qw.TaskManager) -> None:
    """A task has a row with the price, its source and its date; it counts once, as frozen or spent."""
    price = manager.price(**KOI)
    task = manager.submit(**KOI)
    assert task.price == price
    until(lambda: rows(manager) == [(task.key, 189_000, "quote")])
    until(lambda: task.frozen is not None)
    assert sum_of(manager) == EACH
    table = manager.library.to_dataframe()
    assert (table["price"][0], table["price_source"][0]) == (189_000, "quote")
    assert abs(table["price_at"][0] - price.as_of) < timedelta(milliseconds=1)


def sum_of(manager: qw.TaskManager) -> Decimal:
    """Return what the tasks count as."""
    sums = manager.ledger.sums()
    return sums.spent + sums.frozen


def test_an_unknown_price_is_not_asked_for(manager: qw.TaskManager) -> None:
    """Without a budget and a known price, a submission takes no request and no row more."""
    task = manager.submit(**KOI)
    until(lambda: bool(task.task_id))
    assert (task.price, rows(manager)) == (None, [])
    assert sum_of(manager) == EACH, "the reserved amount does not count"


@pytest.mark.parametrize("is_bounded", [False, True])
def test_the_price_changes_before_the_submission(
    server: qw.Sandbox, manager: qw.TaskManager, is_bounded: bool
) -> None:
    """The card, its copy, the plain text and the screen reader have both amounts."""
    if is_bounded:
        manager.budget = qw.Budget(20)
    manager.price(**KOI)
    server.prices = DEARER
    task = manager.submit(**KOI)
    until(lambda: task.frozen == 250_000)
    said = "The price before the submission was $0.378; the service has reserved $0.50"
    shown = [read(static_copy(task)), plain_text(task), price_note(task)[0]]  # type: ignore[index]
    assert all(said in text for text in shown) or task.status.is_ended
    task.wait(60)
    said = "The price before the submission was $0.378; it cost $0.50"
    for text in (read(ended(task)), plain_text(task), str(spoken(task))):
        assert said in text, f"the user reads only: {text}"
    until(lambda: manager.ledger.sums() == Sums(Decimal("0.5"), Decimal(0)))


def test_a_lower_cost_is_told(server: qw.Sandbox, manager: qw.TaskManager) -> None:
    """The card shows it, and a screen reader does not read it aloud."""
    manager.price(**KOI)
    server.faults = Faults(settles_at=0.5)
    task = manager.submit(**KOI)
    task.wait(60)
    said = "The service had reserved $0.378; it cost $0.189"
    assert said in read(ended(task))
    assert '<div class="qingbo-dim">The service had reserved' in ended(task)
    assert said not in spoken(task)
    until(lambda: manager.ledger.sums() == Sums(Decimal("0.189"), Decimal(0)))


def test_a_task_that_is_not_accepted_counts_as_nothing(server: qw.Sandbox, manager: qw.TaskManager) -> None:
    """A refused submission costs nothing; *Submit again* has the price of that moment."""
    manager.price(**KOI)
    server.faults = Faults(no_balance=True)
    task = manager.submit(**KOI)
    until(lambda: task.is_done)
    until(lambda: [price for _, price, _ in rows(manager)] == [189_000])
    assert sum_of(manager) == 0
    server.faults, server.prices = Faults(), DEARER
    manager.prices.compare(task.price, 250_000)
    assert manager.price(**KOI).quota == 250_000
    task.submit_again()
    task.wait(60)
    until(lambda: [price for _, price, _ in rows(manager)] == [250_000])
    until(lambda: manager.ledger.sums() == Sums(Decimal("0.5"), Decimal(0)))
    assert price_note(task) is None


def test_an_unconfirmed_task_counts_as_its_price(server: qw.Sandbox, manager: qw.TaskManager) -> None:
    """The service may charge it, so a later budget counts it, without another question."""
    manager.price(**KOI)
    server.faults = Faults(html_every=1)
    task = manager.submit(**KOI)
    until(lambda: task.is_done, 30)
    until(lambda: sum_of(manager) == EACH)
    assert manager.ledger.unpriced() == []


def test_a_journal_that_keeps_no_price(
    manager: qw.TaskManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The submission goes on, and the log has the reason."""
    manager.price(**KOI)

    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Ledger, "note", fails)
    with caplog.at_level("DEBUG", "qingbo_widgets"):
        manager.submit(**KOI).wait(60)
        until(lambda: "its price was not recorded" in caplog.text)


def test_a_task_of_another_kernel_has_its_price(server: qw.Sandbox, manager: qw.TaskManager) -> None:
    """``resume`` and ``adopt`` give the price back, and the card says what differs."""
    price = manager.price(**KOI)
    server.prices = DEARER
    task = manager.submit(**KOI)
    task.wait(60)
    until(lambda: bool(rows(manager)))
    with again(server, manager) as second:
        kept = second.resume(task.task_id)
        assert kept.price is not None
        assert (kept.price.usd, kept.price.is_exact, kept.price.source) == (EACH, True, PriceSource.quote)
        assert abs(kept.price.as_of - price.as_of) < timedelta(milliseconds=1)  # type: ignore[operator]
        assert "was $0.378; it cost $0.50" in read(ended(kept))


def test_many_tasks_take_one_query(server: qw.Sandbox, manager: qw.TaskManager) -> None:
    """``recover`` and a loaded sweep read the prices of all their tasks at once."""
    manager.budget = qw.Budget(20)
    sweep = qw.sweep(**{**KOI, "prompt": list("abcdef")}, manager=manager, ask_above=0)
    sweep.start()
    sweep.wait(60)
    manager.close()
    with closing(sqlite3.connect(manager.library.journal.path)) as database, database:
        database.execute("UPDATE tasks SET status = 'processing', file = NULL")
    with again(server, manager) as second:
        with queries() as seen:
            second.recover()
        tasks = second.known_tasks
        assert (len(tasks), len(seen)) == (6, 1)
        assert {task.price and task.price.usd for task in tasks} == {EACH}
    with again(server, second) as third:
        with queries() as seen:
            loaded = qw.Sweep.load(sweep.name, manager=third)
        assert {task.price and task.price.usd for task in loaded.tasks} == {EACH}
        assert len(seen) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger SET price_at = price_at + 3600",
        "UPDATE ledger SET price_at = NULL",
        "UPDATE ledger SET price = 'much'",
        "UPDATE ledger SET price = NULL",
        "UPDATE ledger SET source = 'an oracle'",
        "UPDATE tasks SET first_submitted_at = submitted_at",
        "UPDATE tasks SET contract = '2026-04'",
        "UPDATE tasks SET request = NULL",
        "DROP TABLE ledger",
    ],
)
def test_a_price_that_was_not_known_before(manager: qw.TaskManager, server: qw.Sandbox, change: str) -> None:
    """A price that was found later, may count twice, or cannot be read is none."""
    manager.price(**KOI)
    task = manager.submit(**KOI)
    task.wait(60)
    until(lambda: bool(rows(manager)))
    path, library = manager.library.journal.path, manager.library
    manager.close()
    library.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(change)
    with again(server, manager) as second:
        assert second.resume(task.task_id).price is None


def test_a_note_never_replaces_a_reservation(tmp_path: Path) -> None:
    """A price that is noted late, after a reservation of the same task, changes nothing."""
    from tests.library.test_ledger import SERVICE, costing

    kept = Ledger(qw.Library(tmp_path / "videos").journal, SERVICE)
    kept.reserve("a", costing("1"), "us")
    kept.note("a", costing("2"), "us", is_new=True)
    assert kept.sums().frozen == 1
    kept.close("a")
    kept.note("a", costing("2"), "us")
    kept.note("b", costing("3"), "us", is_new=True)
    assert kept.sums().frozen == 0, "without a task, a price that is no reservation counts as nothing"


@pytest.mark.slow
def test_in_postgresql(tmp_path: Path, postgresql_url: Any) -> None:
    """A journal on a server keeps the same prices."""
    from qingbo_widgets.library.entry import Entry
    from tests.library.test_ledger import SERVICE, costing

    library = qw.Library(tmp_path / "videos", database=postgresql_url())
    kept = Ledger(library.journal, SERVICE)
    library.add(Entry(key="a", service=SERVICE, contract="2026-11", status="processing"))
    price = costing("1.5")
    kept.note("a", replace(price, as_of=datetime.now(UTC)), "us", is_new=True)
    assert kept.prices(["a", "b"])["a"].usd == Decimal("1.5")
    assert library.to_dataframe()["price"][0] == 750_000
