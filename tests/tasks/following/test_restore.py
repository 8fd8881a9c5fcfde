"""``restore`` and ``saved_errors``: a task is the same after a kernel restart."""

from __future__ import annotations

import inspect
import json
import sqlite3
from contextlib import closing

import pytest

import qingbo_widgets as qw
from qingbo_widgets import exceptions
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.saved_errors import error_of, row_of
from qingbo_widgets.tasks.following.restore import state_of
from tests.faults.server import FaultServer, answer

SERVICE = [
    kind("no such luck", status=400, code="some_code", param="prompt", hint="Do this.")
    for _, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, qw.ServiceError)
]
ERRORS = [
    *SERVICE,
    qw.TaskFailed("refused", task_id="task-1", code="task_failed"),
    qw.TaskCancelled("cancelled", task_id="task-1"),
    qw.SubmissionUnconfirmed("who knows", idempotency_key="k"),
    qw.ConnectionFailed("down", sent=True),
    qw.DownloadFailed("stopped", url="https://example.org/v.mp4", transient=True, retry_after=3.0),
    qw.UploadFailed("not reached", transient=True),
    qw.LinkExpired("gone", url="https://example.org/v.mp4"),
    qw.QingboError("something else"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_a_restart(error):
    """Class, text and attributes survive the journal's JSON, so ``except`` and the card behave as before."""
    again = error_of(json.loads(json.dumps(row_of(error))))
    assert type(again) is type(error)
    assert str(again) == str(error)
    known = ("status", "code", "message", "param", "retry_after", "task_id", "idempotency_key")
    for name in (*known, "sent", "url", "transient"):
        assert getattr(again, name, None) == getattr(error, name, None), name


@pytest.mark.parametrize("kind", ["NoMoreKnown", "InvalidRequest", "annotations", "tr", None, 5, ["x"]])
def test_an_error_of_an_unknown_kind_keeps_its_text(kind):
    """A class of a newer version, or an edited row, becomes a ``QingboError`` with the same text."""
    again = error_of({"type": kind, "message": "what it said", "facts": [1]})
    assert type(again) is qw.QingboError
    assert str(again) == "what it said"


def test_the_contract_of_a_refusal_is_restored():
    """The contract that the server seemed to speak is known after a restart."""
    error = qw.BadRequest("no extra", status=400, code="capability_violation", param="extra")
    error.contract = "2026-11"
    restored = error_of(json.loads(json.dumps(row_of(error))))
    assert isinstance(restored, qw.BadRequest)
    assert restored.contract == "2026-11"


def test_a_row_of_an_earlier_version_is_restored(tmp_path):
    """A row with only type and text gets the task id from its own column."""
    library = qw.Library(tmp_path)
    error = {"type": "TaskFailed", "message": "refused"}
    entry = Entry(key="k", service="s", task_id="task-1", status="failed", error=error)
    restored = state_of(entry, library)["error"]
    assert (type(restored), restored.task_id, restored.code) == (qw.TaskFailed, "task-1", None)


@pytest.mark.parametrize(("status", "kind"), [(400, qw.BadRequest), (402, qw.InsufficientBalance)])
def test_a_refused_submission_is_a_refusal_in_the_next_kernel_too(make_manager, status, kind):
    """A refused submission keeps its own error class, because the service neither ran nor refunds it."""
    refusal = answer({"error": {"message": "no such luck", "code": "some_code"}}, status)
    with FaultServer(refusal) as server:
        first = make_manager(qw.Client("some-key", f"{server.url}/v1"))
        task = first.submit(prompt="a koi")
        with pytest.raises(kind):
            task.wait(20)
        first.close()
        again = make_manager(qw.Client("some-key", f"{server.url}/v1")).adopt(task.key)
        with pytest.raises(kind) as raised:
            again.wait(20)
    assert (raised.value.status, raised.value.code) == (status, "some_code")
    assert str(raised.value) == str(task.error)


@pytest.mark.slow
@pytest.mark.parametrize(("kept", "shown"), [(500, 100), (-3, 0), ("half", 0)])
def test_an_invalid_progress_does_not_stop_following(make_manager, server, kept, shown):
    """A paid task is followed although the progress in its row is invalid."""
    manager = make_manager()
    snapshot = manager.client.submit(qw.VideoRequest(prompt="a koi"))
    manager.library.add(
        Entry(key="k" * 32, service=manager.service, task_id=snapshot.task_id, status="queued")
    )
    with closing(sqlite3.connect(manager.library.folder / "library.sqlite")) as database, database:
        database.execute("update tasks set progress = ?", (kept,))
    (entry,) = manager.library.entries()
    assert state_of(entry, manager.library)["progress"] == shown
    (task,) = manager.recover()
    assert task.wait(60).video_path.exists()


def test_a_request_of_another_shape_counts_as_unknown(tmp_path):
    """JSON of an unexpected shape affects only its own column."""
    library = qw.Library(tmp_path)
    library.add(Entry(key="k", service="s", status="failed"))
    with closing(sqlite3.connect(tmp_path / "library.sqlite")) as database, database:
        database.execute("update tasks set request = '[1, 2]', error = '\"boom\"'")
    (entry,) = library.entries()
    assert (entry.prompt, entry.request, entry.error) == ("", None, None)
