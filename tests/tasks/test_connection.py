"""The contract and the library that ``connect`` chooses, and two contracts in one library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config, Configurable

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks import connection, settings
from qingbo_widgets.widgets.base.embedding import setting_of
from qingbo_widgets.widgets.card import resume_code
from tests.faults.server import FaultServer, answer
from tests.places import StartKernel

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
    monkeypatch.setattr(settings, "shell", lambda: Shell(config=config))


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
    assert 'contract="2026-11"' in resume_code.connect_line(connected)
    assert "base_url" not in resume_code.connect_line(connected)


def test_the_host_chooses() -> None:
    """The host of the address implies the contract, and the line to connect again is the shorter one."""
    connected = qw.connect(KEY, base_url="https://api.qingbo.ai/v1")
    assert connected.contract == "2026-11"
    assert resume_code.connect_line(connected).endswith('qw.connect(contract="2026-11")')
    elsewhere = qw.connect(KEY, base_url="https://api.qingbo.ai/relay/v1")
    assert elsewhere.contract == "2026-11"
    assert resume_code.connect_line(elsewhere).endswith('(base_url="https://api.qingbo.ai/relay/v1")')


def test_the_configuration_chooses(configured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """``c.TaskManager.contract`` precedes the environment, and follows the argument."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-04")
    monkeypatch.setenv("QINGBO_API_KEY", KEY)
    assert qw.connect().contract == "2026-11"
    assert "contract" not in resume_code.connect_line(qw.connect())
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
    with pytest.warns(UserWarning, match=r"qingbo\.dev/v1 documents contract 2026-04.*2026-11"):
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
        assert 'connect(sandbox=True, contract="2026-11")' in resume_code.connect_line(connected)
        with pytest.raises(qw.InvalidRequest, match="uses 2026-11, not '2026-04'"):
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
    with pytest.warns(UserWarning, match=rf"sandbox.*Not used: {named}\.$") as warned:
        connected = qw.connect(sandbox=sandbox, **given)
    assert connected.client.base_url == sandbox.base_url
    assert not any(value in str(warning.message) for warning in warned for value in given.values())


def test_the_address_of_the_service_is_not_that_of_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """``QINGBO_BASE_URL`` implies no contract for the sandbox."""
    monkeypatch.setenv("QINGBO_BASE_URL", "https://api.qingbo.ai/v1")
    connected = qw.connect(sandbox=True)
    assert connected.contract == "2026-04"
    assert "contract" not in resume_code.connect_line(connected)


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


# ---------------------------------------------------------------------- where the library is


@pytest.fixture
def notebook(tmp_path: Path, start_kernel: StartKernel) -> Path:
    """Return a notebook in a folder of its own, whose kernel has just started."""
    path = tmp_path / "notes" / "a.ipynb"
    path.parent.mkdir()
    path.write_text("{}", encoding="utf-8")
    start_kernel(path.parent, path)
    return path


@pytest.mark.parametrize("library", ["qingbo_videos", "films", "sub/films"])
def test_a_change_of_directory_keeps_the_library(
    service: FaultServer, notebook: Path, tmp_path: Path, library: str
) -> None:
    """A library is beside the notebook, and ``%cd`` between two connects does not change that."""
    first = qw.connect(KEY, base_url=service.url, library=library)
    os.chdir(tmp_path)
    assert qw.connect(KEY, base_url=service.url, library=library) is first
    assert first.library.folder == notebook.parent / library
    assert Library(library).folder == first.library.folder


def test_a_link_to_the_library_is_the_same_library(service: FaultServer, notebook: Path) -> None:
    """Two names of one folder have one manager: two would both follow its tasks."""
    (notebook.parent / "films").mkdir()
    try:
        (notebook.parent / "link").symlink_to(notebook.parent / "films", target_is_directory=True)
    except OSError:
        pytest.skip("links need a privilege on this Windows")
    first = qw.connect(KEY, base_url=service.url, library="link")
    assert qw.connect(KEY, base_url=service.url, library="films") is first
    assert first.library.folder == notebook.parent / "link"


def test_after_a_move_of_the_notebook_connect_names_the_library(
    service: FaultServer, notebook: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """The kernel keeps its library, says where that is, and the stored line for a new kernel finds it."""
    first = qw.connect(KEY, base_url=service.url)
    first.library.add(running("a", first.service, "2026-04"))
    assert resume_code.connect_line(first).endswith(f"base_url={json.dumps(service.url)})")
    new = notebook.parent.parent / "new"
    new.mkdir()
    notebook.rename(new / "b.ipynb")
    with pytest.warns(UserWarning, match="moved to") as warned:
        assert qw.connect(KEY, base_url=service.url) is first
    (message,) = (str(one.message) for one in warned)
    assert str(new) in message
    assert str(first.library.folder) in message
    assert 'library="../notes/qingbo_videos"' in resume_code.connect_line(first)


@pytest.mark.parametrize(
    ("name", "is_noted"), [("gone.ipynb", True), ("console-1", False), ("x-jvsc-7.ipynb", False)]
)
def test_a_notebook_that_is_not_where_jupyter_says(
    service: FaultServer, tmp_path: Path, start_kernel: StartKernel, name: str, is_noted: bool
) -> None:
    """After a move, a restarted kernel still gets the old path; a console never had a file."""
    start_kernel(tmp_path, tmp_path / name)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        qw.connect(KEY, base_url=service.url)
        qw.connect(KEY, base_url=service.url, library=tmp_path / "absolute")
    assert ["shut down (not restart) the kernel" in str(one.message) for one in warned] == [True] * is_noted


def test_a_library_in_the_working_directory_is_named(
    service: FaultServer, notebook: Path, tmp_path: Path
) -> None:
    """A library that an earlier version made in the working directory is named, with its open tasks."""
    other = Library(tmp_path / "qingbo_videos")
    other.add(running("a", "sandbox", "2026-04"))
    other.close()
    os.chdir(tmp_path)
    with pytest.warns(UserWarning, match="beside the notebook") as warned:
        manager = qw.connect(KEY, base_url=service.url)
    assert repr(str(other.folder)) in str(warned[0].message)
    manager.library.add(running("b", "sandbox", "2026-04"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        qw.connect(KEY, base_url=service.url)


def locked(folder: Path) -> Callable[[], None]:
    """Make a folder read-only, or skip the test; return the function that undoes it."""
    if os.name != "nt" and os.geteuid() != 0:
        folder.chmod(0o500)
        return lambda: folder.chmod(0o700)
    lock = shutil.which("chattr")
    if lock is None or subprocess.run([lock, "+i", folder], capture_output=True, check=False).returncode:
        pytest.skip("this user may write into every folder, and this file system locks none")

    def unlock() -> None:
        subprocess.run([lock, "-i", folder], check=True)

    return unlock


@pytest.mark.parametrize("place", ["locked", "locked/films", "file", "file/films", "dangling"])
def test_a_folder_that_cannot_be_written_is_refused_at_once(
    service: FaultServer, tmp_path: Path, rules_of_posix: None, place: str
) -> None:
    """A library in which nothing could be saved is refused by ``connect``, with the folder and the remedy."""
    (tmp_path / "locked").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    if place == "dangling":
        (tmp_path / place).symlink_to(tmp_path / "none")
    undo = locked(tmp_path / "locked") if place.startswith("locked") else lambda: None
    try:
        with pytest.raises(qw.QingboError) as raised:
            qw.connect(KEY, base_url=service.url, library=tmp_path / place)
    finally:
        undo()
    assert f"{tmp_path / place} (" in str(raised.value)
    assert "connect(library=" in str(raised.value)
    assert connection.default() is None, "the refused manager is used by generate()"
    assert not (tmp_path / "none").exists()


def test_a_read_only_library_opens_for_reading(
    service: FaultServer, tmp_path: Path, rules_of_posix: None
) -> None:
    """A library on a read-only disk can be looked at; ``connect`` says that nothing can be saved."""
    folder = tmp_path / "films"
    library = Library(folder)
    library.add(running("a", "sandbox", "2026-04"))
    library.close()
    undo = locked(folder)
    try:
        with pytest.warns(
            UserWarning, match=r"Nothing can be saved in the folder .*films .*connect\(library="
        ):
            manager = qw.connect(KEY, base_url=service.url, library=folder)
        assert [entry.key for entry in manager.library.entries()] == ["a"]
    finally:
        undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        qw.connect(KEY, base_url=service.url, library=folder)


# ---------------------------------------------------------------------- embedded videos


def test_embedding_is_a_setting_of_the_connection() -> None:
    """``connect(embed=…)`` stays until another one; the lines that connect again keep it."""
    connected = qw.connect(KEY)
    assert connected.embed is None
    assert "embed" not in resume_code.connect_line(connected)
    assert qw.connect(KEY, embed=True) is connected
    assert connected.embed is True
    assert "embed=True" in connected.client.connect_arguments
    assert resume_code.connect_line(qw.connect(KEY)).endswith("qw.connect(embed=True)")
    with pytest.warns(UserWarning, match="documents contract 2026-04"):
        assert connection.reconnect(connected, "2026-11").embed is True
    assert qw.connect(KEY, embed=False).embed is False
    assert resume_code.connect_line(connected).endswith("qw.connect(embed=False)")


@pytest.mark.parametrize("embed", ["yes", 1, 0])
def test_embedding_is_switched_by_nothing_else(embed: Any) -> None:
    """The error names the argument and its values, and nothing is connected."""
    with pytest.raises(TypeError, match=r"embed must be True, False or None\."):
        qw.connect(KEY, embed=embed)
    assert connection.default() is None


def test_embedding_is_configured_the_jupyter_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """``c.TaskManager.embed`` applies with and without a connection; the argument precedes it."""
    config = Config({"TaskManager": {"embed": True}})
    monkeypatch.setattr(settings, "shell", lambda: Shell(config=config))
    assert setting_of() is True
    connected = qw.connect(KEY)
    assert connected.embed is True
    assert "embed" not in resume_code.connect_line(connected), "the configuration says so already"
    assert qw.connect(KEY, embed=False) is connected
    assert setting_of() is False
