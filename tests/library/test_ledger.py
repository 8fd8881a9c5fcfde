"""``Ledger`` and ``Budget``: what is counted, and that two kernels cannot exceed a budget together."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Context, Decimal, Inexact, localcontext
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets import Budget, BudgetExceeded, InvalidRequest, QingboError
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.ledger import Ledger, Sums
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.spending import spending_of
from qingbo_widgets.service.contract.pricing.price import Price, PriceSource

SERVICE = "https://api.qingbo.ai/v1"
UNKNOWN = Price(reason="The service tells no price of this model.")


def costing(usd: str) -> Price:
    """Return a price."""
    return Price(Decimal(usd), int(Decimal(usd) * 500_000), source=PriceSource.price_list)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library without tasks."""
    return Library(tmp_path / "videos")


@pytest.fixture
def ledger(library: Library) -> Ledger:
    """Return its ledger for one service."""
    return Ledger(library.journal, SERVICE)


@pytest.fixture
def add(library: Library) -> Callable[..., None]:
    """Return a function that writes a task's row."""

    def add(key: str, **columns: Any) -> None:
        library.add(Entry(**{"key": key, "service": SERVICE, "contract": "2026-11", **columns}))

    return add


@pytest.mark.parametrize(
    ("columns", "spent", "frozen"),
    [
        ({"status": "submitting"}, "0", "1"),
        ({"status": "unconfirmed"}, "0", "1"),
        ({"status": "processing", "frozen": 600_000}, "0", "1.2"),
        ({"status": "a new status", "frozen": 600_000}, "0", "1.2"),
        ({"status": "completed", "frozen": 600_000}, "1.2", "0"),
        ({"status": "completed", "frozen": 600_000, "cost": 250_000}, "0.5", "0"),
        ({"status": "failed", "frozen": 600_000}, "0", "0"),
        ({"status": "failed", "frozen": 600_000, "cost": 0}, "0", "0"),
        ({"status": "failed", "cost": 100_000}, "0.2", "0"),
        ({"status": "cancelled", "frozen": 600_000, "cost": 0}, "0", "0"),
        ({"status": "failed", "cost": 100_000, "billing_status": "refunded"}, "0", "0"),
        ({"status": "completed", "cost": 100_000, "billing_status": "Refunded"}, "0", "0"),
        ({"status": "failed", "frozen": 600_000, "billing_status": "REFUND_PENDING"}, "0", "1.2"),
        ({"status": "failed", "frozen": 600_000, "billing_status": "settled"}, "1.2", "0"),
        ({"status": "completed", "cost": 100_000, "contract": "2026-04"}, "0", "0"),
        ({"status": "completed", "cost": 100_000, "service": "https://other.example/v1"}, "0", "0"),
        (
            {
                "status": "completed",
                "cost": 100_000,
                "service": SERVICE.upper()[:8].lower() + SERVICE[8:] + "/",
            },
            "0.2",
            "0",
        ),
    ],
)
def test_the_state_of_a_task_decides_what_it_counts_as(
    ledger: Ledger, add: Callable[..., None], columns: dict[str, Any], spent: str, frozen: str
) -> None:
    """An open task counts as reserved, an ended one as what it has cost, a refunded one as nothing."""
    ledger.reserve("a", costing("1"), "us")
    add("a", **columns)
    ledger.close("a")
    assert ledger.sums() == Sums(Decimal(spent), Decimal(frozen))


def test_a_task_that_would_exceed_the_budget_is_refused(
    library: Library, ledger: Ledger, add: Callable[..., None]
) -> None:
    """The refusal has the amounts; nothing is reserved for it, and a refund makes room again."""
    library.budget = 2
    ledger.reserve("a", costing("1.5"), "us")
    add("a", status="processing", frozen=750_000)
    with pytest.raises(BudgetExceeded) as refused:
        ledger.reserve("b", costing("0.51"), "us")
    error = refused.value
    assert (error.budget, error.spent, error.frozen) == (Decimal(2), Decimal(0), Decimal("1.5"))
    assert (error.price, error.left) == (Decimal("0.51"), Decimal("0.5"))
    assert str(error) == (
        "Not submitted, nothing was charged: it costs about $0.51, and of the budget of $2.00, $0.50 is left "
        "($0.00 spent, $1.50 reserved). A higher budget allows it."
    )
    assert ledger.sums().frozen == Decimal("1.5"), "the refused task was reserved"
    ledger.reserve("b", costing("0.5"), "us")
    ledger.release("b")
    library.update("a", status="failed", cost=0)
    ledger.close("a")
    ledger.reserve("c", costing("2"), "us")


def test_the_budget_is_that_of_the_folder(library: Library, ledger: Ledger) -> None:
    """Another kernel has it, too; ``None`` removes it."""
    assert library.budget is None
    library.budget = Budget("2.50", per="day", unknown="allow")
    assert Library(library.folder).budget == Budget(Decimal("2.50"), per="day", unknown="allow")
    library.budget = None
    assert Library(library.folder).budget is None
    ledger.reserve("a", costing("1000"), "us")


def test_looking_for_a_budget_makes_nothing(library: Library) -> None:
    """A library that was never used creates no folder."""
    assert library.budget is None
    assert not library.folder.exists()


def test_a_day_begins_at_midnight(library: Library, ledger: Ledger, add: Callable[..., None]) -> None:
    """Yesterday's tasks count in all, not a day."""
    add("a", status="completed", cost=500_000, submitted_at=datetime.now(UTC) - timedelta(days=1, minutes=1))
    library.budget = Budget(1, per="day")
    ledger.reserve("b", costing("1"), "us")
    library.budget = 1
    with pytest.raises(BudgetExceeded):
        ledger.reserve("c", costing("0.01"), "us")


def test_a_kernel_has_a_budget_of_its_own(ledger: Ledger, add: Callable[..., None]) -> None:
    """The submissions of other kernels do not count."""
    ledger.reserve("a", costing("5"), "another")
    add("a", status="processing")
    ledger.reserve("b", costing("1"), "us", Budget(1))
    with pytest.raises(BudgetExceeded):
        ledger.reserve("c", costing("0.01"), "us", Budget(1))


def test_a_price_that_is_not_known(library: Library, ledger: Ledger) -> None:
    """It is refused with the reason, unless the budget allows it; without a budget, nothing is asked."""
    ledger.reserve("a", UNKNOWN, "us")
    library.budget = 5
    with pytest.raises(
        BudgetExceeded, match=r"The service tells no price of this model\. Budget\(5, unknown"
    ):
        ledger.reserve("b", UNKNOWN, "us")
    library.budget = Budget(5, unknown="allow")
    ledger.reserve("b", UNKNOWN, "us")
    assert ledger.sums() == Sums(Decimal(0), Decimal(0))


def test_a_reservation_without_a_task_ends(
    library: Library, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that dies before it writes the task's row does not use up the budget for ever."""
    library.budget = 1
    ledger.reserve("a", costing("1"), "us")
    with pytest.raises(BudgetExceeded):
        ledger.reserve("b", costing("1"), "us")
    Ledger(library.journal, SERVICE, lambda holder: holder == "us").reserve("b", costing("1"), "others")
    monkeypatch.setattr("qingbo_widgets.library.ledger._LONGEST_SUBMISSION", timedelta(0))
    ledger.reserve("c", costing("1"), "us")


#: The submissions of one process: it prints how many the budget allowed.
PROCESS = """
import sys
from tests.library.test_ledger import SERVICE, costing
from qingbo_widgets import BudgetExceeded
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.ledger import Ledger
from qingbo_widgets.library.library import Library

library, taken = Library(sys.argv[1]), 0
for number in range(20):
    key = f"{sys.argv[2]}{number}"
    try:
        Ledger(library.journal, SERVICE).reserve(key, costing("0.1"), sys.argv[2])
    except BudgetExceeded:
        continue
    library.add(Entry(key=key, service=SERVICE, contract="2026-11", status="processing"))
    taken += 1
print(taken)
"""


@pytest.mark.slow
def test_kernels_do_not_exceed_a_budget_together(library: Library) -> None:
    """Of eighty submissions in four processes at once, exactly as many are allowed as the budget pays for."""
    library.budget = "2.05"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(library.folder), name], stdout=subprocess.PIPE, text=True
        )
        for name in "abcd"
    ]
    taken = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert sum(taken) == 20
    assert Ledger(library.journal, SERVICE).sums() == Sums(Decimal(0), Decimal(2))


def test_threads_do_not_exceed_a_budget_together(library: Library, ledger: Ledger) -> None:
    """Submissions of several threads of one kernel are checked one after the other."""
    library.budget, taken = 1, list[str]()

    def reserve(name: str) -> None:
        try:
            ledger.reserve(name, costing("0.3"), "us")
        except BudgetExceeded:
            return
        taken.append(name)

    threads = [threading.Thread(target=reserve, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 3


@pytest.mark.parametrize("amount", ["", "five", True, -1, "nan", "inf", None, [5]])
def test_no_budget(amount: Any) -> None:
    """A budget that is no amount is refused, and the message has one that is."""
    with pytest.raises(InvalidRequest, match="try 5"):
        Budget(amount)


@pytest.mark.parametrize("choice", [{"per": "week"}, {"unknown": "ask"}, {"per": None}])
def test_no_choice(choice: dict[str, Any]) -> None:
    """The message lists the choices."""
    with pytest.raises(InvalidRequest, match=r'"(all|refuse)" \| "(day|allow)"'):
        Budget(5, **choice)


def test_amounts_are_exact() -> None:
    """A float is read as it is written."""
    assert Budget(0.1).usd + Budget(0.2).usd == Budget(0.3).usd
    assert (str(Budget(5)), str(Budget("0.5", per="day"))) == ("$5.00", "$0.50 a day")


def test_a_deleted_task_counts(library: Library, ledger: Ledger, add: Callable[..., None]) -> None:
    """Deleting videos gives no money back; restored ones count once."""
    library.budget = Budget(2, per="day")
    ledger.reserve("a", costing("1"), "us")
    add("a", status="completed", cost=500_000, model="kling-v3")
    add("b", status="completed", cost=250_000, model="kling-v3")
    add("c", status="unconfirmed", model="kling-v3")
    before = ledger.sums(), list(spending_of(library.journal, SERVICE, "model"))
    deletion = library.delete(["a", "b", "c"])
    assert ledger.sums() == before[0] == Sums(Decimal("1.5"), Decimal(0))
    assert [(row.group, row.spent) for row in spending_of(library.journal, SERVICE, "model")] == [
        ("kling-v3", Decimal("1.5"))
    ]
    with pytest.raises(BudgetExceeded):
        ledger.reserve("d", costing("0.51"), "us")
    library.restore(deletion)
    assert (ledger.sums(), list(spending_of(library.journal, SERVICE, "model"))) == before
    library.delete(["a"])
    assert ledger.sums().spent == Decimal("1.5")


@pytest.mark.slow
def test_in_postgresql(tmp_path: Path, postgresql_url: Callable[..., str]) -> None:
    """A journal on a server has the same budget, sums and refusals, for two kernels at once."""
    database = postgresql_url()
    libraries = [Library(tmp_path / "videos", database=database) for _ in range(2)]
    libraries[0].budget = Budget("0.9", per="day")
    assert libraries[1].budget == Budget("0.9", per="day")
    taken = list[str]()

    def reserve(number: int) -> None:
        library = libraries[number % 2]
        try:
            Ledger(library.journal, SERVICE).reserve(f"{number}", costing("0.25"), "us")
        except BudgetExceeded:
            return
        library.add(Entry(key=f"{number}", service=SERVICE, contract="2026-11", status="processing"))
        taken.append(f"{number}")

    threads = [threading.Thread(target=reserve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 3, "the budget was exceeded, or not used up"
    assert Ledger(libraries[1].journal, SERVICE).sums() == Sums(Decimal(0), Decimal("0.75"))
    libraries[0].budget = None
    assert not libraries[1].has_budget


def test_two_kernels_note_the_same_prices(tmp_path: Path) -> None:
    """Two kernels that note the price of one task at the same time raise nothing; one row remains."""
    libraries = [Library(tmp_path / "videos") for _ in range(2)]
    libraries[0].budget = None
    kernels = [Ledger(library.journal, SERVICE) for library in libraries]
    errors: list[Exception] = []
    together = threading.Barrier(2)

    def note(kernel: Ledger, *, is_new: bool) -> None:
        for number in range(40):
            together.wait(30)
            try:
                kernel.note(f"{number}", costing("1"), "us", is_new=is_new)
            except Exception as error:
                errors.append(error)

    threads = [
        threading.Thread(target=note, args=(kernel,), kwargs={"is_new": is_new})
        for kernel, is_new in zip(kernels, (False, True), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with closing(sqlite3.connect(libraries[0].journal.path)) as database:
        assert database.execute("SELECT count(*) FROM ledger").fetchone() == (40,)


@pytest.mark.parametrize("value", ["abc", b"\0", float("inf"), -5])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("ledger", "price"),
        ("ledger", "holder"),
        ("ledger", "settled"),
        ("tasks", "cost"),
        ("tasks", "frozen"),
    ],
)
def test_damaged_amounts(
    library: Library, ledger: Ledger, add: Callable[..., None], table: str, column: str, value: object
) -> None:
    """SQLite stores any value in any column; one such row neither stops a submission nor gives money back."""
    ledger.reserve("a", costing("1"), "us")
    ledger.reserve("b", costing("1"), "us")
    add("a", status="completed", cost=500_000)
    library.journal.close_connection()
    with closing(sqlite3.connect(library.journal.path)) as database, database:
        database.execute(f"UPDATE {table} SET {column} = ? WHERE key IN ('a', 'b')", (value,))
    library.budget = 5
    ledger.reserve("c", costing("1"), "us")
    assert ledger.sums().spent >= 0
    assert all(row.spent >= 0 for row in spending_of(library.journal, SERVICE, "model"))
    library.delete(["a"])


@pytest.mark.parametrize("value", [float("inf"), 1e300, 2**62, -(2**62)])
@pytest.mark.parametrize(("table", "column"), [("ledger", "price"), ("tasks", "cost"), ("tasks", "frozen")])
def test_a_damaged_amount_leaves_the_others(
    library: Library, ledger: Ledger, add: Callable[..., None], table: str, column: str, value: object
) -> None:
    """The amounts of the other tasks count in the budget all the same."""
    for key in ("a", "b", "c"):
        ledger.note(key, costing("1"), "us")
        add(key, status="processing")
    library.journal.close_connection()
    with closing(sqlite3.connect(library.journal.path)) as database, database:
        database.execute(f"UPDATE {table} SET {column} = ? WHERE key = 'a'", (value,))
    assert ledger.sums().frozen == (2 if column == "price" else 3)
    library.budget = 2
    with pytest.raises(BudgetExceeded):
        ledger.reserve("d", costing("1"), "us")


def test_a_damaged_budget(library: Library, ledger: Ledger) -> None:
    """The error is about the budget, and not about a request."""
    library.budget = 5
    with closing(sqlite3.connect(library.journal.path)) as database, database:
        database.execute("UPDATE budgets SET usd = 'abc'")
    with pytest.raises(QingboError, match=r"library\.budget = 5"):
        ledger.reserve("a", costing("1"), "us")


def test_the_decimal_context_of_a_notebook_changes_nothing(library: Library, ledger: Ledger) -> None:
    """Sums are exact, whatever precision the user computes with."""
    library.budget = "0.5"
    small, large, reserved = costing("0.123456"), costing("0.4"), Decimal("0.123456")
    with localcontext(Context(prec=1, traps=[Inexact])):
        ledger.reserve("a", small, "us")
        assert ledger.sums().frozen == reserved
        with pytest.raises(BudgetExceeded) as refused:
            ledger.reserve("b", large, "us")
    assert refused.value.left == Decimal("0.376544")


def test_midnight_on_the_day_on_which_the_clock_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hour of that day counts, too."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()

    class Late(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Late:
            return cls(2026, 10, 25, 23, 0, tzinfo=tz)

    try:
        monkeypatch.setattr("qingbo_widgets.library.budget.datetime", Late)
        assert Budget(5, per="day").since == datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
