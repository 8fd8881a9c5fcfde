"""What is said of a task, in every state it can be in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import (
    AuthenticationFailed,
    ConnectionFailed,
    DownloadFailed,
    LinkExpired,
    SubmissionUnconfirmed,
    TaskCancelled,
    TaskFailed,
)
from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.service.contract.status_names import status_name
from qingbo_widgets.service.contract.values import Shot
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.schedule import Outlook
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.card import text as words

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
MakeTask = Callable[..., Task]


@pytest.mark.parametrize("status", TaskStatus)
def test_every_status_has_words(make_task: MakeTask, status: TaskStatus) -> None:
    """No status stands there as a colour or a code."""
    assert words.status(make_task(status=status))[0].isupper()
    assert status_name(status) == status


def test_a_new_status_of_the_service_is_shown_as_it_is(make_task: MakeTask) -> None:
    """And cannot break out of its place."""
    task = make_task(status=TaskStatus("re<b>ndering"))
    assert "re&lt;b&gt;ndering" in words.headline(task)


def test_the_headline_tells_percent_time_and_time_left(make_task: MakeTask) -> None:
    """The bar has no voice; the line above it says the same in words."""
    task = make_task(status=TaskStatus.processing, progress=45, eta=30.0)
    line = words.headline(task, task.submitted_at + timedelta(seconds=72))
    for fact in ("Being made", "45 %", "1:12", "about 0:30 left"):
        assert fact in line


def test_between_two_answers_percent_and_time_go_on(make_task: MakeTask) -> None:
    """As the task predicts them, in whole percent and never more than it says."""
    task = make_task(status=TaskStatus.processing, progress=40, eta=30.0)
    task.outlook = Outlook(since=time.monotonic() - 10, shown=40.0, span=30.0, end=time.monotonic() + 20.5)
    assert words.percent(task) == int(task.shown_progress) > 40
    line = words.headline(task)
    assert f"{words.percent(task)} %" in line
    assert "about 0:20 left" in line
    assert "12 %" in words.headline(task, shown=12)


def test_while_it_is_saved_the_percent_is_that_of_saving(make_task: MakeTask) -> None:
    """The bar and the words say the same number, and no other stands beside it."""
    task = make_task(status=TaskStatus.completed, progress=100, download=0.45)
    assert words.percent(task) == 45
    assert words.headline(task).count("%") == 1


def test_a_video_that_is_not_saved_yet_tells_how_long_it_is_kept(make_task: MakeTask) -> None:
    """While it is being saved a time that runs, and after a failure, when nothing runs, the moment itself."""
    task = make_task(status=TaskStatus.completed, progress=100)
    now = task.submitted_at + timedelta(minutes=1)
    end = now + timedelta(hours=23, minutes=30)
    task.set_traits(expires_at=end)
    assert "keeps it for 23:30:00 more" in words.headline(task, now)
    task.set_traits(error=DownloadFailed("the disk is full"))
    assert f"keeps it until {end.astimezone():%Y-%m-%d %H:%M}" in words.headline(task, now)
    assert "keeps it" not in words.headline(task, end + timedelta(seconds=1))
    task.set_traits(error=None, video_path=Path("koi.mp4"))
    assert "keeps it" not in words.headline(task, now)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_service_whose_clock_is_hours_off(make_task: MakeTask, hours: int) -> None:
    """Neither the time that a task took nor the time that its video is kept is told by another clock."""
    task = make_task(status=TaskStatus.completed, progress=100)
    made = task.submitted_at + timedelta(hours=hours)
    end = made + timedelta(seconds=72)
    task.set_traits(created_at=made, completed_at=end, expires_at=end + timedelta(hours=24))
    now = task.submitted_at + timedelta(seconds=72)
    assert "keeps it for 24:00:00 more" in words.headline(task, now)
    task.set_traits(video_path=Path("koi.mp4"))
    assert "1:12" in words.headline(task)


def test_saving_is_told_with_its_own_percent(make_task: MakeTask) -> None:
    """A completed task whose video is still on its way is not done yet."""
    task = make_task(status=TaskStatus.completed, progress=100, download=0.45)
    assert "saving the video: 45 %" in words.status(task)
    assert not words.is_over(task)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0:00"), (7.9, "0:07"), (754, "12:34"), (3661, "1:01:01")]
)
def test_clock(seconds: float, text: str) -> None:
    """Time spans as people write them."""
    assert words.clock(seconds) == text


@pytest.mark.parametrize("status", TaskStatus)
def test_only_waiting_tasks_can_be_cancelled(make_task: MakeTask, status: TaskStatus) -> None:
    """The service cancels queued tasks only; before it knows the task, we can."""
    assert words.can_cancel(make_task(status=status)) == (status in ("submitting", "queued"))


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"status": "unconfirmed", "error": SubmissionUnconfirmed("No answer.")}, "No answer."),
        ({"status": "failed", "error": ConnectionFailed("No route.")}, "No route."),
        ({"status": "failed", "task_id": "task-1", "error": TaskFailed("Bad.")}, "refunds"),
        ({"status": "completed", "task_id": "task-1", "error": DownloadFailed("Broke.")}, "costs nothing"),
        ({"status": "completed", "task_id": "task-1", "error": LinkExpired("Gone.")}, "limited time"),
        (
            {"status": "queued", "task_id": "task-1", "error": AuthenticationFailed("No.", status=401)},
            "Connect with a key",
        ),
    ],
)
def test_an_error_is_told_with_what_to_do(make_task: MakeTask, state: dict[str, object], told: str) -> None:
    """What happened, whether it cost anything, and what next."""
    state["status"] = TaskStatus(str(state["status"]))
    task = make_task(**state)
    advice = words.advice(task)
    assert str(task.error).partition("\n")[0] in advice
    assert told in advice


def test_nothing_is_refunded_that_was_never_taken(make_task: MakeTask) -> None:
    """Without an id there is nothing at the service that it could refund."""
    error = TaskFailed("Refused.")
    assert "refunds" not in words.advice(make_task(status=TaskStatus.failed, error=error))
    assert "refunds" in words.advice(make_task(status=TaskStatus.failed, error=error, task_id="task-1"))


@pytest.mark.parametrize("status", TaskStatus)
def test_what_nobody_asks_about_any_more_says_so(make_task: MakeTask, status: TaskStatus) -> None:
    """Its last status would be told as if it were true now. What has ended has ended."""
    task = make_task(task_id="task-1", status=status, error=AuthenticationFailed("No.", status=401))
    assert not words.is_unfollowed(task)
    task.lifecycle.settle()
    ended = status.is_ended or status == "unconfirmed"
    assert words.is_unfollowed(task) is not ended
    assert ("Not followed any more" in words.headline(task)) is not ended


def test_the_link_counts_as_long_as_the_service_keeps_the_video(make_task: MakeTask) -> None:
    """By our clock, whatever the service's says; what has expired is no link."""
    task = make_task(status=TaskStatus.completed)
    assert words.link(task) == ""
    made = task.submitted_at + timedelta(hours=5)
    task.set_traits(video_urls=("https://a/1.mp4", "https://a/2.mp4"), created_at=made)
    assert words.link(task) == "https://a/1.mp4"
    task.set_traits(expires_at=made - timedelta(seconds=1))
    assert words.link(task) == ""
    task.set_traits(expires_at=made + timedelta(hours=24))
    assert words.link(task) == "https://a/1.mp4"


def test_cancelled_is_no_error(make_task: MakeTask) -> None:
    """Somebody wanted it; the status says it."""
    task = make_task(status=TaskStatus.cancelled, error=TaskCancelled("The task was cancelled."))
    assert words.advice(task) == ""
    assert words.is_settled(task)


def test_nothing_hostile_becomes_markup(make_task: MakeTask) -> None:
    """Prompt, model, id, message and error are all somebody else's words."""
    task = make_task(
        HOSTILE,
        task_id=HOSTILE,
        model=HOSTILE,
        message=HOSTILE,
        status=TaskStatus.failed,
        error=TaskFailed(HOSTILE),
    )
    for made in (words.headline(task), words.about(task), words.kept(task), words.ended(task)):
        assert "<script" not in made
        assert "<img" not in made
    assert "&lt;script&gt;" in words.advice(task, HOSTILE)


def test_shots_are_told_instead_of_the_prompt(make_task: MakeTask) -> None:
    """And their lengths together."""
    request = VideoRequest(shots=(Shot("A cup", 4), Shot("The café", 5)))
    about = words.about(make_task(request=request))
    for fact in ("A cup / The café", "2 shots", "9 s"):
        assert fact in about


def test_an_unknown_request_is_told_by_its_id(make_task: MakeTask) -> None:
    """A task resumed from elsewhere has no request here."""
    task = make_task(task_id="task-7")
    task.request = None
    assert "task-7" in words.about(task)
    assert "<video" not in words.kept(task)


@pytest.mark.slow
def test_the_planned_path_is_where_the_video_goes(manager: TaskManager) -> None:
    """The player that is put there before the video is the player of that video."""
    task = manager.submit(prompt="A koi/ in: a <pond>", duration=3)
    before = task.planned_path
    assert task.wait(60).video_path == before


@pytest.mark.slow
def test_the_line_that_resumes_resumes(
    server: Sandbox, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run as it stands, it gives the task again: same service, same folder, same id."""
    monkeypatch.setenv("QINGBO_API_KEY", server.api_key)
    library = Library("films/of today")
    with TaskManager(Client(server.api_key, server.base_url), library, poll_interval=0.1) as manager:
        task = manager.submit(prompt="A koi", duration=3)
        task.wait(60)
        line = words.resume_line(task)
    assert "films/of today" in line
    assert server.base_url in line
    scope: dict[str, Any] = {}
    exec(line.replace("qw.connect", "task = qw.connect"), scope)
    assert scope["task"].task_id == task.task_id
    assert scope["task"].video_path == task.video_path


def test_the_line_that_resumes_is_short_where_nothing_is_special(
    make_task: MakeTask, server: Sandbox
) -> None:
    """The default folder is not named; the sandbox is."""
    task = make_task(task_id='task-"1')
    task.manager.sandbox = server
    assert words.resume_line(task).endswith('qw.connect(sandbox=True).resume("task-\\"1")')
    task.manager.sandbox = None


def test_a_task_that_was_never_taken_has_nothing_to_resume(make_task: MakeTask) -> None:
    """No line, and no player for a video that will not come."""
    task = make_task(status=TaskStatus.failed, error=ConnectionFailed("No route."))
    kept = words.kept(task)
    assert "connect(" not in kept
    assert "<video" not in kept
