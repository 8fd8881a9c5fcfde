"""``TaskCard``: it shows its task, and leaves nothing behind when it is closed."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets import FramePicker, sweep
from qingbo_widgets.exceptions import (
    AuthenticationFailed,
    DownloadFailed,
    SubmissionUnconfirmed,
    TaskFailed,
)
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.pricing.price import Price, PriceSource
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.service.contract.terms import KEYS_PAGE
from qingbo_widgets.service.http.answers import KEY_REFUSED
from qingbo_widgets.tasks.connection import connect, default
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.resubmission import KEY_MARGIN
from qingbo_widgets.tasks.state import NextTry
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.base import clicks
from qingbo_widgets.widgets.base.html import CSS
from qingbo_widgets.widgets.base.sync import refresher, update
from qingbo_widgets.widgets.card import head as card_head
from qingbo_widgets.widgets.card import shown as shown_module
from qingbo_widgets.widgets.card import static_copy
from qingbo_widgets.widgets.card import task_card as card_module
from qingbo_widgets.widgets.card import video as card_video
from qingbo_widgets.widgets.card.shown import displayed_card, show
from qingbo_widgets.widgets.card.spoken import spoken
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.faults.server import FaultServer, answer, close
from tests.widgets.page import (
    classes_of,
    displayed,
    find,
    html_part,
    outputs_of,
    parts_of,
    read,
    the,
)

MakeTask = Callable[..., Task]


def text(card: TaskCard) -> str:
    """Return the texts of the card."""
    return "".join(str(part.value) for part in find(card, ipywidgets.HTML))


def buttons(card: TaskCard) -> list[str]:
    """Return the descriptions of the visible buttons; the id field has an empty one."""
    return [part.description for part in offered(card)]


def offered(card: TaskCard) -> list[Any]:
    """Return the controls of the card, in the order of the page."""
    return [part for part in displayed(card) if isinstance(part, ipywidgets.Button | ipywidgets.Text)]


def played(card: TaskCard) -> str:
    """Return the video of the card, as HTML."""
    return "".join(outputs_of(card))


def bar(card: TaskCard) -> ipywidgets.IntProgress:
    """Return the progress bar of the card."""
    return the(card, ipywidgets.IntProgress)


def card_in_cell(task: Task) -> TaskCard:
    """Return the card that ``show`` put into a cell."""
    card = displayed_card(task)
    assert card is not None
    return card


def test_a_task_is_followed_to_its_video(manager: TaskManager, until: Any) -> None:
    """The card follows its task from the queue to the player by itself."""
    task = manager.submit(prompt="一条锦鲤", duration=3)
    card = TaskCard(task)
    task.wait(60)
    until(lambda: played(card))
    assert "Finished" in text(card)
    assert "一条锦鲤" in text(card)
    assert '<video src="./qingbo_videos/' in played(card)
    assert find(card, ipywidgets.IntProgress) == []
    assert buttons(card) == ["Frames"]
    card.close()


def test_the_bar_and_the_words_follow_the_task(make_task: MakeTask) -> None:
    """The card shows status, message and progress of the task."""
    task = make_task()
    card = TaskCard(task)
    assert "Submitting" in text(card)
    task.set_traits(
        status=TaskStatus.processing,
        progress=40,
        message="The service has been unreachable since 12:00:00: no route.",
    )
    assert "Generating" in text(card)
    assert "40 %" in text(card)
    assert "The service has been unreachable since" in text(card)
    assert bar(card).value == 40
    card.close()


@pytest.mark.slow
def test_the_seconds_until_the_next_try_are_counted(make_task: MakeTask, until: Any) -> None:
    """While the service cannot be reached, the card counts down and offers to try now."""
    task = make_task(task_id="task-1", status=TaskStatus.processing, progress=40)
    card = TaskCard(task)
    reason = "The service has been unreachable since 14:26: no route. The task continues at the service."
    task.set_traits(
        message=f"{reason} Trying again in 30 s.", next_try=NextTry.after(30, reason, is_away=True)
    )
    card.refresh()
    assert f"{reason} Next try in 30 s." in text(card)
    assert "Trying again" not in text(card), "a time span that stands still"
    assert buttons(card) == ["Cancel", "Try now"]
    assert reason in card.static_html
    assert "Next try" not in card.static_html
    hurried: list[str] = []
    task.follower = SimpleNamespace(hurry=lambda: hurried.append("now"))
    card.buttons.try_now_button.click()
    until(lambda: hurried)

    task.set_traits(next_try=NextTry.after(-1, reason, is_away=True))
    card.refresh()
    assert f"{reason} Trying now" in text(card)
    task.set_traits(
        message="The service asks to wait", next_try=NextTry.after(9, "It is busy.", is_away=False)
    )
    card.refresh()
    assert "It is busy. Next try in 9 s." in text(card)
    assert buttons(card) == ["Cancel"], "a service that asks to wait is hurried"
    task.set_traits(message="", progress=50)
    card.refresh()
    assert task.next_try is None
    assert "Next try" not in text(card)
    card.close()


def test_progress_alone_waits_for_the_beat(make_task: MakeTask, until: Any) -> None:
    """Frequent progress reports do not flood the page."""
    task = make_task(status=TaskStatus.processing)
    card = TaskCard(task)
    sent = []
    card.refresh()
    bar(card).observe(lambda change: sent.append(change["new"]), "value")
    for percent in range(1, 100):
        task.set_traits(progress=percent)
    until(lambda: bar(card).value == 99)
    assert len(sent) < 10
    card.close()


def test_between_two_answers_the_bar_moves(make_task: MakeTask) -> None:
    """The bar and the headline follow the task's prediction between two answers."""
    task = make_task(status=TaskStatus.processing, progress=40, eta=20.0)
    card, now = TaskCard(task), [0.0]
    task.forecast = SimpleNamespace(progress=lambda _: 40.7 + now[0], left=lambda _: 20.0 - now[0])  # type: ignore[assignment]  # stands in for it
    for moment, percent, left in ((0.0, 40, "0:20"), (2.5, 43, "0:17"), (12.0, 52, "0:08")):
        now[0] = moment
        assert card.refresh()
        assert bar(card).value == percent
        assert f"{percent} %" in text(card)
        assert f"about {left} left" in text(card)
    card.close()


def test_a_beat_is_two_messages(
    make_task: MakeTask, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick sends two messages, for the headline and the bar, once a second."""
    monkeypatch.setattr(card_module, "BAR_AFTER", 60.0)
    task = make_task(status=TaskStatus.processing, progress=10)
    card = TaskCard(task)
    card.refresh()
    task.set_traits(progress=60)
    moment = datetime.now(UTC) + timedelta(seconds=5)
    monkeypatch.setattr(card_head, "datetime", SimpleNamespace(now=lambda _: moment))
    headline = html_part(card, "Generating")
    sent.clear()
    card.refresh()
    assert [widget for widget, _ in sent] == [bar(card), headline]
    assert refresher.interval == 1.0
    card.close()


def test_a_turn_is_drawn_once(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simultaneous change of status, id and error redraws the card once."""
    monkeypatch.setattr(card_module, "BAR_AFTER", 60.0)
    task = make_task()
    card = TaskCard(task)
    drawn: list[int] = []
    refresh = TaskCard.refresh
    monkeypatch.setattr(
        TaskCard, "refresh", lambda self: drawn.append(threading.get_ident()) or refresh(self)
    )
    task.set_traits(status=TaskStatus.failed, task_id="task-1", error=TaskFailed("It broke."))
    assert (
        drawn.count(threading.get_ident()) == 1
    )  # the refresher, in its own thread, may redraw it each second
    card.close()


def test_a_card_is_a_handful_of_widgets(
    make_task: MakeTask, live_widgets: Callable[[], int], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card creates few widgets: hidden parts are not created, layouts and styles are shared."""
    monkeypatch.setattr(card_module, "BAR_AFTER", 60.0)
    task = make_task(status=TaskStatus.queued)
    first = TaskCard(task)
    first.refresh()
    sent.clear()
    before = live_widgets()
    cards = [TaskCard(task) for _ in range(10)]
    assert live_widgets() - before <= 10 * 6, "so many are made in a click"
    assert sent == []
    for card in cards:
        card.refresh()
    assert live_widgets() - before <= 10 * 8
    assert len(sent) <= 10 * 2
    for card in (first, *cards):
        card.close()


@pytest.mark.slow
def test_the_bar_comes_by_itself(make_task: MakeTask, until: Any) -> None:
    """The bar and the Cancel button appear shortly after the card."""
    card = TaskCard(make_task(status=TaskStatus.queued))
    until(lambda: find(card, ipywidgets.IntProgress))
    assert buttons(card) == ["Cancel"]
    card.close()


def test_controls_that_are_not_shown_are_there_when_asked_for(make_task: MakeTask) -> None:
    """Hidden controls can be used from code, and are the same when they are shown later."""
    task = make_task()
    card = TaskCard(task)
    check, again = card.buttons.check_button, card.buttons.submit_again_button
    assert card.buttons.id_field.description == "Task id"
    task.set_traits(status=TaskStatus.unconfirmed, error=SubmissionUnconfirmed("No answer."))
    task.lifecycle.settle()
    card.refresh()
    assert offered(card) == [card.buttons.id_field, check, again]
    card.close()
    assert check.comm is None


def test_cancel_is_offered_only_while_the_service_takes_it(make_task: MakeTask) -> None:
    """The Cancel button is disabled once the service no longer cancels the task."""
    task = make_task(status=TaskStatus.queued)
    card = TaskCard(task)
    card.refresh()
    assert (buttons(card), card.buttons.cancel_button.disabled) == (["Cancel"], False)
    task.set_traits(status=TaskStatus.processing)
    assert card.buttons.cancel_button.disabled
    card.close()


def test_a_price_that_differs_is_on_the_card(make_task: MakeTask, until: Any) -> None:
    """The card says it as soon as the amount is known, to screen readers too, and again at the end."""
    task = make_task(task_id="task-1", status=TaskStatus.processing)
    task.contract, task.price = "2026-11", Price(Decimal("0.378"), 189_000, True, PriceSource.quote)
    card = TaskCard(task)
    card.refresh()
    assert "The price before" not in read(text(card))
    task.set_traits(frozen=250_000)
    until(lambda: "was $0.378; the service has reserved $0.50." in read(text(card)))
    assert "was $0.378; the service has reserved $0.50." in spoken(task)
    assert "The price before" in read(static_copy.static_copy(task))
    task.set_traits(status=TaskStatus.completed, cost=210_000, video_path=Path("koi.mp4"))
    assert "was $0.378; it cost $0.42." in read(text(card))
    assert "was $0.378; it cost $0.42." in spoken(task)
    task.set_traits(cost=100_000)
    until(lambda: "The service had reserved $0.50; it cost $0.20." in read(text(card)))
    assert "it cost" not in spoken(task), "a lower cost is no news"
    card.close()


def test_cancel_cancels(server: Sandbox, manager: TaskManager, until: Any) -> None:
    """A click on Cancel ends the task."""
    task = manager.submit(prompt="A koi", duration=3)
    card = TaskCard(task)
    card.buttons.cancel_button.click()
    until(lambda: task.is_done)
    assert task.status in (TaskStatus.cancelled, TaskStatus.completed)
    until(lambda: buttons(card) == ([] if task.status == TaskStatus.cancelled else ["Frames"]))
    card.close()


def test_what_a_click_raises_is_told_on_the_card(make_task: MakeTask) -> None:
    """An error in a click is shown on the card, because a print in a callback would be lost."""
    card = TaskCard(make_task(status=TaskStatus.queued, task_id="task-1"))
    card.buttons.cancel_button.click()  # no follower exists for this task
    assert "not being followed" in text(card)
    assert "qingbo-alarm" in text(card)
    card.close()


@pytest.fixture
def unconfirmed(server: Sandbox, manager: TaskManager, until: Any) -> Iterator[TaskCard]:
    """Yield the card of a task that the service created, but whose answer a gateway replaced."""
    server.faults = Faults(html_every=1)
    try:
        card = TaskCard(manager.submit(prompt="A koi", duration=3))
        until(lambda: buttons(card) == ["Task id", "Check", "Submit again"])
    finally:
        server.faults = Faults()
    yield card
    card.close()


@pytest.mark.slow
def test_an_unconfirmed_task_can_be_submitted_again(unconfirmed: TaskCard, until: Any) -> None:
    """The card warns of the cost, and the user can submit again; this service bills a key once."""
    card = unconfirmed
    assert card.task.status == TaskStatus.unconfirmed
    assert "charged" in text(card)
    card.buttons.submit_again_button.click()
    until(lambda: card.task.video_path)
    until(lambda: buttons(card) == ["Frames"])


def test_a_submission_that_is_charged_anew_takes_two_clicks(
    make_manager: Callable[..., TaskManager], no_proxy: None, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """A click says that the service has forgotten the key; another submits, unless it is a double click."""
    body = {"task_id": "task-1", "status": "failed", "cost": 0, "error": {"message": "No."}}
    with FaultServer(otherwise=answer(body)) as server:
        manager = make_manager(Client("some-key", server.url, contract="2026-11"))
        row = Entry(
            "c" * 32,
            manager.service,
            request={"model": "kling-v3", "prompt": "koi"},
            status="unconfirmed",
            contract="2026-11",
            submitted_at=datetime.now(UTC) - timedelta(hours=25),
        )
        manager.library.add(row)
        task = manager.adopt(row.key)
        assert task is not None
        until(lambda: task.is_done)
        card = TaskCard(task)
        assert "no longer has the key" in card.buttons.submit_again_button.tooltip
        card.buttons.submit_again_button.click()
        card.buttons.submit_again_button.click()
        assert "charged even if the first one exists" in text(card)
        assert task.is_done
        assert server.requests == []
        monkeypatch.setattr(clicks, "DOUBLE_CLICK", 0.0)
        server.then(close)
        card.buttons.submit_again_button.click()
        until(lambda: task.is_done and len(server.requests) == 1)
        card.buttons.submit_again_button.click()  # the consent was for one submission
        assert "charged even if the first one exists" in text(card)
        assert task.is_done
        card.buttons.submit_again_button.click()
        until(lambda: task.status == TaskStatus.failed)
        assert len(server.requests) == 2


def test_another_submission_says_until_when_it_is_free(make_manager: Callable[..., TaskManager]) -> None:
    """The tooltip of another submission has the end of the time in which the key is known."""
    manager = make_manager(Client("some-key", "http://127.0.0.1:9/v1", contract="2026-11"))
    task = Task(manager, VideoRequest(prompt="A koi"))
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.unconfirmed)
    end = (task.submitted_at + timedelta(hours=24) - KEY_MARGIN).astimezone()
    assert f"Until {end:%Y-%m-%d %H:%M}" in card.buttons.submit_again_button.tooltip
    task.submitted_at -= timedelta(hours=25)
    task.lifecycle.settle()
    task.set_traits(error=SubmissionUnconfirmed("No answer.", idempotency_key="k"))
    assert "no longer has the key" in card.buttons.submit_again_button.tooltip
    task.set_traits(status=TaskStatus.failed)
    assert (
        card.buttons.submit_again_button.tooltip == "The service did not accept this task. Submits it again."
    )
    card.close()


def test_a_card_of_its_own_continues_in_the_contract_of_the_server(
    make_manager: Callable[..., TaskManager], no_proxy: None, until: Any, live_widgets: Callable[[], int]
) -> None:
    """A task that was refused for its contract is not offered again; a click connects in the other one."""
    body = {"error": {"message": "no extra", "code": "capability_violation", "param": "extra"}}
    with FaultServer(answer(body, 400)) as server:
        manager = make_manager(Client("some-key", server.url))
        before = live_widgets()
        card = TaskCard(manager.submit(prompt="A koi"))
        until(lambda: buttons(card) == ["Continue with contract 2026-11"])
        assert manager.service in card.buttons.switch_button.tooltip
        card.buttons.switch_button.click()
        assert f"Connected to {manager.service} in contract 2026-11" in text(card)
        assert buttons(card) == []
        second = default()
        assert second is not None
        assert (second.contract, second.client.base_url) == ("2026-11", server.url)
        assert second.library.folder == manager.library.folder
        assert len(server.requests) == 1, "nothing was submitted"
        card.close()
        assert live_widgets() == before
        second.close()


def test_the_id_of_an_error_answer_is_filled_in(
    make_manager: Callable[..., TaskManager], no_proxy: None, until: Any
) -> None:
    """The id in an error answer may be the only trace of a paid task: a click on Check follows it."""
    body = {"task_id": "task-1", "status": "queued", "error": {"message": "Odd."}}
    with FaultServer(answer(body, 400)) as server:
        card = TaskCard(make_manager(Client("some-key", server.url)).submit(prompt="A koi"))
        until(lambda: buttons(card) == ["Task id", "Check", "Submit again"])
        assert card.buttons.id_field.value == "task-1"
        card.close()


def test_a_switch_away_from_the_sandbox_takes_two_clicks(
    make_manager: Callable[..., TaskManager],
    no_proxy: None,
    workdir: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Any,
) -> None:
    """An old card does not take the kernel from the sandbox to a service that charges with one click."""
    body = {"error": {"message": "no extra", "code": "capability_violation", "param": "extra"}}
    with FaultServer(answer(body, 400)) as server:
        card = TaskCard(make_manager(Client("some-key", server.url)).submit(prompt="A koi"))
        until(lambda: buttons(card) == ["Continue with contract 2026-11"])
        sandbox = connect(sandbox=True)
        card.buttons.switch_button.click()
        assert "use the sandbox, which charges nothing" in text(card)
        assert default() is sandbox
        monkeypatch.setattr(clicks, "DOUBLE_CLICK", 0.0)
        card.buttons.switch_button.click()
        second = default()
        assert second is not None
        assert second.service == card.task.manager.service
        card.close()
        sandbox.close()


@pytest.mark.slow
def test_an_unconfirmed_task_is_taken_up_by_its_id(
    unconfirmed: TaskCard, server: Sandbox, until: Any
) -> None:
    """An unconfirmed task is followed to its video after its id was pasted."""
    (task_id,) = list(server.requests)[-1:]
    unconfirmed.buttons.id_field.value = f" {task_id} "
    unconfirmed.buttons.check_button.click()
    until(lambda: unconfirmed.task.video_path)
    assert unconfirmed.task.task_id == task_id
    until(lambda: buttons(unconfirmed) == ["Frames"])


def test_the_advice_for_an_unconfirmed_task_names_the_buttons(unconfirmed: TaskCard) -> None:
    """The card names the buttons beside its advice; the saved copy has none, and names the methods."""
    assert "enter its id and press Check. Submit again sends the same idempotency key." in text(unconfirmed)
    assert "submit_again()" not in text(unconfirmed)
    assert "submit_again() sends the same idempotency key" in unconfirmed.static_html


def test_a_check_without_an_id_says_where_to_look(unconfirmed: TaskCard, until: Any) -> None:
    """A check without an id refers to the dashboard, and the buttons stay."""
    unconfirmed.buttons.check_button.click()
    until(lambda: "Look in its dashboard" in text(unconfirmed))
    assert "kling-v3" in text(unconfirmed)
    assert buttons(unconfirmed) == ["Task id", "Check", "Submit again"]


@pytest.mark.slow
def test_a_check_with_a_wrong_id_takes_up_nothing(unconfirmed: TaskCard, until: Any) -> None:
    """A misspelt id shows an error, and the task stays unconfirmed."""
    unconfirmed.buttons.id_field.value = "task-misspelt"
    unconfirmed.buttons.check_button.click()
    until(lambda: "task_not_found" in text(unconfirmed))
    assert unconfirmed.task.task_id == ""
    assert unconfirmed.task.status == TaskStatus.unconfirmed


@pytest.mark.slow
def test_a_refused_task_can_be_submitted_again(server: Sandbox, manager: TaskManager, until: Any) -> None:
    """A refused task can be submitted again, e.g. after a top-up."""
    server.faults = Faults(no_balance=True)
    try:
        card = TaskCard(manager.submit(prompt="A koi", duration=3))
        until(lambda: buttons(card) == ["Submit again"])
    finally:
        server.faults = Faults()
    assert "Nothing was charged" in text(card)
    card.buttons.submit_again_button.click()
    until(lambda: card.task.video_path)
    card.close()


def test_a_failed_task_tells_why_and_offers_nothing(make_task: MakeTask) -> None:
    """A failed task shows its error and no buttons."""
    task = make_task(task_id="task-1")
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.failed, error=TaskFailed("The prompt was refused."))
    task.lifecycle.settle()
    assert "The prompt was refused." in text(card)
    assert buttons(card) == []
    card.close()


def test_a_video_that_was_not_saved_can_be_saved_again(make_task: MakeTask, until: Any) -> None:
    """A video that could not be saved can be saved again."""
    task = make_task(task_id="task-1")
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.completed, error=DownloadFailed("The disk is full."))
    task.lifecycle.settle()
    until(lambda: buttons(card) == ["Save again"])
    assert "The disk is full." in text(card)
    card.close()


def test_a_task_that_nobody_follows_can_be_followed_again(
    make_task: MakeTask, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """A task that is no longer followed (a refused key, say) can be followed again."""
    task = make_task(status=TaskStatus.queued, task_id="task-1")
    card = TaskCard(task)
    hint = KEY_REFUSED.format(page=KEYS_PAGE)
    task.set_traits(error=AuthenticationFailed("No.", status=401, hint=hint))
    task.lifecycle.settle()
    until(lambda: buttons(card) == ["Follow again", "Change key"])
    assert "Change it with “Change key” below." in text(card)
    assert "VideoStudio" not in text(card), "the card sends the user to a button that it has itself"
    assert "Not followed any more" in text(card)
    followed: list[bool] = []
    monkeypatch.setattr(task, "follow_again", lambda: followed.append(True), raising=False)
    card.buttons.follow_again_button.click()
    assert followed == [True]
    card.close()


# ---------------------------------------------------------------------- the video


@pytest.fixture
def saving(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskCard]:
    """Yield the card of a finished task whose download takes long."""
    monkeypatch.setattr(card_video, "LINK_AFTER", 0.0)
    task = make_task(status=TaskStatus.processing, task_id="task-1")
    card = TaskCard(task)
    link = "https://videos.example.com/a.mp4?sign=1&t=2"
    task.set_traits(status=TaskStatus.completed, progress=100, video_urls=(link,), download=0.1)
    yield card
    if (shown := displayed_card(task)) is not None:
        shown.close()
    card.close()


def test_a_video_plays_before_it_is_saved(saving: TaskCard, until: Any, workdir: Path) -> None:
    """The video plays from the service's link, then from the file; the page shows one of the two."""
    until(lambda: played(saving))
    assert '<video src="https://videos.example.com/a.mp4?sign=1&amp;t=2"' in played(saving)
    assert 'preload="metadata"' in played(saving)
    link = the(saving, ipywidgets.Output)
    saving.task.set_traits(download=None, video_path=workdir / "koi.mp4")
    assert 'src="./koi.mp4"' in played(saving)
    assert [classes_of(part) for part in find(saving, ipywidgets.Output)] == [
        ("qingbo-link",),
        ("qingbo-saved",),
    ]
    assert find(saving, ipywidgets.Output)[0] is link, "a user who is watching would be interrupted"
    assert ".qingbo-link:has(~ .qingbo-saved):not(:has(.qingbo-watched))" in CSS


@pytest.mark.parametrize("is_on_page", [False, True])
def test_a_video_that_may_be_watched_stays(
    saving: TaskCard, cell: Any, until: Any, workdir: Path, kernel: None, is_on_page: bool
) -> None:
    """A live card whose link the page shows is not replaced, because that would stop the video."""
    show(saving.task)
    card = card_in_cell(saving.task)
    card.set_state({"_view_count": 1} if is_on_page else {})
    until(lambda: played(card))
    saving.task.set_traits(download=None, video_path=workdir / "koi.mp4")
    assert cell.views == int(is_on_page)
    assert cell.html.count('src="./koi.mp4"') == 1
    assert "example.com" not in cell.html


def test_the_other_videos_are_links(saving: TaskCard, cell: Any, workdir: Path) -> None:
    """A card stays live while other videos are being saved, and in the end it links to each."""
    show(saving.task)
    saving.task.set_traits(download=None, video_path=workdir / "koi.mp4", saves_others=True)
    assert 'src="./koi.mp4"' in played(saving)
    assert saving.comm is not None
    assert 'src="./koi.mp4"' in cell.html, "the copy that outlives the kernel has the first video"
    saving.task.set_traits(other_video_paths=(workdir / "koi-2.mp4",), message="Saved beside this one")
    assert 'href="./koi-2.mp4"' in played(saving)
    saving.task.set_traits(other_video_paths=(workdir / "koi-2.mp4", workdir / "koi-3.mp4"))
    assert 'href="./koi-3.mp4"' in played(saving)
    saving.task.set_traits(saves_others=False)
    for part in ('src="./koi.mp4"', 'href="./koi-2.mp4"', 'href="./koi-3.mp4"', "Saved beside this one"):
        assert part in cell.html


def test_a_running_download_does_not_restart_the_video(saving: TaskCard, until: Any) -> None:
    """Progress of the download does not restart the video that the user may be watching."""
    until(lambda: played(saving))
    output = the(saving, ipywidgets.Output)
    restarts: list[Any] = []
    output.observe(restarts.append, "outputs")
    saving.task.set_traits(download=0.9, video_urls=("https://videos.example.com/fresh.mp4",))
    saving.refresh()
    assert restarts == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///a.mp4", ""])
def test_only_a_link_of_the_web_is_played(saving: TaskCard, url: str) -> None:
    """Only http and https links are played."""
    saving.task.set_traits(video_urls=(url,))
    card = TaskCard(saving.task)
    card.refresh()
    card.refresh()
    assert played(card) == ""
    card.close()


def test_a_link_outlives_no_kernel(saving: TaskCard, cell: Any, until: Any) -> None:
    """The static copy contains the path of the file, not the link, which expires within a day."""
    until(lambda: played(saving))
    show(saving.task)
    assert "example.com" not in cell.html + saving.static_html
    saving.task.set_traits(video_path=Path("koi.mp4"))
    assert "koi.mp4" in cell.html
    assert "example.com" not in cell.html + saving.static_html


def test_a_video_that_is_saved_at_once_is_played_from_its_file(make_task: MakeTask) -> None:
    """A video that is saved quickly gets no player for its link."""
    task = make_task(status=TaskStatus.processing, task_id="task-1")
    card = TaskCard(task)
    task.set_traits(
        status=TaskStatus.completed, video_urls=("https://videos.example.com/a.mp4",), download=0.0
    )
    card.refresh()
    assert played(card) == ""
    card.close()


@pytest.mark.slow
def test_frames_open_below_the_card(manager: TaskManager, until: Any, live_widgets: Any) -> None:
    """The button opens the frame picker below the card and closes it again; it goes with the card."""
    before = live_widgets()
    card = TaskCard(manager.submit(prompt="A koi", duration=3))
    until(lambda: buttons(card) == ["Frames"])
    card.buttons.frames_button.click()
    picker = card.children[-1]
    assert isinstance(picker, FramePicker), text(card)
    assert buttons(card) == ["Frames", "Save frame", "Continue from this frame"], "Frames stays, to close it"
    card.buttons.clicks.forget()  # as after a second
    card.buttons.frames_button.click()
    assert buttons(card) == ["Frames"]
    card.buttons.clicks.forget()
    card.buttons.frames_button.click()
    assert card.children[-1] is picker, "at the frame where it was left"
    card.close()
    assert live_widgets() == before


def test_a_missing_file_is_an_error_on_the_card(
    make_task: MakeTask, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing file shows an error, and the Frames button stays."""
    task = make_task(task_id="task-1", status=TaskStatus.completed, video_path=workdir / "gone.mp4")
    card = TaskCard(task)
    card.buttons.frames_button.click()
    assert "qingbo-alarm" in text(card)
    assert buttons(card) == ["Frames"]
    card.close()


# ---------------------------------------------------------------------- visibility


def go_through(task: Task) -> None:
    """Take a task through all changes except its end."""
    task.set_traits(status=TaskStatus.queued, task_id="task-1")
    task.set_traits(status=TaskStatus.processing, progress=10)
    task.set_traits(message="The service has been unreachable since 12:00:00: no route.")
    task.set_traits(progress=50)


def test_an_invisible_card_sends_nothing(
    make_task: MakeTask, kernel: None, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invisible card sends nothing, at no change of its task and at no tick."""
    task = make_task()
    card = TaskCard(task)
    go_through(task)
    assert card.refresh() is False
    card.offer("Again", "Once more.", lambda: None)
    task.set_traits(status=TaskStatus.failed, error=TaskFailed("It broke."))
    task.lifecycle.settle()
    assert sent == []
    card.close()


def test_a_card_is_drawn_only_while_it_is_visible(
    make_task: MakeTask, kernel: None, sent: list[Any], until: Any
) -> None:
    """The card is brought up to date when its first view opens, and not drawn without views."""
    task = make_task()
    card = TaskCard(task)
    go_through(task)
    card.set_state({"_view_count": 1})
    until(lambda: "Generating" in text(card) and find(card, ipywidgets.IntProgress))
    assert bar(card).value == 50
    with update():  # the drawing on the other thread has begun, and ends first
        card.set_state({"_view_count": 0})
        sent.clear()
    task.set_traits(status=TaskStatus.failed, error=TaskFailed("It broke."))
    assert sent == []
    assert "It broke." not in text(card)
    card.set_state({"_view_count": 1})
    assert "It broke." in text(card)
    card.close()
    sent.clear()
    card.refresh()
    assert sent == []


def test_a_card_in_a_cell_is_drawn_where_no_page_counts(make_task: MakeTask, kernel: None, cell: Any) -> None:
    """A displayed card is drawn without a page (nbclient), and its static copy is stored."""
    task = make_task()
    show(task)
    card = card_in_cell(task)
    go_through(task)
    card.refresh()
    assert "50 %" in text(card)
    assert "resume(&#34;task-1&#34;)" in cell.html
    card.set_state({"_view_count": 1})
    card.set_state({"_view_count": 0})  # the output was cleared; the notebook's file may still have it
    task.set_traits(status=TaskStatus.cancelled)
    assert cell.views == 0
    assert "Cancelled" in cell.html
    card_in_cell(task).close()


@pytest.mark.slow
def test_the_cards_of_a_sweep_are_displayed_with_it(
    manager: TaskManager, kernel: None, cell: Any, until: Any
) -> None:
    """Cards in a displayed sweep grid count as visible."""
    grid = SweepGrid(sweep(prompt=["one", "two"], duration=3, manager=manager, ask_above=9))
    grid._ipython_display_()
    until(lambda: all(view.card is not None for view in grid.views))
    grid.refresh()
    assert [view.card.cell_output.is_seen for view in grid.views if view.card] == [True, True]
    until(lambda: grid.sweep.state == "ended")
    grid.close()


def test_closing_a_card_leaves_the_others_their_layouts(
    make_task: MakeTask, live_widgets: Callable[[], int]
) -> None:
    """Shared layouts stay open until the last card that uses them is closed."""
    before = live_widgets()
    task = make_task(status=TaskStatus.queued)
    one, other = TaskCard(task), TaskCard(task)
    for card in (one, other):
        card.refresh()
    one.close()
    styles = [getattr(part, name, None) for part in parts_of(other) for name in ("layout", "style")]
    parts = [*parts_of(other), *(style for style in styles if style is not None)]
    assert {part.layout for part in (bar(other), other.buttons.cancel_button)} <= set(parts)
    assert all(part.comm is not None for part in parts)
    other.close()
    assert live_widgets() <= before, "a closed card leaves nothing open"


def test_a_closed_card_observes_nothing(
    make_task: MakeTask, live_widgets: Callable[[], int], monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """A closed card has no observers and no open widgets, including hidden ones."""
    gc.collect()  # widgets of other tests, which end whenever they are collected
    before = live_widgets()
    task = make_task(status=TaskStatus.processing)
    observers: list[Any] = []
    observe, unobserve = task.observe, task.unobserve
    monkeypatch.setattr(task, "observe", lambda *given: observers.append(given) or observe(*given))
    monkeypatch.setattr(task, "unobserve", lambda *given: unobserve(*given) or observers.remove(given))
    cards = [TaskCard(task) for _ in range(20)]
    assert len(observers) >= 20
    for card in cards:
        card.close()
    assert live_widgets() <= before
    assert observers == []
    task.set_traits(progress=50, status=TaskStatus.completed)
    references = [weakref.ref(card) for card in cards]
    del cards, card
    # The thread that draws may still hold one that it was about to draw.
    until(lambda: gc.collect() >= 0 and not any(reference() for reference in references))


def test_a_users_failing_observer_breaks_no_card(make_task: MakeTask) -> None:
    """A failing observer of the user does not stop the card."""
    task = make_task()

    def fail(_: object) -> None:
        raise ValueError("the user's bug")

    task.observe(fail)
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.processing, progress=10)
    assert "Generating" in text(card)
    card.close()


# ---------------------------------------------------------------------- in a cell


def test_a_running_task_shows_its_card_and_a_static_copy(make_task: MakeTask, cell: Any) -> None:
    """The static copy has the code that resumes, and is hidden by a style of the live card."""
    task = make_task(task_id="task-1", status=TaskStatus.processing)
    show(task)
    assert cell.views == 1
    assert ".resume(&#34;task-1&#34;)" in cell.html
    card = card_in_cell(task)
    copy_class = card.cell_output.copy_class
    assert f'class="qingbo-html qingbo-keep {copy_class}"' in cell.html
    assert f".{copy_class}" in text(card)
    card.close()


@pytest.mark.slow
def test_a_finished_task_becomes_pure_html(manager: TaskManager, cell: Any, until: Any) -> None:
    """The background thread replaces both outputs of a finished task by a player."""
    task = manager.submit(prompt="A koi", duration=3)
    show(task)
    task.wait(60)
    until(lambda: cell.views == 0)
    assert cell.html.count("<video") == 1
    assert "resume" not in cell.html


def test_the_static_copy_gets_the_id(make_task: MakeTask, cell: Any) -> None:
    """The static copy gets the id of a task that was shown before it had one."""
    task = make_task()
    show(task)
    assert "resume(" not in cell.html
    task.set_traits(task_id="task-9", status=TaskStatus.queued)
    assert "task-9" in cell.html
    card_in_cell(task).close()


@pytest.mark.parametrize("status", [TaskStatus.failed, TaskStatus.cancelled])
def test_an_end_without_a_video_is_pure_html_too(make_task: MakeTask, cell: Any, status: TaskStatus) -> None:
    """A task that ends without a video becomes pure HTML."""
    task = make_task(task_id="task-1")
    show(task)
    task.set_traits(status=status, error=TaskFailed("It broke."))
    assert cell.views == 0
    assert "task-1" in cell.html
    card_in_cell(task).close()


def test_an_unconfirmed_task_keeps_its_buttons(make_task: MakeTask, cell: Any) -> None:
    """The card of an unconfirmed task stays, and its static copy shows the error."""
    task = make_task()
    show(task)
    task.set_traits(status=TaskStatus.unconfirmed, error=SubmissionUnconfirmed("No answer."))
    assert cell.views == 1
    assert "No answer." in cell.html
    card_in_cell(task).close()


def test_showing_again_shows_the_same_card(
    make_task: MakeTask, cell: Any, live_widgets: Callable[[], int]
) -> None:
    """Showing a task a hundred times creates one card, whose views end together."""
    task = make_task(task_id="task-1")
    show(task)
    card_in_cell(task).refresh()  # as the refresher does a moment later
    before = live_widgets()
    for _ in range(99):
        show(task)
    assert live_widgets() == before
    assert cell.views == 100
    task.set_traits(status=TaskStatus.cancelled)
    assert cell.views == 0
    card_in_cell(task).close()


@pytest.mark.slow
def test_a_task_that_nobody_holds_is_freed(make_task: MakeTask, cell: Any) -> None:
    """A closed card keeps neither itself nor its task in memory."""
    task = make_task(task_id="task-1")
    show(task)
    card = shown_module._shown[task]
    name = card.model_id
    del card
    gc.collect()
    show(task)  # only ipywidgets holds the card now, and it is still the task's
    assert shown_module._shown[task].model_id == name
    shown_module._shown[task].close()
    freed = weakref.ref(task)
    del task
    gc.collect()  # frees the card; the next call frees what only the card held
    gc.collect()
    assert freed() is None


def test_a_video_adds_less_than_five_kilobytes(make_task: MakeTask, cell: Any, workdir: Path) -> None:
    """The stored output of a video is small, even with a long prompt of three-byte characters."""
    prompt = "一条锦鲤在清澈的池塘中游动，水面波光粼粼。" * 15
    task = make_task(prompt[:300], task_id="task-wave1775285160b950328499", status=TaskStatus.processing)
    show(task)
    path = task.planned_path
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(10_200_000))
    task.set_traits(status=TaskStatus.completed, video_path=path)
    assert cell.views == 0
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": data} for data in cell.outputs.values()
    ]
    assert len(json.dumps(outputs, ensure_ascii=False, indent=1).encode()) < 4600
    card_in_cell(task).close()


def test_showing_an_ended_task_makes_no_widget(
    make_task: MakeTask, cell: Any, workdir: Path, live_widgets: Callable[[], int]
) -> None:
    """An ended task is shown as HTML without widgets, and embedded on request."""
    path = workdir / "koi.mp4"
    path.write_bytes(b"mp4")
    task = make_task(task_id="task-1", status=TaskStatus.completed, video_path=path)
    before = live_widgets()
    show(task)
    assert 'src="./koi.mp4"' in cell.html
    show(task, embed=True)
    assert "data:video/mp4;base64" in cell.html
    assert (cell.views, live_widgets()) == (0, before)


def test_news_from_many_threads_end_as_one_end(make_task: MakeTask, cell: Any) -> None:
    """Concurrent redraws leave no stale copy beside the end."""
    for number in range(20):
        task = make_task(task_id=f"task-{number}", status=TaskStatus.processing)
        show(task)
        card = card_in_cell(task)
        threads = [threading.Thread(target=card.redraw_now) for _ in range(4)]
        for thread in threads:
            thread.start()
        task.set_traits(status=TaskStatus.cancelled)
        for thread in threads:
            thread.join()
        card.close()
    assert cell.views == 0
    assert "resume" not in cell.html


def test_the_clock_costs_next_to_nothing(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick sends a short line; a redraw without a change sends nothing."""
    task = make_task(status=TaskStatus.processing, progress=10)
    card = TaskCard(task)
    assert len(html_part(card, "Generating").value) < 500
    moment = datetime.now(UTC)
    monkeypatch.setattr(card_head, "datetime", SimpleNamespace(now=lambda _: moment))
    card.refresh()
    sent = []
    assert {bar(card), card.buttons.cancel_button} <= set(parts_of(card))
    for part in parts_of(card):
        part.observe(lambda change: sent.append(change["name"]))
    card.refresh()
    assert sent == []
    card.close()
