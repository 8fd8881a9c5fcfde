"""``task``: the observable behaviour of a task, against a real sandbox."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.sandbox import Faults
from tests.faults.server import FaultServer, answer, close
from tests.waiting import until

KOI = "一条锦鲤在清澈的池塘中游动，水面波光粼粼"


@pytest.mark.slow
def test_a_task_is_submitted_followed_and_saved(manager):
    """One call saves a real mp4 of the right length under a readable name in the folder."""
    task = manager.submit(model="kling-v2-master", prompt=KOI)
    assert task.wait(60) is task
    assert task.status == qw.TaskStatus.completed
    assert task.progress == 100
    assert task.task_id.startswith("task-")
    assert task.video_path.parent == manager.library.folder
    assert task.video_path.name.startswith("一条锦鲤在清澈的池塘中游动-水面波光粼粼-")
    with av.open(task.video_path) as video:
        assert video.duration / 1e6 == pytest.approx(5.0, abs=0.1)
    assert task.created_at <= task.completed_at
    assert not list(manager.library.folder.glob("*.part"))


@pytest.mark.slow
def test_submit_returns_before_the_service_has_answered(manager):
    """``submit`` returns at once; the id arrives later."""
    task = manager.submit(prompt=KOI)
    assert task.status == qw.TaskStatus.submitting
    assert task.task_id == ""
    task.wait(60)


@pytest.mark.slow
def test_progress_rises_and_observers_hear_of_it(manager):
    """A bar bound to the task moves in several steps and never back."""
    seen: list[int] = []
    task = manager.submit(prompt=KOI, duration=15)
    task.observe(lambda change: seen.append(change.new), "progress")
    task.wait(60)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(seen) > 2


@pytest.mark.slow
def test_a_failing_observer_hides_nothing_from_the_others(manager, caplog):
    """A mistake in one cell's callback neither stops the task nor silences another cell's callback."""
    changes: list[object] = []
    task = manager.submit(prompt=KOI)

    def broken(change: object) -> None:
        raise ZeroDivisionError("a user's mistake")

    task.observe(broken, "status")
    task.observe(lambda change: changes.append(change.new), "status")
    task.wait(60)
    assert changes[-1] == qw.TaskStatus.completed
    assert caplog.text.count("An observer of a task failed") == 1
    assert "a user's mistake" in caplog.text


@pytest.mark.slow
def test_unobserve_works(manager):
    """A removed observer is no longer called."""
    changes: list[object] = []
    task = manager.submit(prompt=KOI)
    listener = changes.append
    task.observe(listener, "video_path")
    task.unobserve(listener, "video_path")
    task.wait(60)
    assert changes == []


@pytest.mark.slow
def test_await_gives_the_finished_task(manager):
    """``await task`` leaves the event loop free, and several can be awaited at once."""

    async def several() -> list[qw.Task]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        tasks: list[qw.Task] = list(
            await asyncio.gather(manager.submit(prompt="a fox"), manager.submit(prompt="a crane"))
        )
        ticking.cancel()
        assert ticks > 5
        return tasks

    assert all(task.video_path.exists() for task in asyncio.run(several()))


@pytest.mark.slow
def test_on_end_is_called_once_and_at_once_when_it_is_over(manager):
    """A callback is called exactly once, whether registered before or after the end."""
    calls: list[qw.Task] = []
    both = threading.Semaphore(0)

    def note(task: qw.Task) -> None:
        calls.append(task)
        both.release()

    task = manager.submit(prompt=KOI)
    task.on_end(note)
    task.wait(60)
    assert both.acquire(timeout=10)
    task.on_end(note)
    assert both.acquire(timeout=10)
    assert calls == [task, task]


@pytest.mark.slow
def test_on_end_may_wait_for_another_task(manager):
    """A callback that submits another task and waits for it does not deadlock."""
    chained = threading.Event()

    def chain(task: qw.Task) -> None:
        manager.submit(prompt="the next one").wait(60)
        chained.set()

    manager.submit(prompt="the first one").on_end(chain)
    assert chained.wait(60)


@pytest.mark.slow
def test_wait_in_an_observer_is_refused(manager):
    """``wait`` in an observer raises, because it would block the thread that has to end it."""
    refused: list[str] = []
    task = manager.submit(prompt=KOI)

    def wait(change: object) -> None:
        try:
            task.wait(1)
        except RuntimeError as error:
            refused.append(str(error))

    task.observe(wait, "task_id")
    task.wait(60)
    assert "on_end" in refused[0]


@pytest.mark.slow
def test_wait_times_out_and_the_task_goes_on(manager):
    """``WaitTimeout`` is a ``TimeoutError``, and a second wait succeeds."""
    task = manager.submit(prompt=KOI, duration=15)
    with pytest.raises(TimeoutError) as raised:
        task.wait(0.01)
    assert isinstance(raised.value, qw.WaitTimeout)
    assert task.wait(60).video_path.exists()


@pytest.mark.slow
def test_interrupt_ends_the_wait_at_once(server, tmp_path):
    """Ctrl-C, or Kernel → Interrupt, ends ``wait`` before the task ends, and the task is still followed."""
    script = f"""
import signal, time, qingbo_widgets as qw
signal.signal(signal.SIGINT, signal.default_int_handler)  # a run started with & inherits another handler
m = qw.TaskManager(qw.Client({server.api_key!r}, {server.base_url!r}), qw.Library({str(tmp_path)!r}))
m.submit_patience = 60
task = m.submit(prompt="a slow one", model="kling-v3", duration=15, mode="pro")
print("waiting", flush=True)
try:
    task.wait()
except KeyboardInterrupt:
    print("interrupted", task.is_done, flush=True)
task.wait(60)
print(task.status, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.3)  # interrupt the wait itself; any earlier would only test Python
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted False\n"
    assert process.stdout.read() == "completed\n"
    assert process.wait(10) == 0
    process.stdout.close()


def test_a_queued_task_is_cancelled(manager, server):
    """A task cancelled while queued is refunded by the service and has the status cancelled."""
    from qingbo_widgets.sandbox import Sandbox

    with Sandbox(speed=0.2, draft=True) as slow:
        manager.client = qw.Client(slow.api_key, slow.base_url)
        task = manager.submit(prompt=KOI)
        while not task.task_id:
            time.sleep(0.01)
        task.cancel()
        with pytest.raises(qw.TaskCancelled):
            task.wait(10)
    assert task.status == qw.TaskStatus.cancelled
    assert task.status.is_ended


@pytest.mark.slow
def test_a_task_that_is_done_cannot_be_cancelled(manager):
    """``cancel`` raises the service's refusal, and the task is unchanged."""
    task = manager.submit(prompt=KOI).wait(60)
    with pytest.raises(qw.BadRequest):
        task.cancel()
    assert task.status == qw.TaskStatus.completed


@pytest.mark.slow
def test_save_copies_to_a_file_or_into_a_folder(manager, tmp_path):
    """``task.save`` copies the video to the given name; in a folder it keeps its own name."""
    task = manager.submit(prompt=KOI).wait(60)
    assert task.save(tmp_path / "new" / "koi.mp4").read_bytes() == task.video_path.read_bytes()
    assert task.save(tmp_path) == tmp_path / task.video_path.name


@pytest.mark.slow
def test_repr_is_short_and_a_task_is_not_pickled(manager, server):
    """A repr contains the task id and no key; the pickling error explains the alternative."""
    task = manager.submit(prompt=KOI).wait(60)
    assert task.task_id in repr(task)
    assert server.api_key not in repr(task) + repr(manager) + repr(manager.client)
    with pytest.raises(TypeError, match="resume"):
        pickle.dumps(task)


def test_every_trait_is_read_only_and_explained():
    """Every trait of a task is read-only and has a help text."""
    traits = qw.Task.class_traits()
    assert set(traits) >= {
        "task_id", "model", "status", "progress", "created_at", "completed_at",
        "video_urls", "video_path", "error", "eta", "message",
    }  # fmt: skip
    for name, trait in traits.items():
        assert trait.read_only, name
        assert trait.help, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "full"), [("utf-8", "█" * 24), ("cp1252", "#" * 24), ("ascii", "#" * 24)]
)
def test_a_script_sees_lines_of_progress(server, tmp_path, encoding, full):
    """Without a terminal, ``wait`` writes a few plain lines to standard error and none to standard output."""
    script = f"""
import qingbo_widgets as qw
with qw.TaskManager(qw.Client({server.api_key!r}, {server.base_url!r}), qw.Library({str(tmp_path)!r})) as m:
    m.poll_interval = 0.1
    m.submit(prompt="一条锦鲤").wait(60)
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        encoding=encoding,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert 2 <= len(lines) <= 12
    assert "\r" not in done.stderr
    assert str(Path(tmp_path)) in lines[-1]
    assert f"{full} 100 %" in lines[-1]


@pytest.mark.slow
def test_await_does_not_wait_for_other_people_s_callbacks(manager):
    """Awaiting a task returns when the task is done, even while other callbacks block."""
    gate = threading.Event()
    for number in range(3):
        manager.submit(prompt=f"callback {number}").on_end(lambda _: gate.wait(60))

    async def story() -> qw.Task:
        task: qw.Task = await manager.submit(prompt="awaited")
        return task

    assert asyncio.run(asyncio.wait_for(story(), 60)).video_path.exists()
    gate.set()


@pytest.mark.slow
def test_a_given_up_await_leaves_nothing_behind(manager, caplog):
    """After ``wait_for`` has timed out and its loop is closed, the task ends without logging anything."""
    task = manager.submit(prompt=KOI, duration=15)

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(task, 0.01)

    asyncio.run(impatient())
    task.wait(60)
    assert "closed" not in caplog.text


@pytest.mark.slow
def test_saving_a_video_onto_itself_is_no_error(manager):
    """Saving a video to its own path returns that path."""
    task = manager.submit(prompt=KOI).wait(60)
    assert task.save(task.video_path) == task.video_path


def test_a_task_of_another_contract_is_not_submitted_again(manager, monkeypatch):
    """The error names both contracts and the way out, because the task could be charged twice."""
    request = {"model": "kling-v3", "prompt": KOI}
    row = Entry("c" * 32, manager.service, request=request, status="unconfirmed", contract="2099-01")
    manager.library.add(row)
    sent: list[object] = []
    monkeypatch.setattr(manager.client, "submit", lambda *args, **_: sent.append(args))
    task = manager.adopt(row.key)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(30)
    with pytest.raises(
        qw.QingboError, match=r"2099-01, not 2026-04.*may charge twice.*check\(.*connect\(contract="
    ):
        task.submit_again()
    assert task.is_done
    assert task.status == qw.TaskStatus.unconfirmed
    assert sent == []
    assert manager.library.get(row.key).contract == "2099-01"


@pytest.mark.slow
def test_a_refused_task_of_another_contract_is_submitted_again(make_manager, no_proxy):
    """The service never had it, so it goes out in the contract of the connection, which its row then has."""
    with qw.Sandbox(speed=50, draft=True, contract="2026-11") as sandbox:
        april = make_manager(qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-04"))
        key = april.submit(prompt=KOI, duration=3).key
        with pytest.raises(qw.BadRequest, match=r'connect\(contract="2026-11".*Nothing was charged'):
            april.adopt(key).wait(30)
        april.close()
        sandbox.faults = Faults(fail="task_failed")
        manager = make_manager(qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11"))
        task = manager.adopt(key)
        assert task.contract == "2026-04"
        with pytest.warns(UserWarning, match=r"other defaults.*submit\(task.request, generate_audio=True"):
            task.submit_again()
        until(lambda: task.task_id)
        assert (task.key, task.contract, manager.library.get(key).contract) == (key, "2026-11", "2026-11")
        assert list(sandbox.requests) == [task.task_id]


def test_a_submission_in_doubt_of_another_contract_is_not_repeated_after_the_click(november, make_manager):
    """Another kernel submits the refused task in its contract, unconfirmed; this one sends nothing."""
    server, manager = november
    refused = answer({"error": {"message": "No.", "code": "odd"}}, 400)
    server.then(refused, close)
    other = make_manager(qw.Client("some-key", server.url, contract="2026-04"))
    key = other.submit(prompt=KOI).key
    with pytest.raises(qw.BadRequest):
        other.adopt(key).wait(30)
    task = manager.adopt(key)
    other.adopt(key).submit_again()  # without a warning, because it goes out as it was meant
    with pytest.raises(qw.SubmissionUnconfirmed):
        other.adopt(key).wait(30)
    with pytest.warns(UserWarning, match="other defaults"):
        task.submit_again()
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(30)
    with pytest.raises(qw.QingboError, match="under contract 2026-04, not 2026-11"):
        task.submit_again()
    assert len(server.requests) == 2


def test_a_submission_in_doubt_is_not_sent_in_another_contract(november):
    """The last check is right before the request: whatever led there, nothing is sent."""
    server, manager = november
    task = doubtful(manager, contract="2026-04", hours=1)
    assert task.lifecycle.claim(lambda: True)
    manager.follow(task, submit=True, status=qw.TaskStatus.submitting, error=None)
    with pytest.raises(qw.SubmissionUnconfirmed, match="under contract 2026-04") as caught:
        task.wait(30)
    assert caught.value.idempotency_key == task.key
    assert (manager.library.get(task.key).contract, server.requests) == ("2026-04", [])


def doubtful(manager, *, contract="2026-11", hours, first=None):
    """Return a task whose submission the service has not confirmed, as a new kernel finds it."""
    now = datetime.now(UTC)
    row = Entry(
        "c" * 32,
        manager.service,
        request={"model": "kling-v3", "prompt": KOI},
        status="unconfirmed",
        contract=contract,
        submitted_at=now - timedelta(hours=hours),
        first_submitted_at=None if first is None else now - timedelta(hours=first),
    )
    manager.library.add(row)
    task = manager.adopt(row.key)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(30)
    return task


@pytest.fixture
def november(make_manager, no_proxy):
    """Yield a server whose tasks fail at once, and a manager that speaks contract 2026-11 with it."""
    body = {"task_id": "task-1", "status": "failed", "cost": 0, "error": {"message": "No."}}
    with FaultServer(otherwise=answer(body)) as server:
        yield server, make_manager(qw.Client("some-key", server.url, contract="2026-11"))


def test_a_submission_is_repeated_while_the_service_knows_its_key(november):
    """Within 24 hours of the first submission, another has the same key and body, and needs no consent."""
    server, manager = november
    task = doubtful(manager, hours=1, first=23)
    first, task_body = task.first_submitted_at, manager.client.payload(task.request)
    task.submit_again()
    with pytest.raises(qw.TaskFailed):
        task.wait(30)
    (sent,) = server.requests
    assert (sent.headers["idempotency-key"], sent.json) == (task.key, task_body)
    assert manager.library.get(task.key).first_submitted_at == first


@pytest.mark.parametrize("moments", [{"hours": -365 * 24}, {"hours": 1, "first": -1}])
def test_a_first_submission_in_the_future_needs_consent(november, moments):
    """A clock that was ahead says nothing about the age of a key, so nothing is sent without consent."""
    server, manager = november
    task = doubtful(manager, **moments)
    assert task.is_key_forgotten
    with pytest.raises(qw.QingboError, match=r"in the future.*may charge twice.*may_charge_again=True"):
        task.submit_again()
    assert server.requests == []
    task.submit_again(may_charge_again=True)
    with pytest.raises(qw.TaskFailed):
        task.wait(30)
    assert len(server.requests) == 1


def test_the_clocks_of_two_machines_may_differ_by_minutes(november):
    """A first submission a few minutes in the future is one of just now."""
    _, manager = november
    assert not doubtful(manager, hours=-0.1).is_key_forgotten


MOMENTS = [{"hours": 25}, {"hours": 1, "first": 25}, {"hours": 23.9}]


@pytest.mark.parametrize("moments", MOMENTS)
def test_a_submission_whose_key_is_forgotten_needs_consent(november, moments):
    """Near 24 hours after the first submission nothing is sent until the user agrees to pay for a second."""
    server, manager = november
    task = doubtful(manager, **moments)
    with pytest.raises(
        qw.QingboError, match=r"24 hours only.*may charge twice.*check\(.*may_charge_again=True"
    ):
        task.submit_again()
    assert (task.status, task.is_done, server.requests) == (qw.TaskStatus.unconfirmed, True, [])
    task.submit_again(may_charge_again=True)
    with pytest.raises(qw.TaskFailed):
        task.wait(30)
    assert len(server.requests) == 1


@pytest.mark.parametrize("moments", MOMENTS)
@pytest.mark.parametrize("outcome", [answer({"error": {"message": "No money."}}, 402), close])
def test_consent_is_for_one_submission(november, moments, outcome):
    """If a submission with consent is refused or lost, the next one needs consent too."""
    server, manager = november
    task = doubtful(manager, **moments)
    began = task.first_submitted_at or task.submitted_at
    server.then(outcome)
    task.submit_again(may_charge_again=True)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(30)
    with pytest.raises(qw.QingboError, match="24 hours only"):
        task.submit_again()
    assert len(server.requests) == 1
    assert manager.library.get(task.key).first_submitted_at == began


REFUSALS = {
    "bad request": (answer({"error": {"message": "Odd.", "code": "invalid_request"}}, 400), ""),
    "no money": (
        answer({"error": {"message": "Odd."}}, 402),
        "Top up in the service's dashboard, https://wave.qingbo.ai.",
    ),
    "bad key": (
        answer({"error": {"message": "Odd."}}, 401),
        "The key is wrong, not active, or has used up its quota. Use “Change key” in",
    ),
    "rate limit": (answer({"error": {"message": "Odd."}}, 429, Retry_After="400"), "Try again in 400 s."),
    "spending limit": (
        answer({"error": {"message": "Odd.", "code": "quota_window_exceeded", "reset_at": 2e9}}, 429),
        "The account, or its key, has reached its spending limit. The limit ends at 2033-05-",
    ),
    "no price": (
        answer({"error": {"message": "Odd.", "code": "price_not_configured"}}, 500),
        "Choose another model, or ask the service for a price.",
    ),
    "another contract": (
        answer({"error": {"message": "Odd: unknown field.", "param": "resolution"}}, 400),
        "seems to use contract 2026-04 of the service, but this connection uses 2026-11. If so, "
        'continue with qw.connect(contract="2026-04", base_url=',
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_while_the_first_submission_is_in_doubt_promises_nothing_about_cost(november, name):
    """The error says what to do about this attempt, and that the first one may have made the task."""
    server, manager = november
    refusal, advice = REFUSALS[name]
    server.then(refusal)
    task = doubtful(manager, hours=5)
    task.submit_again()
    with pytest.raises(qw.SubmissionUnconfirmed, match=r"attempt was refused: .*Odd.* may be charged"):
        task.wait(30)
    assert advice in str(task.error)
    assert "check(" in str(task.error)
    assert manager.library.get(task.key).error["message"] == str(task.error), "the next kernel shows less"
    assert "othing was charged" not in str(task.error)
    assert "orrect the request" not in str(task.error)


def test_a_spending_limit_after_a_lost_answer_keeps_both_facts(make_manager, no_proxy):
    """A gateway hides the task that the sandbox makes; the refusal of its repetition does not hide that."""
    with qw.Sandbox(speed=50, draft=True, contract="2026-11", faults=Faults(html_every=1)) as sandbox:
        manager = make_manager(qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11"))
        task = manager.submit(prompt=KOI, duration=3)
        with pytest.raises(qw.SubmissionUnconfirmed, match=r"may be charged.*check\("):
            task.wait(30)
        sandbox.faults = Faults(quota_window=3600)
        task.submit_again()
        with pytest.raises(
            qw.SubmissionUnconfirmed, match=r"used up.*The limit ends at 2.*may be charged.*check\("
        ):
            task.wait(30)
        assert "othing was charged" not in str(task.error)
        sandbox.faults = Faults(fail="task_failed")
        task.submit_again()
        until(lambda: task.task_id)
        assert list(sandbox.requests) == [task.task_id], "the same task, and no second one"


@pytest.mark.parametrize("status", [400, 429, 504])
def test_a_refusal_that_names_a_task_leads_to_it(november, make_manager, status):
    """The error says how to follow the id, in the next kernel too, and ``check`` does so."""
    server, manager = november
    server.then(answer({"task_id": "task-1", "status": "queued", "error": {"message": "Odd."}}, status))
    task = manager.submit(prompt=KOI)
    with pytest.raises(
        qw.SubmissionUnconfirmed, match=r"may be charged.*check\('task-1'\) follows it"
    ) as caught:
        task.wait(30)
    assert caught.value.task_id == "task-1"
    manager.close()
    again = make_manager(qw.Client("some-key", server.url, contract="2026-11")).adopt(task.key)
    with pytest.raises(qw.SubmissionUnconfirmed) as caught:
        again.wait(30)
    assert (caught.value.task_id, str(caught.value)) == ("task-1", str(task.error))
    again.check(caught.value.task_id)
    with pytest.raises(qw.TaskFailed):
        again.wait(30)
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


@pytest.mark.parametrize("wait", [True, False])
def test_a_check_that_the_service_refuses_leaves_what_may_have_been_charged(november, wait):
    """A check with a wrong key says so, and the task still says what became of its submission."""
    server, manager = november
    server.then(REFUSALS["bad key"][0])
    task = doubtful(manager, hours=5)
    error = task.error
    if wait:
        with pytest.raises(qw.AuthenticationFailed, match="Change key"):
            task.check("task-1")
        assert task.message == "", "it still says that it asks"
    else:
        task.check("task-1", wait=False)
        until(lambda: "Change key" in task.message)
    assert task.error is error
    assert "may be charged" in str(error)


def test_a_check_at_the_moment_of_the_error_is_no_error(november, monkeypatch):
    """The card's button is there as soon as the error is, which is a journal write before the end."""
    server, manager = november
    server.then(close)
    write, released = manager.library.put, threading.Event()
    monkeypatch.setattr(manager.library, "put", lambda *args, **kw: (released.wait(30), write(*args, **kw)))
    task = manager.submit(prompt=KOI)
    until(lambda: task.error)
    assert not task.is_done
    threading.Timer(0.05, released.set).start()
    task.check("task-1")
    with pytest.raises(qw.TaskFailed):
        task.wait(30)


@pytest.mark.slow
def test_a_wait_while_the_first_submission_is_in_doubt_promises_nothing_about_cost(november):
    """While a repeated submission waits for the rate limit, the message does not say "nothing charged"."""
    server, manager = november
    server.then(answer({"error": {"message": "Slow."}}, 429, Retry_After="1"))
    task = doubtful(manager, hours=5)
    messages = []
    task.observe(lambda change: messages.append(change["new"]), "message")
    task.submit_again()
    with pytest.raises(qw.TaskFailed):
        task.wait(30)
    (waiting,) = [message for message in messages if "429: Slow." in message]
    assert "Trying again in 1 s." in waiting
    assert "may be charged" in waiting
    assert "Try again" not in waiting, "the task does it by itself"
    assert not any("othing has been charged" in message for message in messages)


@pytest.mark.slow
def test_a_key_that_is_forgotten_while_the_machine_sleeps_is_not_used_without_consent(november):
    """A resubmission that waits for the rate limit ends unconfirmed if the key is forgotten meanwhile."""
    server, manager = november
    server.then(answer({"error": {"message": "Slow."}}, 429, Retry_After="2"))
    task = doubtful(manager, hours=5)
    task.submit_again()
    until(lambda: task.message)
    task.first_submitted_at -= timedelta(hours=20)
    with pytest.raises(qw.SubmissionUnconfirmed, match="idempotency key may be forgotten"):
        task.wait(30)
    assert (task.status, len(server.requests)) == (qw.TaskStatus.unconfirmed, 1)


@pytest.mark.slow
def test_a_submission_with_consent_is_sent_after_a_wait(november):
    """The consent covers the whole submission, with its retries after a rate limit."""
    server, manager = november
    server.then(answer({"error": {"message": "Slow."}}, 429, Retry_After="0"))
    task = doubtful(manager, hours=25)
    task.submit_again(may_charge_again=True)
    with pytest.raises(qw.TaskFailed):
        task.wait(30)
    assert len(server.requests) == 2


def test_a_sweep_that_follows_another_kernels_submission_keeps_the_time_of_the_first(november, make_manager):
    """The other kernel repeats the sweep's submission; the sweep then knows both times, and sends nothing."""
    server, manager = november
    sweep = qw.sweep(prompt=["koi"], manager=manager, ask_above=0)  # which asks for the price
    server.then(close, close)
    sweep.start()
    until(lambda: sweep.cells[0].task and sweep.cells[0].task.is_done)
    task = sweep.cells[0].task
    began = task.submitted_at
    other = make_manager(qw.Client("some-key", server.url, contract="2026-11"))
    again = other.adopt(task.key)
    until(lambda: again.is_done)
    again.submit_again()
    until(lambda: again.is_done)
    other.close()
    sweep.cells[0].retry()
    sweep.resume()
    until(lambda: task.submitted_at == again.submitted_at and task.is_done)
    assert task.first_submitted_at == manager.library.get(task.key).first_submitted_at == began
    assert len([sent for sent in server.requests if "idempotency-key" in sent.headers]) == 2


def test_without_a_documented_key_a_submission_is_repeated_at_any_time(make_manager, no_proxy):
    """Contract 2026-04 does not document the key, so its button and its warning stay as they are."""
    body = {"task_id": "task-1", "status": "failed", "error": {"message": "No."}}
    with FaultServer(otherwise=answer(body)) as server:
        task = doubtful(make_manager(qw.Client("some-key", server.url)), contract="2026-04", hours=99)
        task.submit_again()
        with pytest.raises(qw.TaskFailed):
            task.wait(30)
        assert len(server.requests) == 1


def test_a_second_doubt_keeps_the_time_of_the_first(november):
    """The time at which the service forgets the key counts from the first submission, in any later kernel."""
    server, manager = november
    server.then(close)
    task = doubtful(manager, hours=5)
    began = task.submitted_at
    task.submit_again()
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(30)
    row = manager.library.get(task.key)
    assert row.first_submitted_at == began < row.submitted_at


@pytest.mark.slow
def test_a_task_of_another_contract_is_taken_up_by_its_id(manager):
    """A task that the service has is followed and saved, whatever contract it was created under."""
    first = manager.client.submit(qw.VideoRequest(prompt=KOI, duration=3), idempotency_key="first")
    row = Entry("c" * 32, manager.service, request={"prompt": KOI}, status="unconfirmed", contract="2099-01")
    manager.library.add(row)
    task = manager.adopt(row.key)
    with pytest.raises(qw.SubmissionUnconfirmed):
        task.wait(30)
    task.check(first.task_id)
    assert task.wait(60).video_path.is_file()
    assert manager.library.get(row.key).contract == "2099-01"
