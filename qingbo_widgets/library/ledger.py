"""``Ledger``: the amount that each submission reserves, and the sums against which budgets are checked.

A reservation is written before its task's row, in a transaction that admits one kernel at a time. So two
kernels on one folder cannot exceed a budget together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import sqlalchemy as sa

from ..exceptions import BudgetExceeded, InvalidRequest, QingboError
from ..i18n import N_, tr
from ..service.contract.pricing.numbers import EXACT
from ..service.contract.pricing.price import Price, PriceSource
from ..service.contract.quota import PENDING, REFUNDED, dollars
from ..service.contract.service_names import normalised
from ..service.contract.snapshot import TaskStatus
from ..service.contract.terms import RATES
from ..service.contract.text import shorten
from .budget import Budget
from .entry import ENDED, Entry
from .journal.journal import Journal
from .journal.rows import text_of
from .journal.tables import budgets, ledger, tasks

__all__ = ["SETTLED", "WITH_LEDGER", "Ledger", "Sums", "keep_amounts", "read_budget", "write_budget"]

#: Time for which a submission can be going on, with its upload, before its kernel is taken for dead.
_LONGEST_SUBMISSION = timedelta(hours=1)
#: Time from the creation of a task until its price has arrived; a later one was requested afterwards.
_LONGEST_QUESTION = timedelta(minutes=1)
#: Keys in one query; SQLite takes 999 values in old versions.
_MOST_KEYS = 500
#: Quota beyond any amount of a task; with more in a damaged row, a sum overflows.
_MOST_QUOTA = 10**15
#: An arbitrary number for PostgreSQL's advisory lock.
_LOCK = 7_164_220_260_410_003
_OVER = N_(
    "Not submitted, nothing was charged: it costs {price}, and of the budget of {budget}, {left} is left "
    "({spent} spent, {frozen} reserved). A higher budget allows it."
)
_NO_DOLLARS = N_("The documentation of its contract does not say what a unit of quota costs.")
_UNREADABLE = N_("The budget of this folder cannot be read. Set it again: library.budget = 5")
_UNKNOWN = N_(
    "Not submitted, nothing was charged: there is a budget of {budget}, and the price is not known. {reason} "
    'Budget({usd}, unknown="allow") submits it.'
)


@dataclass(frozen=True)
class Sums:
    """The money of the tasks that a budget counts, in US dollars.

    Attributes:
        spent: the settled amounts; a refunded task counts as nothing.
        frozen: the amounts of tasks that have not ended: reserved by the service, or expected.
    """

    spent: Decimal
    frozen: Decimal


@dataclass(frozen=True)
class _Bound:
    """A budget and the tasks that it counts.

    Attributes:
        budget: the budget.
        holder: the kernel whose tasks count; ``None`` for all tasks of the library.
    """

    budget: Budget
    holder: str | None = None


def read_budget(journal: Journal) -> Budget | None:
    """Return the budget of a folder."""
    with journal.begin() as connection:
        return _budget(connection)


def write_budget(journal: Journal, budget: Budget | None) -> None:
    """Set or remove the budget of a folder."""
    with journal.begin() as connection:
        connection.execute(budgets.delete())
        if budget is not None:
            row = {"id": 1, "usd": str(budget.usd), "per": budget.per, "unknown": budget.unknown}
            connection.execute(budgets.insert().values(**row))


def keep_amounts(connection: sa.Connection, entries: Iterable[Entry]) -> None:
    """Note what tasks have cost that are about to be deleted: a budget counts them all the same.

    A task that is restored counts by its own row again.

    Args:
        connection: a connection in the transaction that deletes their rows.
        entries: the tasks.
    """
    for entry in entries:
        key = ledger.c.key == entry.key
        query = (
            sa.select(SETTLED + _OPEN, ledger.c.key).select_from(WITH_LEDGER).where(tasks.c.key == entry.key)
        )
        amount, known = connection.execute(query).one()
        amount = amount if type(amount) is int else 0
        columns = {"settled": amount, "contract": entry.contract, "model": entry.model}
        columns["submitted_at"] = entry.submitted_at
        if known is not None:
            connection.execute(ledger.update().where(key).values(**columns))
        elif amount:
            row = {"key": entry.key, "service": entry.service, "at": datetime.now(UTC), "source": ""}
            connection.execute(ledger.insert().values(**row, **columns))


class Ledger:
    """The reservations and sums of one library and one service.

    Args:
        journal: the database.
        service: the service, as in the journal's task rows.
        is_dead: returns whether a kernel has certainly ended, by its name as a holder; a reservation of its
            that has no task row is void.
    """

    def __init__(
        self, journal: Journal, service: str, is_dead: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._journal, self._service, self._is_dead = journal, normalised(service), is_dead

    def reserve(self, key: str, price: Price, holder: str, own: Budget | None = None) -> None:
        """Record what a submission is expected to cost, unless a budget forbids it.

        Args:
            key: the task's key.
            price: the price; an unknown one is recorded as such.
            holder: the kernel that submits it.
            own: the budget of this kernel.

        Raises:
            BudgetExceeded: the task would exceed the budget of this kernel or that of the folder, or its
                price is not known and a budget refuses that. Nothing is recorded.
            QingboError: the journal cannot be written.
        """
        with self._journal.begin() as connection, localcontext(EXACT):
            _lock(connection)
            connection.execute(ledger.delete().where(ledger.c.key == key))
            row = self._row(key, price, holder) | {"is_open": True}
            connection.execute(ledger.insert().values(**row))  # SQLite's write lock from here on
            shared = _budget(connection)
            bounds = [*([_Bound(own, holder)] if own else []), *([_Bound(shared)] if shared else [])]
            for bound in bounds:
                _check(bound, price, self._sums(connection, bound, but=key))

    def unpriced(self) -> list[tuple[str, Mapping[str, Any] | None]]:
        """Return the key and the request of each task that has not ended, and has no amount yet."""
        query = (
            sa.select(tasks.c.key, tasks.c.request)
            .select_from(WITH_LEDGER)
            .where(ledger.c.key.is_(None), tasks.c.frozen.is_(None), tasks.c.status.not_in(ENDED))
            .where(tasks.c.contract.in_(list(RATES)))
        )
        with self._journal.begin() as connection:
            found = connection.execute(query.where(tasks.c.service.in_(self._spellings(connection))))
            return [(text_of(key), request) for key, request in found]

    def note(self, key: str, price: Price, holder: str | None, *, is_new: bool = False) -> None:
        """Record the price of a task that was submitted without a budget.

        Args:
            key: the task's key.
            price: the price.
            holder: the kernel that has submitted it.
            is_new: whether the price replaces that of an earlier submission. A reservation stays.
        """
        with self._journal.begin() as connection:
            _lock(connection)
            if is_new:
                is_over = ~ledger.c.is_open, ledger.c.settled.is_(None)
                connection.execute(ledger.delete().where(ledger.c.key == key, *is_over))
            # A write, not a query, so that SQLite admits no other row of the task in between.
            same = ledger.update().where(ledger.c.key == key).values(key=key)
            if connection.execute(same).rowcount == 0:
                connection.execute(ledger.insert().values(**self._row(key, price, holder)))

    def prices(self, keys: Sequence[str]) -> dict[str, Price]:
        """Return the recorded price of each task that was known right before its submission, by its key.

        Left out are prices that were found later, for a budget, and those of tasks that were submitted again
        before the service confirmed them: they may count twice in a budget.

        Args:
            keys: the tasks' keys.
        """
        found: dict[str, Price] = {}
        with self._journal.begin() as connection, localcontext(EXACT):
            for first in range(0, len(keys), _MOST_KEYS):
                of_some = ledger.c.key.in_(keys[first : first + _MOST_KEYS])
                for row in connection.execute(_PRICES.where(of_some)):
                    if (price := _price_in(row)) is not None:
                        found[text_of(row.key)] = price
        return found

    def close(self, key: str) -> None:
        """Note that a submission is over; from now on the row of its task decides what it counts as."""
        with self._journal.begin() as connection:
            connection.execute(ledger.update().where(ledger.c.key == key).values(is_open=False))

    def _row(self, key: str, price: Price, holder: str | None) -> dict[str, Any]:
        return {
            "key": key,
            "service": self._service,
            "holder": holder,
            "at": datetime.now(UTC),
            "price": None if price.usd is None else price.quota,
            "source": price.source.value,
            "price_at": price.as_of,
        }

    def sums(self, budget: Budget | None = None, holder: str | None = None) -> Sums:
        """Return what the tasks of the folder, or of one kernel, have cost and reserve."""
        with self._journal.begin() as connection, localcontext(EXACT):
            return self._sums(connection, _Bound(budget or Budget(0), holder))

    def amounts(
        self,
        group: sa.ColumnElement[Any],
        name: Callable[[Any], str],
        joined: sa.Table | None = None,
        *,
        costs: Sequence[sa.ColumnElement[Any]] = (),
        of_tasks: Sequence[sa.ColumnElement[Any]] = (),
    ) -> Iterator[tuple[Any, ...]]:
        """Yield for each group the number of its tasks, what they have spent and reserve, and further sums.

        Only tasks count whose amounts are in US dollars. There is one row of a group for each contract.

        Args:
            group: the column of the values that make the groups.
            name: returns the group of a value.
            joined: the table of that column, with a column ``key``, if it is another one than the tasks'; a
                task that is not in it has the value ``None``.
            costs: expressions in quota to sum in US dollars; a deleted task has none of them.
            of_tasks: expressions to sum as they are; a deleted task has none of them.
        """
        source = WITH_LEDGER if joined is None else WITH_LEDGER.outerjoin(joined, tasks.c.key == joined.c.key)
        columns = (SETTLED, _OPEN, *costs, *of_tasks)
        query = sa.select(group, tasks.c.contract, sa.func.count(), *map(sa.func.sum, columns))
        query = query.select_from(source).group_by(group, tasks.c.contract)
        same = ledger.c.get(group.name) if joined is None else None
        value = sa.null() if same is None else same
        deleted = sa.select(
            value, ledger.c.contract, sa.func.count(), sa.func.sum(_plausible(ledger.c.settled))
        )
        deleted = deleted.select_from(_WITHOUT_TASK).where(*self._is_deleted())
        deleted = deleted.group_by(ledger.c.contract, *(() if same is None else (same,)))
        with self._journal.begin() as connection:
            of_service = tasks.c.service.in_(self._spellings(connection))
            rows = [
                *connection.execute(query.where(of_service, tasks.c.contract.in_(list(RATES)))),
                *connection.execute(deleted),
            ]
        totals: dict[tuple[str, str], list[Any]] = {}
        for of_value, contract, *sums in rows:
            total = totals.setdefault((name(of_value), contract), [0] * (1 + len(columns)))
            for place, amount in enumerate(sums):
                total[place] += amount or 0
        last = 2 + len(costs)
        for (named, contract), (number, *sums) in totals.items():
            with localcontext(EXACT):
                money = [_usd(amount, RATES[contract]) for amount in sums[:last]]
            yield named, number, *money, *sums[last:]

    def release(self, key: str) -> None:
        """Forget the reservation of a task that was not submitted."""
        with self._journal.begin() as connection:
            connection.execute(ledger.delete().where(ledger.c.key == key))

    def _sums(self, connection: sa.Connection, bound: _Bound, *, but: str = "") -> Sums:
        """Return the sums of a bound, without one task.

        Another kernel may write a task's row meanwhile, which some databases show to the next query. In this
        order it then counts twice, and never not at all.
        """
        mine = [ledger.c.key != but, ledger.c.service == self._service]
        if bound.holder is not None:
            mine.append(ledger.c.holder == bound.holder)
        spent, frozen = Decimal(0), self._unwritten(connection, mine)
        of_tasks = [tasks.c.key != but, tasks.c.service.in_(self._spellings(connection))]
        of_tasks += [tasks.c.contract.in_(list(RATES)), *mine[2:]]
        deleted = [*mine, *self._is_deleted()]
        if (since := bound.budget.since) is not None:
            of_tasks.append(tasks.c.submitted_at >= since)
            deleted.append(ledger.c.submitted_at >= since)
        for contract, settled, running in (
            *connection.execute(_SUM_OF_TASKS.where(*of_tasks)),
            *connection.execute(_SUM_OF_DELETED.where(*deleted)),
        ):
            spent += _usd(settled, RATES[contract])
            frozen += _usd(running, RATES[contract])
        return Sums(spent, frozen)

    def _unwritten(self, connection: sa.Connection, mine: Sequence[sa.ColumnElement[bool]]) -> Decimal:
        """Return what is reserved for submissions of living kernels that no row of a task counts yet."""
        is_recent = ledger.c.at >= datetime.now(UTC) - _LONGEST_SUBMISSION
        found = connection.execute(_RESERVED.where(is_recent, *mine))
        rate = max(RATES.values())
        amounts = (_usd(price, rate) for holder, price in found if not self._is_dead(text_of(holder)))
        return sum(amounts, Decimal(0))

    def _is_deleted(self) -> list[sa.ColumnElement[bool]]:
        """Return the conditions for the amounts of deleted tasks of this service."""
        is_known = ledger.c.contract.in_(list(RATES))
        return [
            tasks.c.key.is_(None),
            ledger.c.settled.is_not(None),
            ledger.c.service == self._service,
            is_known,
        ]

    def _spellings(self, connection: sa.Connection) -> Sequence[str]:
        names = connection.execute(sa.select(tasks.c.service).distinct()).scalars()
        return [name for name in names if isinstance(name, str) and normalised(name) == self._service]


def _price_in(row: Any) -> Price | None:
    """Return the price in a row of ``_PRICES``; ``None`` if it was not known right before the submission."""
    rate, quota = RATES.get(row.contract), row.price
    if (
        rate is None
        or type(quota) is not int
        or quota < 0
        or row.price_at is None
        or row.submitted_at is None
    ):
        return None
    if row.price_at > row.submitted_at + _LONGEST_QUESTION:
        return None
    try:
        source = PriceSource(row.source)
    except ValueError:
        return None
    return Price(Decimal(quota) / rate, quota, True, source, row.price_at)


def _plausible(amount: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return an amount, or NULL in place of one that no task can have, which would change the whole sum."""
    return sa.case((amount.between(0, sa.literal(_MOST_QUOTA, sa.BigInteger)), amount))


WITH_LEDGER = tasks.outerjoin(ledger, tasks.c.key == ledger.c.key)
_WITHOUT_TASK = ledger.outerjoin(tasks, tasks.c.key == ledger.c.key)
_WITHOUT_VIDEO = (TaskStatus.failed.value, TaskStatus.cancelled.value)
_EXPECTED = sa.func.coalesce(_plausible(tasks.c.frozen), _plausible(ledger.c.price), 0)
_COST = _plausible(tasks.c.cost)
_BILLING = sa.func.lower(sa.func.coalesce(tasks.c.billing_status, ""))
#: A refund that the service has not made yet.
_IS_PENDING = sa.and_(tasks.c.status.in_(_WITHOUT_VIDEO), _BILLING.in_(PENDING))
#: What an ended task has cost: nothing if the answer says that it was refunded. One that failed or was
#: cancelled is refunded too, unless the answer has a cost, or a state of the billing that is no refund.
SETTLED = sa.case(
    (sa.or_(_IS_PENDING, _BILLING == REFUNDED), 0),
    (sa.and_(tasks.c.status.in_(_WITHOUT_VIDEO), _BILLING == ""), sa.func.coalesce(_COST, 0)),
    (tasks.c.status.in_(ENDED), sa.func.coalesce(_COST, _EXPECTED)),
    else_=0,
)
_OPEN = sa.case((_IS_PENDING, _EXPECTED), (tasks.c.status.in_(ENDED), 0), else_=_EXPECTED)
_SUM_OF_TASKS = (
    sa.select(tasks.c.contract, sa.func.sum(SETTLED), sa.func.sum(_OPEN))
    .select_from(WITH_LEDGER)
    .group_by(tasks.c.contract)
)
_SUM_OF_DELETED = (
    sa.select(ledger.c.contract, sa.func.sum(_plausible(ledger.c.settled)), sa.literal(0))
    .select_from(_WITHOUT_TASK)
    .group_by(ledger.c.contract)
)
_PRICES = (
    sa.select(ledger.c.key, ledger.c.price, ledger.c.source, ledger.c.price_at)
    .add_columns(tasks.c.contract, tasks.c.submitted_at)
    .select_from(WITH_LEDGER)
    .where(ledger.c.price.is_not(None), tasks.c.first_submitted_at.is_(None))
)
_RESERVED = (
    sa.select(ledger.c.holder, _plausible(ledger.c.price))
    .select_from(_WITHOUT_TASK)
    .where(ledger.c.is_open, ledger.c.settled.is_(None))
    .where(sa.or_(tasks.c.key.is_(None), sa.and_(tasks.c.status.in_(_WITHOUT_VIDEO), tasks.c.task_id == "")))
)


def _check(bound: _Bound, price: Price, sums: Sums) -> None:
    budget = bound.budget
    left = max(budget.usd - sums.spent - sums.frozen, Decimal(0))
    facts = {"budget": budget.usd, "spent": sums.spent, "frozen": sums.frozen, "left": left}
    if price.usd is None:
        if budget.unknown == "allow":
            return
        reason = shorten(price.reason or tr(_NO_DOLLARS), 300)
        text = tr(_UNKNOWN).format(budget=budget, reason=reason, usd=budget.usd)
        raise BudgetExceeded(text, price=None, **facts)
    if price.usd > left:
        amounts = {"spent": dollars(sums.spent), "frozen": dollars(sums.frozen), "left": dollars(left)}
        text = tr(_OVER).format(price=price, budget=budget, **amounts)
        raise BudgetExceeded(text, price=price.usd, **facts)


def _budget(connection: sa.Connection) -> Budget | None:
    row = connection.execute(sa.select(budgets)).first()
    try:
        return None if row is None else Budget(row.usd, row.per, row.unknown)
    except InvalidRequest:
        raise QingboError(tr(_UNREADABLE)) from None


def _lock(connection: sa.Connection) -> None:
    """Admit one kernel at a time; SQLite does that with the first write."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _usd(quota: Any, rate: int) -> Decimal:
    """Return an amount in US dollars; 0 for a value that a damaged row has in its place."""
    try:
        return Decimal(int(quota or 0)) / rate
    except (TypeError, ValueError, OverflowError):
        return Decimal(0)
