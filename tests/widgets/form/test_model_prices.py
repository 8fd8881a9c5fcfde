"""The price a second of each model in the list of models, at real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from tests.faults.server import Exchange, FaultServer, answer
from tests.waiting import until

KEY = "sk-sentinel-0123456789"


class Service:
    """A scripted service of contract 2026-11 with a price list, which it sends when the test lets it."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.is_open = threading.Event()
        self.configs: dict[str, Any] = {"kling-v3": {"per_second": True, "720p": 0.0756}}
        server.otherwise = self.respond

    def respond(self, exchange: Exchange) -> bool:
        if exchange.request.path != "/v1/models":
            return answer({"error": {"message": "no such route"}}, 404)(exchange)
        while not self.is_open.wait(0.01):
            if exchange.stopped.is_set():
                return False
        rows = [{"id": name, "price_config": config} for name, config in self.configs.items()]
        return answer({"data": rows})(exchange)


@pytest.fixture
def service(no_proxy: None) -> Iterator[Service]:
    """Yield a scripted service."""
    with FaultServer() as server:
        yield Service(server)


@pytest.fixture
def manager(service: Service, workdir: Path) -> Iterator[qw.TaskManager]:
    """Yield a manager of the scripted service."""
    client = qw.Client(KEY, service.server.url + "/v1", contract="2026-11")
    with qw.TaskManager(client, qw.Library(workdir / "videos")) as manager:
        yield manager


def labels(form: qw.RequestForm) -> dict[str, str]:
    """Return the text of each model in the list, by its name."""
    return {value: text for text, value in form.controls["model"].options}


def test_each_model_has_its_price(manager: qw.TaskManager, service: Service) -> None:
    """A price a second, a fixed price and one that is neither; a model without a price shows none."""
    service.is_open.set()
    service.configs |= {
        "kling-v2-6": {"per_second": False, "720p": 0.35},
        "kling-video-o1": {"720p_5s": 0.4, "720p_10s": 0.7},
        "kling-v2-6-motion-control": {"per_second": True, "720p": 0.063},
        "kling-3.0-turbo": {"price_of_the_moon": 1},
    }
    form = qw.RequestForm(manager)
    before = labels(form)
    assert not [text for text in before.values() if "$" in text]
    until(lambda: "$" in labels(form)["kling-v3"])
    after = labels(form)
    changed = {name: text.partition(": ")[0] for name, text in after.items() if text != before[name]}
    assert changed == {
        "kling-v3": "kling-v3 · $0.0756/s",
        "kling-v2-6": "kling-v2-6 · $0.35 a video",
        "kling-video-o1": "kling-video-o1 · $0.40 for 5 s",
        "kling-v2-6-motion-control": "kling-v2-6-motion-control · $0.063/s",
    }
    assert [text.partition(": ")[2] for text in after.values()] == [
        text.partition(": ")[2] for text in before.values()
    ], "the description stays"
    assert all(text.startswith(name) for name, text in after.items()), "typing the name finds the model"


def test_the_selection_stays(
    manager: qw.TaskManager, service: Service, sent: list[tuple[Any, dict[str, Any]]]
) -> None:
    """The prices come while the user chooses: the model stays, and the page keeps its own selection."""
    form = qw.RequestForm(manager, model="kling-v2-6")
    control = form.controls["model"]
    changes: list[Any] = []
    form.observe(changes.append, "model")
    sent.clear()
    service.is_open.set()
    until(lambda: "$" in labels(form)["kling-v3"])
    until(lambda: [message for widget, message in sent if widget is control])
    assert (control.value, form.model, changes) == ("kling-v2-6", "kling-v2-6", [])
    states = [message["state"] for widget, message in sent if widget is control]
    assert [sorted(state) for state in states] == [["_options_labels"]], "an index would undo a choice"
    control.set_state({"index": list(labels(form)).index("kling-v3")})  # as the page sends it
    assert form.model == "kling-v3"
    assert labels(form)["kling-v3"].startswith("kling-v3 · $0.0756/s: ")


def test_one_list_for_each_connection(manager: qw.TaskManager, service: Service) -> None:
    """Another form of the same connection has the prices at once, without another request."""
    service.is_open.set()
    first = qw.RequestForm(manager)
    until(lambda: "$" in labels(first)["kling-v3"])
    second = qw.RequestForm(manager, model="kling-v2-6")
    assert "$0.0756/s" in labels(second)["kling-v3"]
    assert [request.path for request in service.server.requests] == ["/v1/models"]


def test_a_model_of_its_own_stays_in_the_list(manager: qw.TaskManager, service: Service) -> None:
    """A model that is not listed keeps its option."""
    form = qw.RequestForm(manager, model="kling-v9")
    service.is_open.set()
    until(lambda: "$" in labels(form)["kling-v3"])
    assert labels(form)["kling-v9"] == "kling-v9"
    assert form.model == "kling-v9"


def test_a_closed_form(manager: qw.TaskManager, service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A list that comes after the form is closed is kept for the next one, and breaks nothing."""
    form = qw.RequestForm(manager)
    until(lambda: service.server.requests)
    form.close()
    service.is_open.set()
    until(lambda: manager.prices.listed(qw.VideoRequest("kling-v3", "…")))
    assert not caplog.records
    assert "$" in labels(qw.RequestForm(manager))["kling-v3"]


def test_april_shows_no_prices(workdir: Path) -> None:
    """Under contract 2026-04 the list is as it was, and nothing is requested."""
    with (
        FaultServer() as server,
        qw.TaskManager(qw.Client(KEY, server.url + "/v1"), qw.Library(workdir / "videos")) as manager,
    ):
        form = qw.RequestForm(manager)
        assert labels(form)["kling-v3"] == "kling-v3: 3 to 15 s, multi-shot, native audio"
        assert server.requests == []


def test_another_connection(manager: qw.TaskManager, service: Service, workdir: Path) -> None:
    """A form that gets another manager shows that one's prices."""
    service.is_open.set()
    form = qw.RequestForm(manager)
    until(lambda: "$0.0756/s" in labels(form)["kling-v3"])
    with qw.Sandbox(contract="2026-11", draft=True) as sandbox, qw.connect(sandbox=sandbox) as other:
        sandbox.prices = {"kling-v3": {"per_second": True, "720p": 0.2}}
        form.manager = other
        assert "$" not in labels(form)["kling-v3"]
        until(lambda: "$0.20/s" in labels(form)["kling-v3"])
