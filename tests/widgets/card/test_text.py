"""The texts of a task, in every state."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
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
    TaskNotFound,
)
from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.quota import quota_text
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskSnapshot, TaskStatus
from qingbo_widgets.service.contract.status_names import status_label, status_name
from qingbo_widgets.service.contract.values import Shot
from qingbo_widgets.tasks.following.answers import changes_from
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.schedule import Forecast
from qingbo_widgets.tasks.state import NextTry
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.card import head, remedies, request_facts, resume_code, states, static_copy, times
from qingbo_widgets.widgets.card.plain import plain_text
from qingbo_widgets.widgets.card.spoken import spoken
from tests.widgets.page import read

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
MakeTask = Callable[..., Task]


@pytest.mark.parametrize("status", TaskStatus)
def test_every_status_has_words(make_task: MakeTask, status: TaskStatus) -> None:
    """Every status is shown as text, not as a colour or a code."""
    assert head.status(make_task(status=status))[0].isupper()
    assert head.status(make_task(status=status)).startswith(status_label(status))
    assert status_name(status) == status_label(status).lower()


def test_a_new_status_of_the_service_is_shown_as_it_is(make_task: MakeTask) -> None:
    """A status that is new to the package is shown as it is, and escaped."""
    task = make_task(status=TaskStatus("re<b>ndering"))
    assert "re&lt;b&gt;ndering" in head.headline(task)


def test_the_headline_tells_percent_time_and_time_left(make_task: MakeTask) -> None:
    """The headline contains what the bar shows, for screen readers."""
    task = make_task(status=TaskStatus.processing, progress=45, eta=30.0)
    line = head.headline(task, task.submitted_at + timedelta(seconds=72))
    for fact in ("Generating", "45 %", "1:12 elapsed", "about 0:30 left"):
        assert fact in line


def test_between_two_answers_percent_and_time_go_on(make_task: MakeTask) -> None:
    """Percent and time follow the task's prediction between two answers, in whole percent."""
    task = make_task(status=TaskStatus.processing, progress=40, eta=30.0)
    task.forecast = Forecast(since=time.monotonic() - 10, shown=40.0, span=30.0, end=time.monotonic() + 20.5)
    assert states.percent(task) == int(task.shown_progress) > 40
    line = head.headline(task)
    assert f"{states.percent(task)} %" in line
    assert "about 0:20 left" in line
    assert "12 %" in head.headline(task, shown=12)


def test_while_it_is_saved_the_percent_is_that_of_saving(make_task: MakeTask) -> None:
    """The headline shows only the percent of the download while the video is saved."""
    task = make_task(status=TaskStatus.completed, progress=100, download=0.45)
    assert states.percent(task) == 45
    assert head.headline(task).count("%") == 1


def test_a_video_that_is_not_saved_yet_tells_how_long_it_is_kept(make_task: MakeTask) -> None:
    """The headline shows the time left during the download, and the date after a failure."""
    task = make_task(status=TaskStatus.completed, progress=100)
    now = task.submitted_at + timedelta(minutes=1)
    end = now + timedelta(hours=23, minutes=30)
    task.set_traits(expires_at=end)
    assert "keeps it for 23:30:00 more" in head.headline(task, now)
    task.set_traits(error=DownloadFailed("the disk is full"))
    assert f"keeps it until {end.astimezone():%Y-%m-%d %H:%M}" in head.headline(task, now)
    assert "keeps it" not in head.headline(task, end + timedelta(seconds=1))
    task.set_traits(error=None, video_path=Path("koi.mp4"))
    assert "keeps it" not in head.headline(task, now)


def test_a_video_that_is_saved_at_once_adds_no_text(make_task: MakeTask) -> None:
    """The head of a narrow card does not wrap into a second line for the moment in which a video is saved."""
    task = make_task(status=TaskStatus.completed, progress=100)
    task.end_seen_at = seen = task.submitted_at + timedelta(minutes=1)
    task.set_traits(expires_at=seen + timedelta(hours=24))
    assert "keeps it" not in head.headline(task, seen + timedelta(seconds=4))
    assert "keeps it for" in head.headline(task, seen + timedelta(seconds=6))


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_service_whose_clock_is_hours_off(make_task: MakeTask, hours: int) -> None:
    """Elapsed time and time left are right even if the service's clock is hours off."""
    task = make_task(status=TaskStatus.completed, progress=100, task_id="task-1")
    created = task.submitted_at + timedelta(hours=hours)
    end = created + timedelta(seconds=72)
    task.set_traits(created_at=created, completed_at=end, expires_at=end + timedelta(hours=24))
    now = task.submitted_at + timedelta(seconds=72)
    assert "keeps it for 24:00:00 more" in head.headline(task, now)
    task.set_traits(video_path=Path("koi.mp4"))
    assert "took 1:12" in head.headline(task)


def test_saving_is_told_with_its_own_percent(make_task: MakeTask) -> None:
    """A completed task whose video is being saved is not over yet."""
    task = make_task(status=TaskStatus.completed, progress=100, download=0.45)
    assert "saving the video: 45 %" in head.status(task)
    assert not states.is_over(task)


def test_the_details_have_their_place_before_there_are_any(make_task: MakeTask) -> None:
    """A card does not grow when the service has given its task an id; an ended one without id has no gap."""
    task = make_task(status=TaskStatus.submitting)
    assert "qingbo-details-space" in request_facts.about(task)
    task.set_traits(task_id="task-1", status=TaskStatus.queued)
    assert "qingbo-details-space" not in request_facts.about(task)
    assert "task-1" in request_facts.about(task)
    refused = make_task(status=TaskStatus.failed, error=AuthenticationFailed("No.", status=401))
    assert "details" not in request_facts.about(refused)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0:00"), (7.9, "0:07"), (754, "12:34"), (3661, "1:01:01")]
)
def test_clock(seconds: float, text: str) -> None:
    """``clock`` writes time spans in the usual way."""
    assert times.clock(seconds) == text


@pytest.mark.parametrize("status", TaskStatus)
def test_only_waiting_tasks_can_be_cancelled(make_task: MakeTask, status: TaskStatus) -> None:
    """Only tasks in the queue, or not submitted yet, can be cancelled."""
    assert states.can_cancel(make_task(status=status)) == (status in ("submitting", "queued"))


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"status": "unconfirmed", "error": SubmissionUnconfirmed("No answer.")}, "No answer."),
        ({"status": "failed", "error": ConnectionFailed("No route.")}, "No route."),
        ({"status": "completed", "task_id": "task-1", "error": DownloadFailed("Broke.")}, "costs nothing"),
        ({"status": "completed", "task_id": "task-1", "error": LinkExpired("Gone.")}, "24 hours"),
        (
            {"status": "queued", "task_id": "task-1", "error": AuthenticationFailed("No.", status=401)},
            "Connect with a valid key",
        ),
    ],
)
def test_an_error_is_told_with_what_to_do(make_task: MakeTask, state: dict[str, object], told: str) -> None:
    """The advice has the error, and the cost or the next step."""
    state["status"] = TaskStatus(str(state["status"]))
    task = make_task(**state)
    advice = remedies.advice(task)
    assert str(task.error).partition("\n")[0] in advice
    assert told in advice


@pytest.mark.parametrize("status", TaskStatus)
def test_a_task_that_is_no_longer_polled_says_so(make_task: MakeTask, status: TaskStatus) -> None:
    """A task that is no longer polled is marked as such, unless it has ended."""
    task = make_task(task_id="task-1", status=status, error=AuthenticationFailed("No.", status=401))
    assert not states.is_unfollowed(task)
    task.lifecycle.settle()
    ended = status.is_ended or status == "unconfirmed"
    assert states.is_unfollowed(task) is not ended
    assert ("Not followed any more" in head.headline(task)) is not ended


def test_seven_days_are_shown_as_days(make_task: MakeTask) -> None:
    """A link of a week is shown in days, and the advice for an expired one follows the contract."""
    now = datetime.now(UTC)
    later = now + timedelta(minutes=1)
    task = make_task(status=TaskStatus.completed, task_id="task-1", expires_at=later + timedelta(days=7))
    assert "keeps it for 7 days more" in head.headline(task, later)
    task.contract = "2026-11"
    task.set_traits(error=LinkExpired("Gone."))
    assert "for 7 days only" in remedies.advice(task)


def test_the_price_is_in_dollars(make_task: MakeTask) -> None:
    """A task of 2026-11 shows the reserved amount while it runs, then its cost; one of 2026-04 neither."""
    task = make_task(task_id="task-1", status=TaskStatus.processing, frozen=200_000)
    assert "$" not in request_facts.about(task)
    task.contract = "2026-11"
    assert "$0.40 reserved" in read(request_facts.about(task))
    task.set_traits(status=TaskStatus.failed)
    assert "$" not in request_facts.about(task)
    task.set_traits(status=TaskStatus.completed, cost=189_000)
    assert "$0.378" in read(request_facts.about(task))
    assert "reserved" not in request_facts.about(task)


def test_the_sandbox_charges_nothing(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prices of the sandbox are the service's, and its cards say that they are not charged."""
    task = make_task(task_id="task-1", status=TaskStatus.processing, frozen=200_000)
    task.contract = "2026-11"
    monkeypatch.setattr(type(task.manager), "is_sandbox", True)
    monkeypatch.setattr(type(task.manager), "service", "sandbox")
    assert "$0.40, not charged" in read(request_facts.about(task))
    task.set_traits(status=TaskStatus.completed, cost=189_000)
    assert "$0.378, not charged" in read(request_facts.about(task))
    task.set_traits(status=TaskStatus.failed, cost=0)
    assert "$0.00" in read(request_facts.about(task))


@pytest.mark.parametrize(
    ("quota", "text"),
    [(0, "$0.00"), (1, "$0.000002"), (250_000, "$0.50"), (5_000_000, "$10.00"), (617_000_000, "$1,234.00")],
)
def test_an_amount_of_quota(quota: int, text: str) -> None:
    """500,000 units are one dollar; cents always have two digits, fractions of one as many as needed."""
    assert quota_text(quota, "2026-11") == text
    assert quota_text(quota, "2026-04") == f"{quota:,} units of quota"


def test_the_link_counts_as_long_as_the_service_keeps_the_video(make_task: MakeTask) -> None:
    """``link`` returns a link until it expires by our clock."""
    task = make_task(status=TaskStatus.completed)
    assert states.link(task) == ""
    created = task.submitted_at + timedelta(hours=5)
    task.set_traits(video_urls=("https://a/1.mp4", "https://a/2.mp4"), created_at=created)
    assert states.link(task) == "https://a/1.mp4"
    task.set_traits(expires_at=created - timedelta(seconds=1))
    assert states.link(task) == ""
    task.set_traits(expires_at=created + timedelta(hours=24))
    assert states.link(task) == "https://a/1.mp4"


def test_cancelled_is_no_error(make_task: MakeTask) -> None:
    """A cancelled task shows no error."""
    task = make_task(status=TaskStatus.cancelled, error=TaskCancelled("The task was cancelled."))
    assert remedies.advice(task) == ""
    assert states.is_settled(task)


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ({"refunded": True}, "dim", "The service reports that it was refunded."),
        ({"cost": 0}, "dim", "The service charged nothing for it."),
        ({}, "hint", "The response does not say whether it was refunded."),
        ({"refunded": False}, "alarm", "The service reports that it was not refunded"),
        ({"cost": 250_000}, "alarm", "The service still reports a cost of"),
    ],
)
def test_the_refund_of_a_cancelled_task(
    make_task: MakeTask, answer: dict[str, Any], kind: str, text: str
) -> None:
    """Only a cost that may remain is shown as a problem."""
    task, ended = (
        make_task(status=TaskStatus.queued),
        TaskSnapshot("t1", status=TaskStatus.cancelled, **answer),
    )
    task.set_traits(**changes_from(ended, task, eta=None))
    advice = remedies.advice(task)
    assert f'class="qingbo-{kind}"' in advice
    assert text in read(advice)


@pytest.mark.parametrize("status", [TaskStatus.failed, TaskStatus.cancelled])
def test_a_cost_that_remains_is_on_the_card(make_task: MakeTask, status: TaskStatus) -> None:
    """The card of a task that ended without a video says what the service charged for it all the same."""
    task, answer = make_task(status=TaskStatus.queued), TaskSnapshot("t1", status=status, cost=250_000)
    task.contract = "2026-11"
    task.set_traits(**changes_from(answer, task, eta=None))
    assert "still reports a cost of $0.50" in read(remedies.advice(task))
    assert "promises" not in static_copy.ended(task)


def test_a_note_on_a_saved_video_is_on_the_card(make_task: MakeTask) -> None:
    """A note that stays, such as that there are more videos, is shown beside the video."""
    task = make_task(status=TaskStatus.completed, message="The service returned 2 different videos.")
    task.set_traits(video_path=Path("koi.mp4"))
    assert "2 different videos" in remedies.advice(task)


def test_nothing_hostile_becomes_markup(make_task: MakeTask) -> None:
    """Prompt, model, id, message and error are escaped."""
    task = make_task(
        HOSTILE,
        task_id=HOSTILE,
        model=HOSTILE,
        message=HOSTILE,
        status=TaskStatus.failed,
        error=TaskFailed(HOSTILE),
    )
    for html in (
        head.headline(task),
        request_facts.about(task),
        static_copy.static_copy(task),
        static_copy.ended(task),
    ):
        assert "<script" not in html
        assert "<img" not in html
    assert "&lt;script&gt;" in remedies.advice(task, HOSTILE)


def test_shots_are_told_instead_of_the_prompt(make_task: MakeTask) -> None:
    """The prompts of all shots are shown, with their number and total duration."""
    request = VideoRequest(shots=(Shot("A cup", 4), Shot("The café", 5)))
    about = request_facts.about(make_task(request=request))
    for fact in ("A cup / The café", "2 shots", "9 s"):
        assert fact in about


def test_the_settings_are_those_of_the_tasks_contract(make_task: MakeTask) -> None:
    """A task of today shows a resolution, not the mode and the ratio that April would have sent."""
    task = make_task(request=VideoRequest(prompt="A koi", mode="pro"))
    task.contract = "2026-11"
    about = request_facts.about(task)
    assert "1080p" in about
    for absent in (">pro<", "16:9", "0 s"):
        assert absent not in about


def test_a_misspelt_variable_stops_no_card(manager: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that connects names the contract, because the variable names none."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-1")
    assert 'contract="2026-04"' in resume_code.connect_line(manager)


def test_an_unknown_request_is_told_by_its_id(make_task: MakeTask) -> None:
    """A task without a request is shown by its id, without a player."""
    task = make_task(task_id="task-7")
    task.request = None
    assert "task-7" in request_facts.about(task)
    assert "<video" not in static_copy.static_copy(task)


@pytest.mark.slow
def test_the_planned_path_is_where_the_video_goes(manager: TaskManager) -> None:
    """The video is saved at the path that the player was given in advance."""
    task = manager.submit(prompt="A koi/ in: a <pond>", duration=3)
    before = task.planned_path
    assert task.wait(60).video_path == before


@pytest.mark.slow
def test_the_line_that_resumes_resumes(
    server: Sandbox, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code that resumes a task returns it: same service, same folder, same id."""
    monkeypatch.setenv("QINGBO_API_KEY", server.api_key)
    library = Library("films/of today")
    with TaskManager(Client(server.api_key, server.base_url), library, poll_interval=0.1) as manager:
        task = manager.submit(prompt="A koi", duration=3)
        task.wait(60)
        line = resume_code.resume_line(task)
    assert "films/of today" in line
    assert server.base_url in line
    scope: dict[str, Any] = {}
    exec(line.replace("qw.connect", "task = qw.connect"), scope)
    assert scope["task"].task_id == task.task_id
    assert scope["task"].video_path == task.video_path


def test_the_line_that_resumes_is_short_where_nothing_is_special(
    make_task: MakeTask, server: Sandbox
) -> None:
    """The code that resumes leaves out the default folder, but not the sandbox."""
    task = make_task(task_id='task-"1')
    task.manager.sandbox = server
    assert resume_code.resume_line(task).endswith('qw.connect(sandbox=True).resume("task-\\"1")')
    task.manager.sandbox = None


def test_a_task_that_was_never_taken_has_nothing_to_resume(make_task: MakeTask) -> None:
    """A task that was never accepted has neither code to resume nor a player."""
    task = make_task(status=TaskStatus.failed, error=ConnectionFailed("No route."))
    kept = static_copy.static_copy(task)
    assert "connect(" not in kept
    assert "<video" not in kept


@pytest.mark.parametrize(
    ("progress", "left", "shown"),
    [
        (98, 12.4, "about 0:12 left"),
        (98, 5.0, "about 0:05 left"),
        (98, 4.9, "almost done"),
        (98, 0.0, "almost done"),
        (7, 4.9, "about 0:04 left"),
        (89, 0.2, "about 0:01 left"),
    ],
)
def test_the_last_seconds_are_not_counted(
    make_task: MakeTask, progress: int, left: float, shown: str
) -> None:
    """The last seconds are "almost done", but not those of a short task whose bar is nearly empty."""
    task = make_task(status=TaskStatus.processing, progress=progress, eta=left)
    assert shown in head.headline(task)
    assert head.headline(task).count("left") <= 1
    assert times.left_text(left, progress) == shown, "a sweep says something else"


def test_a_queued_task_is_not_almost_done(make_task: MakeTask) -> None:
    """A task that waits longer than expected is not called almost done."""
    task = make_task(status=TaskStatus.queued, progress=95, eta=2.0)
    assert "about 0:02 left" in head.headline(task)


def test_the_time_left_stands_still_with_the_bar(make_task: MakeTask) -> None:
    """While the service cannot be reached, percent and time left are those of the last response."""
    now = time.monotonic()
    task = make_task(status=TaskStatus.processing, progress=20, eta=30.0)
    task.forecast = Forecast(since=now - 60, shown=20.0, span=90.0, end=now + 30)
    task.set_traits(next_try=NextTry("No route.", datetime.now(UTC), is_away=True, since=now - 60))
    assert "20 %" in head.headline(task)
    assert "about 1:30 left" in head.headline(task)


def test_the_time_never_goes_back(make_task: MakeTask) -> None:
    """A task that was seen to end late took till then, because the clock on screen ran till then."""
    task = make_task(task_id="task-1", status=TaskStatus.processing)
    task.submitted_at = datetime.now(UTC) - timedelta(seconds=21)
    assert "0:21 elapsed" in head.headline(task)
    task.set_traits(status=TaskStatus.completed, completed_at=task.submitted_at + timedelta(seconds=18))
    assert "took 21 s" in head.headline(task)
    task.set_traits(video_path=Path("koi.mp4"))
    assert "took 21 s" in head.headline(task, datetime.now(UTC) + timedelta(hours=1))


ENDS: list[dict[str, Any]] = [
    {"status": TaskStatus.failed, "task_id": "task-1", "error": TaskFailed("It broke.")},
    {"status": TaskStatus.failed, "task_id": "task-1", "error": TaskFailed("Its sandbox ended.")},
    {"status": TaskStatus.failed, "error": ConnectionFailed("No route.")},
    {"status": TaskStatus.cancelled, "task_id": "task-1", "error": TaskCancelled("The task was cancelled.")},
    {"status": TaskStatus.cancelled, "error": TaskCancelled("Cancelled before anything was sent.")},
    {"status": TaskStatus.unconfirmed, "error": SubmissionUnconfirmed("No answer.")},
    {"status": TaskStatus.queued, "task_id": "task-1", "error": TaskNotFound("No such task.", status=404)},
    {"status": TaskStatus.queued, "task_id": "task-1", "error": AuthenticationFailed("No.", status=401)},
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end['status']}-{type(end['error']).__name__}")
def test_an_end_without_a_video_has_no_duration(make_task: MakeTask, end: dict[str, Any]) -> None:
    """A task that was refused, lost or cancelled took no time that says something about a video."""
    task = make_task(task_id=end.get("task_id", ""), status=TaskStatus.queued)
    task.submitted_at = datetime.now(UTC) - timedelta(seconds=18)
    task.set_traits(**end, **({"completed_at": datetime.now(UTC)} if end["status"].is_ended else {}))
    task.lifecycle.settle()
    for part in (head.headline(task), static_copy.ended(task), plain_text(task), str(spoken(task))):
        assert not re.search(r"18 s|0:18", read(part)), f"the card of a task that has no video: {read(part)}"


def test_a_night_without_a_kernel_is_not_counted(make_task: MakeTask) -> None:
    """A task whose end a kernel sees on the next day took as long as the service says."""
    task = make_task(task_id="task-1", status=TaskStatus.processing)
    task.submitted_at = datetime.now(UTC) - timedelta(hours=9)
    task.set_traits(status=TaskStatus.completed, completed_at=task.submitted_at + timedelta(seconds=72))
    assert "took 1:12" in head.headline(task)


def test_a_task_resumed_by_its_id_counts_from_its_creation(make_task: MakeTask) -> None:
    """A task that this library did not submit is as old as the service says, not as its resumption."""
    task = make_task(task_id="task-1", status=TaskStatus.queued)
    task.request = None
    assert "elapsed" not in head.headline(task, task.submitted_at + timedelta(seconds=5))
    created = task.submitted_at - timedelta(seconds=60)
    task.set_traits(status=TaskStatus.processing, created_at=created)
    assert "1:05 elapsed" in head.headline(task, task.submitted_at + timedelta(seconds=5))
    task.set_traits(status=TaskStatus.completed, completed_at=created + timedelta(seconds=72))
    assert "took 1:12" in head.headline(task)


def test_screen_readers_have_a_progress_bar(make_task: MakeTask) -> None:
    """The percent have the role, the name, the limits and the value of a progress bar."""
    line = head.headline(make_task(status=TaskStatus.processing, progress=45))
    for part in (
        'role="progressbar"',
        'aria-label="Generating"',
        'aria-valuenow="45"',
        'aria-valuemax="100"',
    ):
        assert part in line


def test_without_news_the_bar_stands_still(make_task: MakeTask) -> None:
    """While the service cannot be reached, no progress is invented."""
    task = make_task(status=TaskStatus.processing, progress=40)
    now = time.monotonic()
    task.forecast = Forecast(since=now - 10, shown=40.0, span=30.0, end=now + 20)
    predicted = task.shown_progress
    assert predicted > 50
    away = NextTry.after(30, "The service cannot be reached.", is_away=True, since=now - 9)
    task.set_traits(message="The service cannot be reached. Trying again in 30 s.", next_try=away)
    assert 40 < task.shown_progress < 45
    task.set_traits(message="")
    assert task.shown_progress >= predicted


def heard(task: Task, problem: str = "") -> tuple[str, bool]:
    """Return what a screen reader announces, and whether it interrupts."""
    html = str(spoken(task, problem))
    said = re.search('data-text="([^"]*)"', html)
    assert said is not None
    return unescape(said[1]), "data-urgent" in html


def test_what_screen_readers_announce(make_task: MakeTask) -> None:
    """Each status once, without the percent; the end with its time; errors interrupt."""
    task = make_task(task_id="task-1", status=TaskStatus.queued)
    assert heard(task) == ("Queued: A koi", False)
    task.set_traits(status=TaskStatus.processing, progress=10)
    first = heard(task)
    assert first == ("Generating: A koi", False)
    task.set_traits(progress=60, eta=9.0)
    assert heard(task) == first, "the percent are announced"
    assert heard(task, "No route.") == ("No route.", True)
    task.submitted_at = datetime.now(UTC) - timedelta(seconds=20.4)
    task.set_traits(status=TaskStatus.completed, completed_at=datetime.now(UTC), download=0.5)
    assert heard(task) == ("", False)
    task.set_traits(video_path=Path("koi.mp4"))
    assert heard(task) == ("Finished, 20 s: A koi", False)
    broken = make_task(task_id="task-2", status=TaskStatus.processing)
    broken.set_traits(status=TaskStatus.failed, error=TaskFailed("It broke."))
    assert heard(broken) == ("Failed: A koi. It broke.", True)
    dropped = make_task(task_id="task-3", status=TaskStatus.queued)
    dropped.set_traits(status=TaskStatus.cancelled, error=TaskCancelled("The task was cancelled."))
    assert heard(dropped) == ("Cancelled: A koi", False)
