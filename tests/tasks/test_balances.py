"""``Balances``: the balance of a manager's account, at the real sandbox and at servers that fail."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox.faults import Faults
from qingbo_widgets.tasks import balances as module
from qingbo_widgets.tasks.balances import Balances
from tests.faults.server import Exchange, FaultServer, Step, answer, html, silence
from tests.waiting import until

KEY = "sk-sentinel-0123456789"
KOI: dict[str, Any] = {"model": "kling-v3", "prompt": "A koi", "resolution": "720p", "duration": 5}
BALANCE = "/v1/dashboard/billing/balance"
NO_SUCH_PAGE = answer({"detail": "Not Found"}, 404)


class View:
    """A view that counts how often it is drawn."""

    drawn = 0

    def draw(self) -> None:
        """Draw the balance."""
        self.drawn += 1


class Clock:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Account:
    """The answers of a service whose tasks fail at once, and whose balance a test sets."""

    def __init__(self) -> None:
        self.balance: Step = answer({"total_available_usd": 5})
        self.submit: Step | None = None
        self.tasks = 0

    def __call__(self, exchange: Exchange) -> bool:
        """Answer a request."""
        method, path = exchange.request.method, exchange.request.path
        if path == BALANCE:
            return self.balance(exchange)
        if method == "POST" and self.submit is not None:
            return self.submit(exchange)
        if method == "POST":
            self.tasks += 1
            return answer({"task_id": f"task-{self.tasks}", "status": "queued"})(exchange)
        error = {"message": "no", "code": "task_failed"}
        name = path.rpartition("/")[2]
        return answer({"task_id": name, "status": "failed", "cost": 0, "error": error})(exchange)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ends of tasks wait for others only for a moment."""
    monkeypatch.setattr(module, "TOGETHER", 0.05)


@pytest.fixture
def account() -> Account:
    """Return the answers of the service."""
    return Account()


@pytest.fixture
def service(account: Account, no_proxy: None) -> Iterator[FaultServer]:
    """Yield the service."""
    with FaultServer(otherwise=account) as service:
        yield service


@pytest.fixture
def client(service: FaultServer) -> qw.Client:
    """Return a client of the service."""
    return qw.Client(KEY, service.url + "/v1", contract="2026-11")


@pytest.fixture
def manager(client: qw.Client, workdir: Path) -> Iterator[qw.TaskManager]:
    """Yield a manager of the service."""
    with qw.TaskManager(client, qw.Library(workdir / "videos"), poll_interval=0.1) as manager:
        yield manager


def asked(service: FaultServer) -> int:
    """Return how often the service was asked for the balance."""
    return sum(request.path == BALANCE for request in service.requests)


def end_a_task(manager: qw.TaskManager) -> qw.Task:
    """Submit a task, wait for its end, and return it."""
    task = manager.submit(**KOI)
    until(lambda: task.is_done)
    return task


@pytest.mark.slow
def test_the_balance_falls_after_a_task(workdir: Path) -> None:
    """A view has the balance from the start, and the new one after the end of a task, without a call."""
    with qw.Sandbox(speed=200, draft=True, contract="2026-11") as sandbox:
        manager = qw.connect(sandbox=sandbox, library=workdir / "videos")
        manager.poll_interval = 0.1
        view = View()
        manager.balances.watch(view.draw)
        first = until(lambda: manager.balances.latest)
        assert (first.available, view.drawn) == (20, 1)
        end_a_task(manager).wait(30)
        until(lambda: manager.balances.latest.available == Decimal("19.622"))
        assert view.drawn == 2, "the page gets the same text twice"
        assert qw.balance() == manager.balances.latest


def test_what_a_caller_asked_for_is_the_latest_for_the_views(
    manager: qw.TaskManager, account: Account
) -> None:
    """``manager.balance()`` changes what the views show."""
    view = View()
    manager.balances.watch(view.draw)
    until(lambda: view.drawn)
    account.balance = answer({"total_available_usd": 4})
    balance = manager.balance()
    assert balance.available == 4
    assert (manager.balances.latest, view.drawn) == (balance, 2)


def test_nothing_is_asked_while_nothing_watches(manager: qw.TaskManager, service: FaultServer) -> None:
    """Without a view, and after the last one is gone, the end of a task makes no request for the balance."""
    end_a_task(manager)
    view, other = View(), View()
    manager.balances.watch(view.draw)
    until(lambda: manager.balances.latest)
    manager.balances.watch(other.draw)
    manager.balances.unwatch(view.draw)
    del other
    gc.collect()
    end_a_task(manager)
    assert not manager.balances._is_due
    assert asked(service) == 1


def test_many_ends_make_one_request(
    client: qw.Client, service: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tasks end and studios watch, the service is asked once for all of them."""
    monkeypatch.setattr(module, "TOGETHER", 0.5)
    balances, views = Balances(lambda: client, lambda: False), [View() for _ in range(3)]
    balances.watch(views[0].draw)
    until(lambda: views[0].drawn)
    for view in views[1:]:
        balances.watch(view.draw)
    assert asked(service) == 1, "each further studio asks the service"
    for _ in range(20):
        balances.ask_soon()
    until(lambda: [view.drawn for view in views] == [2, 1, 1])
    assert asked(service) == 2


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (NO_SUCH_PAGE, 3600),
        (html("<h1>Not found</h1>", 404), 3600),
        (answer({"error": {"message": "no"}}, 401), 3600),
        (answer({"object": "credit_summary"}), 3600),
        (answer({"total_available_usd": "many"}), 3600),
        (answer({"error": {"message": "no"}}, 500), 60),
        (answer({"error": {"message": "later"}}, 429), 60),
        (html("<h1>Bad gateway</h1>"), 60),
        (silence, 60),
    ],
    ids=["404", "page", "401", "no amount", "no number", "500", "429", "502", "silence"],
)
def test_a_service_without_a_balance(
    client: qw.Client,
    service: FaultServer,
    account: Account,
    failure: Step,
    seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is known, nothing waits, and the ends of further tasks do not ask before some time."""
    monkeypatch.setattr(module, "TIMEOUT", (3.0, 0.3))
    good, account.balance = account.balance, failure
    clock, view = Clock(), View()
    balances = Balances(lambda: client, lambda: False, clock)
    balances.watch(view.draw)
    until(lambda: balances._silent_until > 0)
    asked_at_first = asked(service)
    for clock.now in (1.0, seconds - 1):
        balances.ask_soon()
        assert not balances._is_due
    assert (balances.latest, view.drawn, asked(service)) == (None, 0, asked_at_first)
    clock.now, account.balance = seconds + 1, good
    balances.ask_soon()
    assert until(lambda: balances.latest).available == 5


def test_a_failure_keeps_what_was_known(manager: qw.TaskManager, account: Account) -> None:
    """After a fault, the views show the last balance, with its date."""
    view = View()
    manager.balances.watch(view.draw)
    known = until(lambda: manager.balances.latest)
    account.balance = NO_SUCH_PAGE
    end_a_task(manager)
    until(lambda: manager.balances._silent_until > 0)
    assert manager.balances.latest is known


def test_a_contract_without_a_balance_is_not_asked(service: FaultServer, workdir: Path) -> None:
    """Contract 2026-04 documents no balance: views get none, and a caller the reason."""
    view = View()
    client = qw.Client(KEY, service.url + "/v1", contract="2026-04")
    with qw.TaskManager(client, qw.Library(workdir / "videos")) as manager:
        manager.balances.watch(view.draw)
        assert not manager.balances._is_due
        with pytest.raises(qw.QingboError, match="no balance"):
            manager.balance()
    assert (asked(service), view.drawn) == (0, 0)


def test_another_key_has_another_account(manager: qw.TaskManager, account: Account) -> None:
    """The balance of the former key's account is not shown for the new one, which is asked for at once."""
    view = View()
    manager.balances.watch(view.draw)
    until(lambda: manager.balances.latest)
    account.submit = answer({"error": {"message": "empty"}}, 402)
    end_a_task(manager)
    until(lambda: manager.balances.refusal)
    account.balance = answer({"total_available_usd": 7})
    manager.change_client(manager.client.with_key("sk-another-0123456789"))
    assert manager.balances.refusal is None
    until(lambda: manager.balances.latest is not None and manager.balances.latest.available == 7)


def test_an_answer_to_the_former_key_is_dropped(manager: qw.TaskManager, account: Account) -> None:
    """A balance that was requested with the former key does not become that of the new one."""
    new = manager.client.with_key("sk-another-0123456789")

    def change_meanwhile(exchange: Exchange) -> bool:
        manager.change_client(new)
        return answer({"total_available_usd": 1})(exchange)

    account.balance = change_meanwhile
    assert manager.balance().available == 1, "the caller gets the answer"
    assert manager.balances.latest is None


REFUSALS: dict[str, tuple[Any, type[qw.ServiceError]]] = {
    "402": (answer({"error": {"message": "empty"}}, 402), qw.InsufficientBalance),
    "window": (
        answer({"error": {"message": "used", "code": "quota_window_exceeded", "reset_at": 2e9}}, 429),
        qw.RateLimited,
    ),
    "403": (answer({"error": {"message": "no", "code": "odd"}}, 403), qw.ServiceError),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_lasts_until_a_submission_succeeds(
    manager: qw.TaskManager, account: Account, name: str
) -> None:
    """The refusal is kept for the views, and ends with the next task that the service accepts."""
    account.submit, kind = REFUSALS[name]
    task = end_a_task(manager)
    assert isinstance(task.error, kind)
    assert "Nothing was charged." in str(task.error)
    assert manager.balances.refusal is task.error
    account.submit = None
    end_a_task(manager)
    assert manager.balances.refusal is None


def test_a_refusal_ends_with_a_balance_that_has_risen(manager: qw.TaskManager, account: Account) -> None:
    """The same balance after a refusal says nothing new; after a top-up, the hint goes."""
    view = View()
    manager.balances.watch(view.draw)
    account.submit, _ = REFUSALS["402"]
    end_a_task(manager)
    for amount in (0.2, 0.2, 0.1):
        account.balance = answer({"total_available_usd": amount})
        manager.balance()
        assert manager.balances.refusal is not None
    account.balance = answer({"total_available_usd": 10})
    manager.balance()
    assert manager.balances.refusal is None


@pytest.mark.parametrize(
    "refusal",
    [
        answer({"error": {"message": "bad", "code": "capability_violation"}}, 400),
        answer({"error": {"message": "bad", "code": "model_not_found"}}, 404),
    ],
)
def test_other_refusals_are_not_about_money(manager: qw.TaskManager, account: Account, refusal: Step) -> None:
    """A request that the service does not accept says nothing about the account."""
    account.submit = refusal
    end_a_task(manager)
    assert manager.balances.refusal is None


@pytest.mark.slow
def test_the_sandbox_refuses_as_the_service_does(workdir: Path) -> None:
    """The real refusals of a sandbox: an empty account, and a window with its end."""
    with qw.Sandbox(speed=200, draft=True, contract="2026-11", credit=0.3) as sandbox:
        manager = qw.connect(sandbox=sandbox, library=workdir / "videos")
        assert isinstance(end_a_task(manager).error, qw.InsufficientBalance)
        assert isinstance(manager.balances.refusal, qw.InsufficientBalance)
        sandbox.faults = Faults(quota_window=3600)
        end_a_task(manager)
        refusal = manager.balances.refusal
        assert isinstance(refusal, qw.RateLimited)
        assert refusal.reset_at is not None


def test_a_view_that_fails_disturbs_no_other(
    manager: qw.TaskManager, caplog: pytest.LogCaptureFixture
) -> None:
    """The other views are drawn, and the log has the error."""

    class Broken:
        def draw(self) -> None:
            raise ValueError("broken view")

    broken, view = Broken(), View()
    manager.balances.watch(broken.draw)
    manager.balances.watch(view.draw)
    until(lambda: view.drawn)
    assert "broken view" in caplog.text
