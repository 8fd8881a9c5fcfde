"""``manager``: submitting, resuming, connecting."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import traceback
import weakref

import pytest
from traitlets.config import Config

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.tasks import connection as module

KOI = "一条锦鲤"


@pytest.fixture
def default_manager(monkeypatch):
    """``connect`` starts from nothing, and what it made is closed."""
    monkeypatch.setattr(module, "_default", None)
    yield
    if module._default is not None:
        module._default.close()


def followers() -> set[threading.Thread]:
    """The threads that managers have started and that live."""
    ours = ("qingbo-monitor", "qingbo-request", "qingbo-download", "qingbo-journal", "qingbo-callback")
    return {thread for thread in threading.enumerate() if thread.name in ours}


def test_a_bad_request_is_refused_before_anything_is_sent(manager):
    """The refusal names the field; no task and no row come of it."""
    with pytest.raises(qw.InvalidRequest) as raised:
        manager.submit(prompt=KOI, model="kling-v1", duration=7)
    assert [problem.field for problem in raised.value.problems] == ["duration"]
    with pytest.raises(TypeError):
        manager.submit(prompt=KOI, colour="red")
    assert manager.tasks == ()
    assert manager.library.entries() == []


def test_an_unknown_model_is_sent_with_a_warning(manager):
    """The service adds models; ours are not all there are. The warning points at the caller's line."""
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
    """After the end, the row holds request, id, times and the file's name."""
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
    """A kernel ends in mid-task; the next one's ``recover`` follows the same task to its video."""
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
    """Two kernels: one follows, the other reads; both show the end, and the video is saved once."""
    first, second = make_manager(), make_manager()
    task = first.submit(prompt=KOI, duration=15)
    while not task.task_id:
        threading.Event().wait(0.01)
    (twin,) = second.recover()
    assert twin is not task
    assert twin.wait(60).video_path == task.wait(60).video_path
    assert len(list(first.library.folder.glob("*.mp4"))) == 1


@pytest.mark.slow
def test_a_finished_task_is_resumed_without_the_service(make_manager):
    """Opened tomorrow, with the service out of reach: the video is in the library, so it is simply there."""
    task = make_manager().submit(prompt=KOI).wait(60)
    nowhere = make_manager(qw.Client("some-key", task.manager.client.base_url))
    again = nowhere.resume(task.task_id)
    assert again.is_done
    assert again.wait(0).video_path == task.video_path


@pytest.mark.slow
def test_a_task_of_another_program_is_resumed_by_its_id(make_manager, server):
    """A task that this library has never seen is asked for, followed, saved and written down."""
    snapshot = qw.Client(server.api_key, server.base_url).submit(qw.VideoRequest(prompt=KOI))
    manager = make_manager()
    task = manager.resume(f" {snapshot.task_id}\n")
    assert manager.resume(snapshot.task_id) is task
    assert task.wait(60).video_path.exists()
    assert [row.task_id for row in manager.library.entries()] == [snapshot.task_id]


def test_an_unknown_task_is_not_found(manager):
    """The error is the service's own, and nothing is written down."""
    task = manager.resume("task-nobody")
    with pytest.raises(qw.TaskNotFound):
        task.wait(30)
    assert manager.library.entries() == []


def test_settings_come_from_the_jupyter_configuration(server, tmp_path):
    """``c.TaskManager.poll_interval = 5`` in a configuration file is what the manager uses."""
    config = Config({"TaskManager": {"poll_interval": 5.0}})
    client = qw.Client(server.api_key, server.base_url)
    with qw.TaskManager(client, qw.Library(tmp_path), config=config) as manager:
        assert manager.poll_interval == 5.0


@pytest.mark.slow
def test_nothing_is_started_before_the_first_task_and_nothing_is_left_after_close(make_manager):
    """A manager costs no thread until it is used, and gives all of them back."""
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
    """A manager that nobody holds any more, with nothing to follow, is collected with its thread."""
    manager = qw.TaskManager(
        qw.Client(server.api_key, server.base_url), qw.Library(tmp_path), poll_interval=0.1
    )
    manager.submit(prompt=KOI).wait(60)
    threads = [thread for thread in threading.enumerate() if thread.name == "qingbo-monitor"]
    gone = weakref.ref(manager)
    del manager
    deadline = 100
    while gone() is not None and deadline:
        gc.collect()
        threading.Event().wait(0.05)
        deadline -= 1
    assert gone() is None
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.slow
def test_connect_twice_keeps_the_manager_and_its_tasks(default_manager, server, tmp_path):
    """Running the connecting cell again changes nothing; another folder is another manager."""
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
assert manager.tasks == () and "sqlalchemy" not in sys.modules, "imported for nothing"
manager.library.entries()
print("sqlalchemy" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("has_journal", [False, True])
def test_a_form_does_not_wait_for_the_database(tmp_path, has_journal):
    """SQLAlchemy takes longer to import than all the rest: not before a row is read or written."""
    if has_journal:
        ended = {"status": "completed", "file": "koi.mp4", "task_id": "task-1"}
        qw.Library(tmp_path).add(Entry("a", "http://127.0.0.1:9/v1", **ended))
    command = [sys.executable, "-c", QUICK, "http://127.0.0.1:9/v1", tmp_path]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, f"{has_journal}\n"), done.stderr


@pytest.fixture
def slow_reading(monkeypatch):
    """Reading the journal takes until this is set."""
    may_go_on, entries = threading.Event(), Library.entries

    def slow(library, **wanted):
        may_go_on.wait(30)
        return entries(library, **wanted)

    monkeypatch.setattr(Library, "entries", slow)
    yield may_go_on
    may_go_on.set()


@pytest.mark.slow
def test_connect_takes_up_what_is_unfinished_in_the_background(
    default_manager, server, tmp_path, slow_reading
):
    """``connect`` is there at once. Whoever asks for tasks gets those of yesterday too, each once."""
    first = qw.Client(server.api_key, server.base_url).submit(qw.VideoRequest(prompt=KOI))
    row = Entry("k" * 32, server.base_url, first.task_id, "kling-v3", {"prompt": KOI}, "queued")
    qw.Library(tmp_path).add(row)
    manager = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path)
    assert qw.connect(server.api_key, base_url=server.base_url, library=tmp_path) is manager
    new = qw.generate(KOI)
    assert manager.known == (new,), "those of yesterday are not there yet"
    threading.Timer(0.05, slow_reading.set).start()
    again = manager.resume(first.task_id)
    assert manager.tasks == (again, new)
    assert manager.take_up(row.key) is again
    assert manager.recover() == []
    assert [task.wait(60).video_path.exists() for task in manager.tasks] == [True, True]


@pytest.mark.slow
def test_what_cannot_be_read_in_the_background_is_raised_where_it_is_missed(
    default_manager, server, tmp_path, monkeypatch, caplog
):
    """Once, where tasks are asked for; what is submitted from then on is followed as ever."""
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
    """The error says what to do instead, and nothing that a notebook must not keep."""
    with pytest.raises(TypeError, match=r"Client, not str; connect\(api_key\)") as raised:
        qw.TaskManager("sk-sentinel")
    assert "sentinel" not in str(raised.value)
    with pytest.raises(TypeError, match="Library, not str"):
        qw.TaskManager(qw.Client("sk-sentinel"), str(tmp_path))


def test_a_key_in_the_place_of_the_sandbox_is_refused_and_not_shown():
    """Not even where a traceback shows the variables of each frame."""
    with pytest.raises(TypeError, match="key is the first argument") as refused:
        qw.connect(sandbox="sk-sentinel")
    shown = traceback.TracebackException.from_exception(refused.value, capture_locals=True).stack
    assert all("sk-sentinel" not in str(frame.locals) for frame in shown if frame.name == "connect")


def test_connect_to_the_sandbox_needs_no_key(default_manager, tmp_path):
    """``connect(sandbox=True)`` twice is one sandbox, and ``generate`` goes there."""
    manager = qw.connect(sandbox=True, library=tmp_path)
    assert manager.is_sandbox
    assert qw.connect(sandbox=True, library=tmp_path).sandbox is manager.sandbox
    task = qw.generate(KOI)
    while not task.task_id:
        threading.Event().wait(0.01)
    assert manager.library.entries()[0].service == "sandbox"


def test_without_a_key_generate_says_how_to_get_one(default_manager, monkeypatch):
    """The message names the variable, and the way without a key."""
    for name in ("QINGBO_API_KEY", "WAVE_API_KEY", "WAVEAPI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(qw.MissingApiKey, match=r"QINGBO_API_KEY(.|\n)*sandbox=True"):
        qw.generate(KOI)


@pytest.mark.parametrize("task_id", ["", "  ", None, 5])
def test_what_can_be_no_id_is_not_resumed(manager, task_id):
    """An empty id takes up nobody's task, and leaves no row."""
    with pytest.raises(qw.InvalidRequest, match="task_id"):
        manager.resume(task_id)
    assert manager.library.entries() == []


@pytest.mark.parametrize("request_", ["a koi", {"prompt": "a koi"}])
def test_only_a_request_is_submitted(manager, request_):
    """A prompt in the place of a request is told where it belongs."""
    with pytest.raises(TypeError, match="prompt="):
        manager.submit(request_)


def test_a_closed_manager_takes_no_task(make_manager):
    """Nothing hangs about that could never end."""
    manager = make_manager()
    manager.close()
    with pytest.raises(qw.QingboError, match="closed"):
        manager.submit(prompt=KOI)
    assert manager.tasks == ()


def test_to_and_fro_between_two_services_keeps_their_managers(default_manager, server, tmp_path):
    """Connecting to the sandbox for a moment does not part the tasks of the service from their manager."""
    first = qw.connect(server.api_key, base_url=server.base_url, library=tmp_path)
    aside = qw.connect(sandbox=True, library=tmp_path)
    assert aside is not first
    assert qw.connect(server.api_key, base_url=server.base_url, library=tmp_path) is first
    assert qw.connect(sandbox=True, library=tmp_path) is aside
    first.close()


@pytest.mark.slow
def test_a_script_that_ends_at_once_has_submitted_its_task(server, tmp_path):
    """Fire and forget: the last line of a script is ``generate``, and the service has the task."""
    script = f"""
import qingbo_widgets as qw
qw.connect({server.api_key!r}, base_url={server.base_url!r}, library={str(tmp_path)!r})
qw.generate("fire and forget")
"""
    # What a library warns of is not what is looked for here: a traceback at the end.
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = qw.Library(tmp_path).entries()
    assert row.task_id.startswith("task-")
