"""The choice of the contract by ``connect`` and ``TaskManager``, and two contracts in one library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config, Configurable

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks import connection, manager
from qingbo_widgets.widgets.card import text as task_text
from tests.faults.server import FaultServer, answer

KEY = "sk-sentinel-0123456789"


class Sandbox202611(qw.Sandbox):
    """A sandbox of contract 2026-11."""

    contract = "2026-11"


@pytest.fixture(autouse=True)
def cleared(monkeypatch: pytest.MonkeyPatch, no_proxy: None, tmp_path: Path) -> Iterator[None]:
    """Start without a default manager, and close every manager of the test."""
    monkeypatch.setattr(connection, "_default", None)
    managers: dict[object, qw.TaskManager] = {}
    monkeypatch.setattr(connection, "_managers", managers)
    monkeypatch.chdir(tmp_path)
    yield
    for one in managers.values():
        one.close()


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an IPython whose configuration chooses contract 2026-11."""
    config = Config({"TaskManager": {"contract": "2026-11"}})
    monkeypatch.setattr(manager, "shell", lambda: Shell(config=config))


class Shell(Configurable):
    """The part of an IPython shell that has the configuration."""


@pytest.fixture
def service() -> Iterator[FaultServer]:
    """Yield a server that knows no task."""
    missing = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)
    with FaultServer(otherwise=missing) as server:
        yield server


def running(key: str, service: str, contract: str) -> Entry:
    """Return the row of a task that the service was rendering when the kernel ended."""
    status = TaskStatus.processing.value
    return Entry(key=key, service=service, task_id=f"task-{key}", status=status, contract=contract)


def test_the_argument_chooses() -> None:
    """The argument decides, and brings the address of its contract."""
    connected = qw.connect(KEY, contract="2026-11")
    assert (connected.contract, connected.client.base_url) == ("2026-11", "https://api.qingbo.ai/v1")
    assert 'contract="2026-11"' in task_text.connect_line(connected)
    assert "base_url" not in task_text.connect_line(connected)


def test_the_host_chooses() -> None:
    """The host of the address implies the contract, and the line to connect again is the shorter one."""
    connected = qw.connect(KEY, base_url="https://api.qingbo.ai/v1")
    assert connected.contract == "2026-11"
    assert task_text.connect_line(connected).endswith('qw.connect(contract="2026-11")')
    elsewhere = qw.connect(KEY, base_url="https://api.qingbo.ai/relay/v1")
    assert elsewhere.contract == "2026-11"
    assert task_text.connect_line(elsewhere).endswith('(base_url="https://api.qingbo.ai/relay/v1")')


def test_the_configuration_chooses(configured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """``c.TaskManager.contract`` precedes the environment, and follows the argument."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-04")
    monkeypatch.setenv("QINGBO_API_KEY", KEY)
    assert qw.connect().contract == "2026-11"
    assert "contract" not in task_text.connect_line(qw.connect())
    assert qw.connect(contract="2026-04").contract == "2026-04"
    with qw.TaskManager() as plain:
        assert plain.client.contract.name == "2026-11"


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """``QINGBO_CONTRACT`` decides for ``connect()`` without arguments."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-11")
    monkeypatch.setenv("QINGBO_API_KEY", KEY)
    assert qw.connect().client.base_url == "https://api.qingbo.ai/v1"


def test_an_address_of_another_contract_is_kept_and_explained() -> None:
    """The key goes to the given address, whatever the contract, and a warning says which contract it has."""
    with pytest.warns(UserWarning, match=r"qingbo\.dev/v1 is documented for contract 2026-04.*2026-11"):
        connected = qw.connect(KEY, base_url="https://qingbo.dev/v1", contract="2026-11")
    assert connected.client.base_url == "https://qingbo.dev/v1"


def test_another_contract_is_another_manager(service: FaultServer) -> None:
    """Connecting to one address in two contracts gives two managers, each of which is found again."""
    first = qw.connect(KEY, base_url=service.url)
    second = qw.connect(KEY, base_url=service.url, contract="2026-11")
    assert second is not first
    assert second.service == first.service
    assert qw.connect(KEY, base_url=service.url) is first
    assert qw.connect(KEY, base_url=service.url, contract="2026-11") is second


def test_a_sandbox_decides_its_contract() -> None:
    """The contract of a given sandbox is used, and an argument that contradicts it is refused."""
    with Sandbox202611(speed=50, draft=True) as sandbox:
        connected = qw.connect(sandbox=sandbox)
        assert connected.contract == "2026-11"
        assert 'connect(sandbox=True, contract="2026-11")' in task_text.connect_line(connected)
        with pytest.raises(qw.InvalidRequest, match="speaks 2026-11, not '2026-04'"):
            qw.connect(sandbox=sandbox, contract="2026-04")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"api_key": KEY}, "api_key"),
        ({"base_url": "https://relay.example/v1"}, "base_url"),
        ({"api_key": KEY, "base_url": "https://relay.example/v1"}, "api_key, base_url"),
    ],
)
def test_a_key_for_the_sandbox_is_not_used(given: dict[str, Any], named: str, sandbox: qw.Sandbox) -> None:
    """A warning says that a key or address is not used, and shows neither."""
    with pytest.warns(UserWarning, match=rf"sandbox.*no cost; not used: {named}\.$") as warned:
        connected = qw.connect(sandbox=sandbox, **given)
    assert connected.client.base_url == sandbox.base_url
    assert not any(value in str(warning.message) for warning in warned for value in given.values())


def test_the_address_of_the_service_is_not_that_of_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """``QINGBO_BASE_URL`` implies no contract for the sandbox."""
    monkeypatch.setenv("QINGBO_BASE_URL", "https://api.qingbo.ai/v1")
    connected = qw.connect(sandbox=True)
    assert connected.contract == "2026-04"
    assert "contract" not in task_text.connect_line(connected)


def test_the_tasks_of_another_sandbox_are_left_alone() -> None:
    """A sandbox does not report the tasks of the other contract's sandbox as lost."""
    library = qw.Library("qingbo_videos")
    for contract in ("2026-04", "2026-11"):
        library.add(running(contract, "sandbox", contract))
    with Sandbox202611(speed=50, draft=True) as sandbox:
        connected = qw.connect(sandbox=sandbox)
        (own,) = connected.tasks
        with pytest.raises(qw.TaskFailed):  # this sandbox has just started and has no tasks
            own.wait(20)
        connected.close()
    rows = {entry.key: entry.status for entry in library.entries()}
    assert rows == {"2026-04": "processing", "2026-11": "failed"}


def test_one_address_has_the_tasks_of_both_contracts(service: FaultServer) -> None:
    """The service has the tasks of all its contracts, so each is followed whatever the connection speaks."""
    library = qw.Library("qingbo_videos")
    library.add(running("a", service.url, "2026-04"))
    service.otherwise = answer(
        {"task_id": "task-a", "status": "failed", "progress": "100%", "cost": 0, "error": {"message": "No."}}
    )
    connected = qw.connect(KEY, base_url=service.url, contract="2026-11")
    (task,) = connected.tasks
    with pytest.raises(qw.TaskFailed, match="No"):
        task.wait(20)
    assert task.contract == "2026-04"


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_a_key_given_as_the_contract_is_hidden(
    workdir: object, sandbox: qw.Sandbox, is_sandbox: bool
) -> None:
    """A key in the wrong place is in no message, also for a sandbox that speaks another contract."""
    with pytest.raises(qw.InvalidRequest) as refused:
        qw.connect("sk-other", sandbox=sandbox if is_sandbox else False, contract="sk-secret-key-1234")
    assert "secret" not in str(refused.value)
    assert "contract" in str(refused.value)
