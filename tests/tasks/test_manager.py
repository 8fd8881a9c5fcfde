"""``manager``: submitting, resuming, connecting."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import traceback
import weakref
from typing import Any

import pytest
from traitlets.config import Config

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.tasks import connection as module
from tests.service.leaks import shown_by

KOI = "一条锦鲤"


@pytest.fixture
def default_manager(monkeypatch):
    """Make ``connect`` start without a default manager, and close the one it creates."""
    monkeypatch.setattr(module, "_default", None)
    yield
    if module._default is not None:
        module._default.close()


def followers() -> set[threading.Thread]:
    """Return the running threads of all managers."""
    ours = ("qingbo-monitor", "qingbo-request", "qingbo-download", "qingbo-journal", "qingbo-callback")
    return {thread for thread in threading.enumerate() if thread.name in ours}


def test_a_bad_request_is_refused_before_anything_is_sent(manager):
    """The refusal names the field and leaves no task and no row."""
    with pytest.raises(qw.InvalidRequest) as raised:
        manager.submit(prompt=KOI, model="kling-v1", duration=7)
    assert [problem.field for problem in raised.value.problems] == ["duration"]
    with pytest.raises(TypeError):
        manager.submit(prompt=KOI, colour="red")
    assert manager.tasks == ()
    assert manager.library.entries() == []


def test_a_contract_beside_a_client_of_another(workdir):
    """A manager refuses a contract that its client does not speak; the client's own may be repeated."""
    client = qw.Client("sk-sentinel-key")
    for given, shown in (("2026-11", "uses 2026-04, not 2026-11"), ("sk-sentinel-key", "not <hidden>")):
        with pytest.raises(qw.InvalidRequest, match=shown):
            qw.TaskManager(client, qw.Library(workdir / "videos"), contract=given)
    with qw.TaskManager(client, qw.Library(workdir / "videos"), contract="2026-04") as manager:
        assert manager.contract == "2026-04"


def test_an_unknown_model_is_sent_with_a_warning(manager):
    """The service may have models that we do not list. The warning points at the caller's line."""
    with pytest.warns(UserWarning, match="kling-v9") as caught:
        task = manager.submit(prompt=KOI, model="kling-v9")
    assert caught[0].filename == __file__
    with pytest.raises(qw.BadRequest):
        task.wait(60)
    assert task.status == qw.TaskStatus.failed


@pytest.mark.slow
def test_a_request_may_be_given_whole_and_changed(manager):
    """``submit(request, duration=10)`` is ``request.replace(duration=10)``."""
    request = qw.VideoRequest("kling-v1", KOI)
    task = manager.submit(request, duration=10)
    assert task.request == request.replace(duration=10)
    task.wait(60)


@pytest.mark.slow
def test_the_journal_tells_the_whole_story(manager):
    """After the end, the row contains the request, the id, the times and the file name."""
    task = manager.submit(prompt=KOI, mode="pro").wait(60)
    (row,) = manager.library.entries()
    assert row.key == task.key
    assert row.task_id == task.task_id
    assert row.status == "completed"
    assert row.request == {"model": "kling-v3", "prompt": KOI, "mode": "pro"}
    assert row.file == task.video_path.name
    assert row.created_at == task.created_at
    assert row.completed_at == task.completed_at


@pytest.mark.slow
def test_another_manager_goes_on_with_what_is_unfinished(make_manager):
    """A kernel exits during a task; ``recover`` in the next one follows the same task to its video."""
    first = make_manager(poll_interval=30.0)
    task = first.submit(prompt=KOI)
    while not task.task_id:
        threading.Event().wait(0.01)
    first.close()
    with pytest.raises(qw.QingboError, match="no longer followed"):
        task.wait(10)
    second = make_manager()
    (again,) = second.recover()
    assert again.wait(60).video_path.exists()
    assert again.task_id == task.task_id
    assert again.request == task.request
    assert second.recover() == []
    assert len(second.library.entries()) == 1


@pytest.mark.slow
def test_two_managers_on_one_folder_share_one_task(make_manager):
    """Of two kernels one follows and the other reads; both show the end, and the video is saved once."""
    first, second = make_manager(), make_manager()
    task = first.submit(prompt=KOI, duration=15)
    while not task.task_id:
        threading.Event().wait(0.01)
    (other,) = second.recover()
    assert other is not task
    assert other.wait(60).video_path == task.wait(60).video_path
    assert len(list(first.library.folder.glob("*.mp4"))) == 1


@pytest.mark.slow
def test_a_finished_task_is_resumed_without_the_service(make_manager):
    """A task whose video is in the library is loaded even while the service is unreachable."""
    task = make_manager().submit(prompt=KOI).wait(60)
    nowhere = make_manager(qw.Client("some-key", task.manager.client.base_url))
    again = nowhere.resume(task.task_id)
    assert again.is_done
    assert again.wait(0).video_path == task.video_path


@pytest.mark.slow
def test_a_task_of_another_program_is_resumed_by_its_id(make_manager, server):
    """A task that is new to the library is requested, followed, saved and written to the journal."""
    snapshot = qw.Client(server.api_key, server.base_url).submit(qw.VideoRequest(prompt=KOI))
    manager = make_manager()
    task = manager.resume(f" {snapshot.task_id}\n")
    assert manager.resume(snapshot.task_id) is task
    assert task.wait(60).video_path.exists()
    assert [row.task_id for row in manager.library.entries()] == [snapshot.task_id]


def test_an_unknown_task_is_not_found(manager):
    """The error is the service's own, and no row is written."""
    task = manager.resume("task-nobody")
    with pytest.raises(qw.TaskNotFound):
        task.wait(30)
    assert manager.library.entries() == []


def test_settings_come_from_the_jupyter_configuration(server, tmp_path):
    """The manager uses ``c.TaskManager.poll_interval = 5`` from a configuration file."""
    config = Config({"TaskManager": {"poll_interval": 5.0}})
    client = qw.Client(server.api_key, server.base_url)
    with qw.TaskManager(client, qw.Library(tmp_path), config=config) as manager:
        assert manager.poll_interval == 5.0


@pytest.mark.slow
def test_nothing_is_started_before_the_first_task_and_nothing_is_left_after_close(make_manager):
    """A manager starts no thread before its first use, and ends all of them on ``close``."""
    before = followers()  # a test before this one may have left some that are about to end
    manager = make_manager()
    assert followers() <= before
    manager.submit(prompt=KOI).wait(60)
    started = followers() - before
    assert started
    manager.close()
    for thread in started:
        thread.join(5)
        assert not thread.is_alive()
    with pytest.raises(qw.QingboError, match="closed"):
        manager.submit(prompt=KOI)


@pytest.mark.slow
def test_a_forgotten_manager_ends_its_thread(make_manager, server, tmp_path):
    """An unreferenced manager without followed tasks is garbage-collected, and its thread ends."""
    manager = qw.TaskManager(
        qw.Client(server.api_key, server.base_url), qw.Library(tmp_path), poll_interval=0.1
    )
    manager.submit(prompt=KOI).wait(60)
    threads = [thread for thread in threading.enumerate() if thread.name == "qingbo-monitor"]
    reference = weakref.ref(manager)
    del manager
    deadline = 100
    while reference() is not None and deadline:
        gc.collect()
        threading.Event().wait(0.05)
        deadline -= 1
    assert reference() is None
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.slow
def test_connect_twice_keeps_the_manager_and_its_tasks(default_manager, server, tmp_path):
    """Running the ``connect`` cell again changes nothing; another folder gets another manager."""
    first = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path / "a")
    task = qw.generate(KOI)
    assert qw.connect(server.api_key, base_url=server.base_url, library=tmp_path / "a") is first
    assert first.tasks == (task,)
    task.wait(60)
    other = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path / "b")
    assert other is not first
    first.close()


QUICK = """
import sys
import qingbo_widgets as qw
manager = qw.connect("some-key", base_url=sys.argv[1], library=sys.argv[2])
studio = qw.VideoStudio()
assert manager.tasks == () and "sqlalchemy" not in sys.modules, "imported too early"
manager.library.entries()
print("sqlalchemy" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("has_journal", [False, True])
def test_a_form_does_not_wait_for_the_database(tmp_path, has_journal):
    """SQLAlchemy, the slowest import, is not imported before a row is read or written."""
    if has_journal:
        ended: dict[str, Any] = {"status": "completed", "file": "koi.mp4", "task_id": "task-1"}
        qw.Library(tmp_path).add(Entry("a", "http://127.0.0.1:9/v1", **ended))
    command = [sys.executable, "-c", QUICK, "http://127.0.0.1:9/v1", tmp_path]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, f"{has_journal}\n"), done.stderr


@pytest.fixture
def slow_reading(monkeypatch):
    """Block reads of the journal until the returned event is set."""
    proceed, entries = threading.Event(), Library.entries

    def slow(library, **wanted):
        proceed.wait(30)
        return entries(library, **wanted)

    monkeypatch.setattr(Library, "entries", slow)
    yield proceed
    proceed.set()


@pytest.mark.slow
def test_connect_takes_up_what_is_unfinished_in_the_background(
    default_manager, server, tmp_path, slow_reading
):
    """``connect`` returns at once, and ``tasks`` then includes those of earlier sessions, each once."""
    first = qw.Client(server.api_key, server.base_url).submit(qw.VideoRequest(prompt=KOI))
    row = Entry("k" * 32, server.base_url, first.task_id, "kling-v3", {"prompt": KOI}, "queued")
    qw.Library(tmp_path).add(row)
    manager = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path)
    assert qw.connect(server.api_key, base_url=server.base_url, library=tmp_path) is manager
    new = qw.generate(KOI)
    assert manager.known_tasks == (new,), "earlier tasks are not loaded yet"
    threading.Timer(0.05, slow_reading.set).start()
    again = manager.resume(first.task_id)
    assert manager.tasks == (again, new)
    assert manager.adopt(row.key) is again
    assert manager.recover() == []
    assert [task.wait(60).video_path.exists() for task in manager.tasks] == [True, True]


@pytest.mark.slow
def test_what_cannot_be_read_in_the_background_is_raised_where_it_is_missed(
    default_manager, server, tmp_path, monkeypatch, caplog
):
    """Reading ``tasks`` raises the error once; later submissions are followed as usual."""
    qw.Library(tmp_path).add(Entry("k" * 32, server.base_url, "task-1", status="queued"))

    def fails(*_, **__):
        raise qw.QingboError("the journal is damaged")

    with monkeypatch.context() as patch:
        patch.setattr(Library, "entries", fails)
        manager = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path)
        with pytest.raises(qw.QingboError, match="damaged"):
            _ = manager.tasks
    assert "could not be read" in caplog.text
    task = qw.generate(KOI)
    assert manager.tasks == (task,)
    assert task.wait(60).video_path.exists()


def test_a_key_in_the_place_of_the_client_is_refused_and_not_shown(tmp_path):
    """The error explains the correct call and does not contain the key."""
    with pytest.raises(TypeError, match=r"Client, not str; connect\(api_key\)") as raised:
        qw.TaskManager("sk-sentinel")  # type: ignore[arg-type]  # the mistake
    assert "sentinel" not in str(raised.value)
    with pytest.raises(TypeError, match="Library, not str"):
        qw.TaskManager(qw.Client("sk-sentinel"), str(tmp_path))  # type: ignore[arg-type]  # the mistake


def test_a_key_in_the_place_of_the_sandbox_is_refused_and_not_shown():
    """The key is not shown, even in a traceback with the local variables of each frame."""
    with pytest.raises(TypeError, match="key is the first argument") as refused:
        qw.connect(sandbox="sk-sentinel")  # type: ignore[arg-type]  # the mistake
    shown = traceback.TracebackException.from_exception(refused.value, capture_locals=True).stack
    assert all("sk-sentinel" not in str(frame.locals) for frame in shown if frame.name == "connect")


def test_connect_to_the_sandbox_needs_no_key(default_manager, tmp_path):
    """``connect(sandbox=True)`` twice starts one sandbox, and ``generate`` uses it."""
    manager = qw.connect(sandbox=True, library=tmp_path)
    assert manager.is_sandbox
    assert qw.connect(sandbox=True, library=tmp_path).sandbox is manager.sandbox
    task = qw.generate(KOI)
    while not task.task_id:
        threading.Event().wait(0.01)
    assert manager.library.entries()[0].service == "sandbox"


def test_without_a_key_generate_says_how_to_get_one(default_manager, monkeypatch):
    """The message names the environment variable and the sandbox, which needs no key."""
    for name in ("QINGBO_API_KEY", "WAVE_API_KEY", "WAVEAPI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(qw.MissingApiKey, match=r"QINGBO_API_KEY(.|\n)*sandbox=True"):
        qw.generate(KOI)


@pytest.mark.parametrize("task_id", ["", "  ", "..", None, 5])
def test_what_can_be_no_id_is_not_resumed(manager, task_id):
    """An invalid id resumes no task and leaves no row."""
    with pytest.raises(qw.InvalidRequest, match="task_id"):
        manager.resume(task_id)
    assert manager.library.entries() == []


@pytest.mark.parametrize("request_", ["a koi", {"prompt": "a koi"}])
def test_only_a_request_is_submitted(manager, request_):
    """The error for a prompt in place of a request names the right argument."""
    with pytest.raises(TypeError, match="prompt="):
        manager.submit(request_)


def test_a_closed_manager_takes_no_task(make_manager):
    """A closed manager refuses a task and keeps none that could never end."""
    manager = make_manager()
    manager.close()
    with pytest.raises(qw.QingboError, match="closed"):
        manager.submit(prompt=KOI)
    assert manager.tasks == ()


def test_to_and_fro_between_two_services_keeps_their_managers(default_manager, server, tmp_path):
    """Connecting to the sandbox in between does not separate the service's tasks from their manager."""
    first = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path)
    sandboxed = qw.connect(sandbox=True, library=tmp_path)
    assert sandboxed is not first
    assert qw.connect(server.api_key, base_url=server.base_url, library=tmp_path) is first
    assert qw.connect(sandbox=True, library=tmp_path) is sandboxed
    first.close()


@pytest.mark.slow
def test_a_script_that_ends_at_once_has_submitted_its_task(server, tmp_path):
    """A script that ends right after ``generate`` has submitted its task to the service."""
    script = f"""
import qingbo_widgets as qw
qw.connect({server.api_key!r}, base_url={server.base_url!r}, library={str(tmp_path)!r})
qw.generate("fire and forget")
"""
    # Ignore warnings of libraries: this checks for a traceback at exit.
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = qw.Library(tmp_path).entries()
    assert row.task_id.startswith("task-")


def test_a_task_of_a_sandbox_of_another_contract_is_not_called_lost(tmp_path):
    """It is not asked for here, where its id is unknown; the error says where, and its row stays as it is."""
    library = qw.Library(tmp_path)
    library.add(Entry("c" * 32, "sandbox", task_id="task-1", status="processing", contract="2026-04"))
    with qw.Sandbox(draft=True, contract="2026-11") as sandbox:
        client = qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        manager = qw.TaskManager(client, library, sandbox=sandbox)
        for find in (lambda: manager.resume("task-1"), lambda: manager.adopt("c" * 32)):
            task = find()
            with pytest.raises(qw.QingboError, match=r'sandbox of contract 2026-04.*contract="2026-04"'):
                task.wait(30)
            assert task.status == qw.TaskStatus.processing
        assert library.get("c" * 32).status == "processing"
        manager.close()


def test_a_key_in_place_of_a_contract_is_not_shown() -> None:
    """A key given as the contract is in no message, nor in a variable that a verbose traceback shows."""
    key = "sk-live0123456789abcdefGHIJ"
    for arguments in ((), (qw.Client("sk-sentinel-key"),)):
        with pytest.raises(qw.InvalidRequest, match="<hidden>") as caught:
            qw.TaskManager(*arguments, contract=key)
        assert key not in shown_by(caught.value)


@pytest.mark.parametrize("name", ["api_key", "base_url", "library_folder"])
def test_a_setting_that_does_not_exist(name: str) -> None:
    """The error names it and the call that takes a key, instead of a missing key; the value is not shown."""
    key = "sk-live0123456789abcdefGHIJ"
    with pytest.raises(TypeError, match=rf"no setting {name}.*connect\(api_key=…\)") as caught:
        qw.TaskManager(**{name: key})  # type: ignore[arg-type]  # the mistake
    assert key not in shown_by(caught.value)


@pytest.mark.parametrize("name", ["client", "library", "sandbox"])
def test_a_key_in_the_place_of_a_part_is_not_shown(name: str) -> None:
    """A key given as any part of a manager is in no message and no traceback."""
    key = "sk-live0123456789abcdefGHIJ"
    with pytest.raises(TypeError, match=f"^{name} must be a") as caught:
        qw.TaskManager(**{name: key})  # type: ignore[arg-type]  # the mistake
    assert key not in shown_by(caught.value)


def test_a_manager_that_is_not_finished_has_a_repr() -> None:
    """A verbose traceback of an error in the constructor can print the manager, which has no client yet."""
    with pytest.raises(qw.MissingApiKey) as caught:
        qw.TaskManager()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    (manager,) = {
        frame.f_locals["self"] for frame in frames if frame.f_code.co_qualname == "TaskManager.__init__"
    }
    assert repr(manager) == "<TaskManager, unfinished>"
