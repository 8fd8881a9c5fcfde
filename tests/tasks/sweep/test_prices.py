"""The price of a sweep: in its question before anything is sent, and at a budget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults
from qingbo_widgets.tasks.sweep import prices
from qingbo_widgets.tasks.sweep.cell import CellState
from qingbo_widgets.widgets.sweep.static_copy import plain_text, static_copy
from tests.tasks.conftest import PRICED
from tests.waiting import until
from tests.widgets.page import read

BOTH = ["kling-v3", "kling-v2-6"]
QUESTION = "Price: $1.134 ($0.189 to $0.378 each)."


@pytest.fixture
def quoted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the model of each request for a price."""
    asked, quote = [], qw.Client.quote

    def noted(client: qw.Client, request: qw.VideoRequest) -> qw.Price:
        asked.append(request.model)
        return quote(client, request)

    monkeypatch.setattr(qw.Client, "quote", noted)
    return asked


def test_the_question_has_the_price(
    priced: qw.TaskManager, priced_server: qw.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The announcement, the repr, the error of waiting and the texts have the sum and the range."""
    made = qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED)
    assert QUESTION in capsys.readouterr().out, "the user is asked without a price"
    assert QUESTION in repr(made)
    with pytest.raises(qw.QingboError) as refused:
        made.wait()
    assert QUESTION in str(refused.value)
    assert QUESTION in plain_text(made)
    assert QUESTION in read(static_copy(made))
    total = made.price()
    assert total.price.usd == Decimal("1.134")
    assert (total.least, total.most) == (
        priced.price(made.cells[1].request),
        priced.price(made.cells[0].request),
    )
    assert (total.count, total.unknown) == (4, 0)
    assert not priced_server.requests


def test_each_kind_is_asked_about_once(priced: qw.TaskManager, quoted: list[str]) -> None:
    """Twelve cells of two models are two questions, and a price that is known is not asked for again."""
    made = qw.sweep(
        prompt=["a", "b", "c"], model=BOTH, repeat=2, manager=priced, ask_above=0, **PRICED
    )  # fmt: skip
    assert sorted(quoted) == sorted(BOTH), "the service was asked about equal requests"
    assert made.price().price.usd == 6 * Decimal("0.567")
    assert sorted(quoted) == sorted(BOTH)


def test_what_a_picture_shows_makes_no_kind(priced: qw.TaskManager, quoted: list[str]) -> None:
    """A sweep over many pictures asks once."""
    pictures = [f"https://example.com/{number}.jpg" for number in range(5)]
    made = qw.sweep(prompt="a", image=pictures, manager=priced, ask_above=0, **PRICED)
    assert len(quoted) == 1
    assert made.price().price.usd == 5 * Decimal("0.378")


def test_only_what_waits_is_counted(priced: qw.TaskManager) -> None:
    """A cancelled cell costs nothing, and a sweep without a waiting cell neither."""
    made = qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED)
    made.cells[0].cancel()
    assert made.price().price.usd == Decimal("0.756")
    made.cancel()
    assert made.price().price.usd == 0


def test_a_price_that_is_not_known_is_left_out(
    priced: qw.TaskManager, priced_server: qw.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sum says that it is without some tasks, and why."""
    priced_server.prices = {"kling-v2-6": {}}
    made = qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED)
    printed = capsys.readouterr().out
    assert "$0.756, without 2 of 4 tasks, whose price is not known." in printed, printed
    assert made.price().unknown == 2


def test_a_service_that_hangs_does_not_stop_the_question(
    priced: qw.TaskManager,
    priced_server: qw.Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sweep says that the price is not known yet and goes on; the price is there when it was answered."""
    monkeypatch.setattr(prices, "LONGEST_WAIT", 0.1)
    answers, find = threading.Event(), priced.prices.price

    def late(request: qw.VideoRequest) -> qw.Price:
        answers.wait(30)
        return find(request)

    monkeypatch.setattr(priced.prices, "price", late)
    made = qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED)
    assert "The price is not known: The service has not answered yet." in capsys.readouterr().out
    assert made.prices.known(made.cells) is None
    answers.set()
    until(lambda: QUESTION in repr(made), 30)


def test_a_contract_without_prices(manager: qw.TaskManager, capsys: pytest.CaptureFixture[str]) -> None:
    """Contract 2026-04 states no prices, and the question says so in one phrase."""
    made = qw.sweep(prompt=["a", "b"], duration=5, manager=manager, ask_above=0)
    printed = capsys.readouterr().out
    assert printed.count("not known") == 1, printed
    assert "contract 2026-04 states no prices" in printed
    assert not made.price().price.is_known


def test_a_closed_manager_has_no_price(priced: qw.TaskManager) -> None:
    """The error says that it is closed, not that the price is unknown."""
    made = qw.sweep(prompt="a", manager=priced, ask_above=0, **PRICED)
    priced.close()
    with pytest.raises(qw.QingboError, match="closed"):
        made.price()


# ---------------------------------------------------------------------- at a budget


def test_a_sweep_at_its_budget_says_what_it_stopped(
    make_priced: Callable[..., qw.TaskManager], priced_server: qw.Sandbox
) -> None:
    """The number of cells, their price and what is left are in every view; no cell counts as failed.

    The cells before the bound are sent, although the pause comes while they are being sent.
    """
    manager = make_priced(budget=1)
    made = qw.sweep(prompt=list("abcde"), manager=manager, ask_above=0, **PRICED).start()
    until(lambda: made.state == "paused" and not made.counts[CellState.running], 60)
    texts = [made.reason, repr(made), plain_text(made), read(static_copy(made))]
    for text in texts:
        assert "Paused at the budget of $1.00: $0.244 is left" in text, text
        assert "the next video costs $0.378" in text
        assert "Cells that were not sent: 3, together $1.134." in text
    assert made.counts == {**dict.fromkeys(CellState, 0), CellState.waiting: 3, CellState.finished: 2}
    assert [cell.task for cell in made.cells[2:]] == [None] * 3
    assert len(priced_server.requests) == 2
    manager.budget = 5
    made.resume()
    until(lambda: made.state == "ended", 60)
    assert made.counts[CellState.finished] == 5


def test_a_budget_and_an_unknown_price(
    make_priced: Callable[..., qw.TaskManager], priced_server: qw.Sandbox
) -> None:
    """The pause says that the price is the reason, and how many cells wait."""
    priced_server.faults = Faults(price_missing=True)
    priced_server.prices = {"kling-v3": {}}
    made = qw.sweep(prompt=list("ab"), manager=make_priced(budget=5), ask_above=0, **PRICED).start()
    until(lambda: made.state == "paused", 30)
    assert "the price is not known" in made.reason
    assert "Cells that were not sent: 2." in made.reason
    assert made.counts[CellState.waiting] == 2


def test_a_retried_cell_at_the_budget_waits(
    make_priced: Callable[..., qw.TaskManager], priced_server: qw.Sandbox
) -> None:
    """A failed cell that is tried again beyond the budget waits; it does not fail once more."""
    priced_server.faults = Faults(fail="upstream_unavailable")
    manager = make_priced(budget=Decimal("0.378"))
    made = qw.sweep(prompt="a", manager=manager, **PRICED).wait(60)
    priced_server.faults = Faults()
    manager.budget = Decimal("0.1")
    made.retry_failed()
    until(lambda: made.state == "paused", 30)
    assert made.cells[0].state == CellState.waiting
    assert "Cells that were not sent: 1, together $0.378." in made.reason


def test_a_pause_of_the_user_still_holds_back(
    make_priced: Callable[..., qw.TaskManager], priced_server: qw.Sandbox
) -> None:
    """After a pause at the budget and a resumption, ``pause`` stops what is not sent yet."""
    manager = make_priced(budget=Decimal("0.3"))
    made: Any = qw.sweep(prompt=list("ab"), manager=manager, ask_above=0, **PRICED).start()
    until(lambda: made.state == "paused", 30)
    manager.budget = 5
    made.observe(lambda change: change["new"] == "running" and made.pause(), "state")
    made.resume()
    until(lambda: made.state == "paused" and not made.counts[CellState.running], 30)
    assert made.reason == ""
    assert not priced_server.requests
