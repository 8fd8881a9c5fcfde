"""The head of a studio: what money is left, whether it is enough, what was refused; and where that is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient

import qingbo_widgets as qw
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.sandbox.faults import Faults
from qingbo_widgets.service.contract.pricing.answers import Balance
from qingbo_widgets.service.contract.pricing.price import Price
from qingbo_widgets.tasks import balances as balances_module
from qingbo_widgets.widgets.studio.money import money_line
from tests.faults.server import FaultServer, answer, html
from tests.waiting import until
from tests.widgets.page import read, send, text_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DASHBOARD, KEYS = "https://wave.qingbo.ai", "https://wave.qingbo.ai/dashboard/keys"
FIELDS: dict[str, Any] = {"model": "kling-v3", "prompt": "A koi", "resolution": "720p", "duration": 5}


@dataclass
class Known:
    """The facts about an account."""

    latest: Balance | None = None
    refusal: Any = None
    as_of: datetime = NOW


def left(amount: str, **more: str) -> Balance:
    """Return a balance."""
    used, granted = (Decimal(more[name]) if name in more else None for name in ("used", "granted"))
    return Balance(Decimal(amount), used, granted)


def costs(amount: str, *, is_exact: bool = True) -> Price:
    """Return a price."""
    return Price(Decimal(amount), int(Decimal(amount) * 500_000), is_exact)


def line(known: Any, price: Price | None = None, count: int = 1, *, is_sandbox: bool = False) -> str:
    """Return the markup in the head."""
    return str(money_line(known, price, count, is_sandbox=is_sandbox, now=NOW))


# ---------------------------------------------------------------------- the text


@pytest.mark.parametrize(
    ("amount", "price", "count", "text"),
    [
        ("17.42", None, 1, "$17.42 left"),
        ("16.517086", costs("0.378"), 1, "$16.51 left"),
        ("0.378", costs("0.378"), 1, "$0.37 left"),
        ("0.2", costs("0.378"), 1, "$0.20 left Less than this video costs. Top up"),
        ("1", costs("0.378"), 2, "$1.00 left"),
        ("1", costs("0.378"), 3, "$1.00 left Less than these videos cost. Top up"),
        ("1", costs("1.5", is_exact=False), 1, "$1.00 left This may cost more than is left. Top up"),
        ("0.2", Price(reason="not known"), 1, "$0.20 left"),
        ("0.2", Price(None, 75_000), 1, "$0.20 left"),
        ("0", None, 1, "$0.00 left Nothing is left. Top up"),
        ("-0.004", costs("0.378"), 1, "-$0.01 left Nothing is left. Top up"),
    ],
)
def test_little_is_what_does_not_pay_for_the_request(
    amount: str, price: Price | None, count: int, text: str
) -> None:
    """The hint depends on the price of what Generate would submit, and on nothing else."""
    assert read(line(Known(left(amount)), price, count)) == text


def test_nothing_known_is_nothing_shown() -> None:
    """Without an answer, the head has neither an amount nor a hint."""
    assert line(Known(), costs("0.378")) == ""


def test_the_tooltip_has_the_date_and_the_rest() -> None:
    """The title has the exact amount, its time, and what was used of what."""
    known = Known(left("16.517086", used="3.482914", granted="20"))
    assert "$16.517086 left at 2026-11-30" in line(known)
    assert "$3.482914 of $20.00 used." in line(known)
    assert "used" not in line(Known(left("5")))


def refused(status: int, code: str | None = None, reset_at: object = None) -> Any:
    """Return the error of a client whose submission is refused."""
    body = {"error": {"message": "no", "code": code, "reset_at": reset_at}}
    with FaultServer(answer(body, status)) as server:
        client = qw.Client("sk-sentinel-0123456789", server.url + "/v1", contract="2026-11")
        with pytest.raises(qw.ServiceError) as caught:
            client.submit(qw.VideoRequest(**FIELDS))
    return caught.value


SOON, EARLIER = (NOW + timedelta(hours=2)).timestamp(), (NOW - timedelta(hours=2)).timestamp()


@pytest.mark.parametrize(
    ("arguments", "amount", "text", "page"),
    [
        ((402,), "0.1", "The last task was refused: not enough money.", DASHBOARD),
        ((402,), "5", "refused for lack of money: the key may have used up its own quota.", KEYS),
        ((403,), "5", "refused to this key: it may have used up its own quota.", KEYS),
        ((429, "quota_window_exceeded", SOON), "5", "The spending limit is reached until 2026-", DASHBOARD),
        ((429, "quota_window_exceeded"), "5", "The spending limit is reached.", DASHBOARD),
    ],
)
def test_a_refusal_has_its_reason_and_its_page(
    arguments: Any, amount: str, text: str, page: str, no_proxy: None
) -> None:
    """The head says why the last task was refused, and links to the page on which that can be changed."""
    markup = line(Known(left(amount), refused(*arguments)), costs("0.378"))
    assert text in read(markup)
    assert f'href="{page}"' in markup
    assert "href" not in line(Known(left(amount), refused(*arguments)), is_sandbox=True), "play money"


def test_a_window_that_has_ended_is_over(no_proxy: None) -> None:
    """After its end, a spending limit is not shown."""
    known = Known(left("5"), refused(429, "quota_window_exceeded", EARLIER))
    assert read(line(known)) == "$5.00 left"


def test_the_texts_are_chinese_too() -> None:
    """In Chinese, no English is left."""
    set_locale("zh")
    try:
        assert read(line(Known(left("0.2")), costs("0.378"))) == "剩余 $0.20 不足以支付这个视频。 充值"
        assert read(line(Known(left("20")), is_sandbox=True)) == "剩余 $20.00（模拟的钱）"
    finally:
        set_locale(None)


# ---------------------------------------------------------------------- in a studio


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ends of tasks wait for others only for a moment."""
    monkeypatch.setattr(balances_module, "TOGETHER", 0.05)


@pytest.fixture
def sandbox() -> Iterator[qw.Sandbox]:
    """Yield a fast sandbox of contract 2026-11 with money for two videos."""
    with qw.Sandbox(speed=100, draft=True, contract="2026-11", credit=0.8) as sandbox:
        yield sandbox


@pytest.fixture
def manager(sandbox: qw.Sandbox, workdir: Path) -> qw.TaskManager:
    """Return the default manager, connected to the sandbox."""
    manager = qw.connect(sandbox=sandbox, library=workdir / "videos")
    manager.poll_interval = 0.1
    return manager


@pytest.fixture
def make_studio() -> Iterator[Callable[[qw.TaskManager], qw.VideoStudio]]:
    """Yield a function that makes studios, which are closed at the end."""
    studios: list[qw.VideoStudio] = []

    def make(manager: qw.TaskManager) -> qw.VideoStudio:
        studios.append(qw.VideoStudio(manager, **FIELDS))
        studios[-1].get_ready()
        return studios[-1]

    yield make
    for studio in studios:
        studio.close()


@pytest.mark.slow
def test_the_head_counts_down(
    manager: qw.TaskManager, sandbox: qw.Sandbox, make_studio: Any, at_once: None
) -> None:
    """The balance is there, falls after each task, is called low in time, and a refusal is explained."""
    studio, other = make_studio(manager), make_studio(manager)
    until(lambda: "$0.80 left (play money)" in text_of(studio))
    manager.price(studio.form.request)
    studio.generate_button.click()
    until(lambda: "$0.42 left (play money)" in text_of(studio))
    studio.form.prompt = "A frog"
    studio.generate_button.click()
    until(lambda: "$0.04 left (play money)" in text_of(studio))
    assert "$0.04 left" in text_of(other), "two studios of one manager show two amounts"
    assert "Less than this video costs." in text_of(studio)
    studio.form.prompt = "A heron"
    studio.generate_button.click()
    until(lambda: "The last task was refused: not enough money." in text_of(studio))
    until(lambda: "Nothing was charged." in text_of(studio.cards[0]))
    studio.close()
    assert manager.balances._views != [], "the other studio is forgotten"
    other.close()
    assert manager.balances._views == []


def test_a_page_that_is_loaded_anew_gets_the_text(
    manager: qw.TaskManager, make_studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks for the balance with a message, and gets it."""
    studio = make_studio(manager)
    until(lambda: "$0.80 left" in text_of(studio))
    money = studio._head.money
    sent: list[Any] = []
    monkeypatch.setattr(money, "send", sent.append)
    send(money, {"shown": True})
    assert sent == [{"html": str(money.html)}]


def test_the_balance_is_not_in_what_is_saved(manager: qw.TaskManager, make_studio: Any) -> None:
    """An account's balance is private: neither the static copy nor the state of any widget has it."""
    studio = make_studio(manager)
    until(lambda: "$0.80 left" in text_of(studio))
    studio._show_head()
    studio.redraw_now()
    state = json.dumps(ipywidgets.Widget.get_manager_state(), default=repr)
    assert "A koi" in state, "the state of the studio is not there"
    assert "0.80" not in state
    copy, text, older = studio._copy._current()
    assert "0.80" not in "".join(map(str, (copy, text, *older)))


@pytest.mark.slow
def test_an_executed_notebook_has_no_balance(tmp_path: Path) -> None:
    """A notebook that is executed and saved with the state of its widgets has no balance."""
    source = """
import time
import qingbo_widgets as qw
sandbox = qw.Sandbox(speed=100, draft=True, contract="2026-11", credit=13.57)
manager = qw.connect(sandbox=sandbox)
studio = qw.VideoStudio(manager, prompt="A koi")
studio"""
    wait = """
end = time.monotonic() + 60
while not (studio._head.money and "13.57" in studio._head.money.html) and time.monotonic() < end:
    time.sleep(0.05)
assert "13.57" in studio._head.money.html
studio.close(); manager.close(); sandbox.stop()"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (source, wait)])
    NotebookClient(
        notebook, timeout=120, store_widget_state=True, resources={"metadata": {"path": tmp_path}}
    ).execute()
    saved = nbformat.writes(notebook)
    outputs = json.dumps([cell.get("outputs", []) for cell in notebook.cells]) + json.dumps(notebook.metadata)
    for text in ("A koi", "msg:custom", "application/vnd.jupyter.widget-state+json"):
        assert text in saved, "the state of the widgets is not saved"
    assert "13.57" not in outputs


@pytest.mark.parametrize("failure", [html("<h1>Not found</h1>", 404), answer({"error": {}}, 500)])
def test_a_service_without_a_balance_is_not_mentioned(
    failure: Any, make_studio: Any, workdir: Path, no_proxy: None
) -> None:
    """The head has the service and the folder, and nothing about money."""
    with FaultServer(otherwise=failure) as server:
        client = qw.Client("sk-sentinel-0123456789", server.url + "/v1", contract="2026-11")
        with qw.TaskManager(client, qw.Library(workdir / "videos")) as manager:
            studio = make_studio(manager)
            until(lambda: manager.balances._silent_until > 0)
            assert studio._head.money.html == ""
            assert "Connected to" in text_of(studio)


def test_contract_2026_04_has_no_balance(make_studio: Any, workdir: Path) -> None:
    """A sandbox of the contract without a balance shows none."""
    with qw.Sandbox(speed=100, draft=True, contract="2026-04") as sandbox:
        studio = make_studio(qw.connect(sandbox=sandbox, library=workdir / "videos"))
        assert (studio._head.money.html, studio.manager.balances._is_due) == ("", False)


@pytest.mark.slow
def test_a_spending_limit_is_said(
    manager: qw.TaskManager, sandbox: qw.Sandbox, make_studio: Any, at_once: None
) -> None:
    """The head and the card have the end of the limit; the next accepted task ends the hint."""
    sandbox.faults = Faults(quota_window=3600)
    studio = make_studio(manager)
    studio.generate_button.click()
    until(lambda: "The spending limit is reached until 2" in text_of(studio._head))
    until(lambda: "The limit ends at 2" in text_of(studio.cards[0]))
    sandbox.faults = Faults()
    studio.form.prompt = "A heron"
    studio.generate_button.click()
    until(lambda: "spending limit" not in text_of(studio._head))
