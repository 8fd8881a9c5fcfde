"""The static copy of a studio: its parts, and what it says about tasks that go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.studio import static_copy
from qingbo_widgets.widgets.studio.static_copy import StudioCopy
from tests.widgets.page import read

MakeTask = Callable[..., Task]


@pytest.fixture
def make_card(make_task: MakeTask, workdir: Path) -> Iterator[Callable[..., TaskCard]]:
    """Yield a function that makes the card of a finished task, or of one in another state."""
    made: list[TaskCard] = []

    def make(prompt: str, **state: Any) -> TaskCard:
        finished = {"status": TaskStatus.completed, "video_path": workdir / "a.mp4"}
        made.append(TaskCard(make_task(prompt, task_id=f"task-{len(made)}", **(state or finished))))
        return made[-1]

    yield make
    for card in made:
        card.close()


def prompts_in(part: str, cards: list[TaskCard]) -> list[str]:
    """Return the prompts of the cards that a part shows."""
    requests = [card.task.request for card in cards]
    return [request.prompt for request in requests if request and f">{request.prompt}<" in part]


@pytest.mark.slow
def test_an_end_rewrites_a_few_tasks(make_card: Callable[..., TaskCard]) -> None:
    """Of a hundred tasks, made one after another, an end rewrites those of the first part only, as a rule."""
    copy, cards = StudioCopy("copy"), list[TaskCard]()
    before, written = ["", "", ""], 0
    for number in range(100):
        cards.insert(0, make_card(f"prompt {number}"))
        parts = [str(part) for part in copy.parts(cards, SimpleNamespace())]
        shown = [prompt for part in parts for prompt in prompts_in(part, cards)]
        assert sorted(shown) == sorted(f"prompt {n}" for n in range(number + 1)), "a task is lost or twice"
        changed = [part for part, then in zip(parts, before, strict=True) if part != then]
        written += sum(len(prompts_in(part, cards)) for part in changed)
        before = parts
    assert written / 100 < 15, "each end sends many tasks"
    assert "" not in before, "the rest has no part of its own"


def test_the_newest_come_first(make_card: Callable[..., TaskCard]) -> None:
    """The parts show the tasks from the newest to the oldest."""
    cards = [make_card(f"prompt {number}") for number in range(30)]
    joined = "".join(StudioCopy("copy").parts(cards, SimpleNamespace()))
    places = [joined.index(f">prompt {number}<") for number in range(30)]
    assert places == sorted(places)


def test_a_cleared_task_is_in_no_part(make_card: Callable[..., TaskCard]) -> None:
    """A task that the studio no longer shows disappears from every part, and the others stay."""
    copy, cards = StudioCopy("copy"), [make_card(f"prompt {number}") for number in range(30)]
    copy.parts(cards, SimpleNamespace())
    kept = cards[:2] + cards[20:22]
    joined = "".join(copy.parts(kept, SimpleNamespace()))
    assert prompts_in(joined, cards) == ["prompt 0", "prompt 1", "prompt 20", "prompt 21"]


def test_running_tasks_move_on_too(make_card: Callable[..., TaskCard]) -> None:
    """Sixty tasks under way do not all stay in the part that is sent most often."""
    cards = [make_card(f"prompt {number}", status=TaskStatus.processing) for number in range(60)]
    copy = StudioCopy("copy")
    first, *_ = copy.parts(cards, SimpleNamespace())
    assert len(prompts_in(first, cards)) <= static_copy.MOST
    assert copy.pause > static_copy.EVERY, "so many tasks are not sent each second"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "One task continues at the service without this kernel; nothing is lost."),
        (2, "2 tasks continue at the service without this kernel; nothing is lost."),
    ],
)
def test_unfinished_tasks_are_taken_up_again(
    make_card: Callable[..., TaskCard], count: int, text: str
) -> None:
    """The copy, which a page shows when the kernel is gone, says that nothing is lost and what to run."""
    running = [make_card("a boat", status=TaskStatus.processing) for _ in range(count)]
    copy = read(StudioCopy("copy").parts([*running, make_card("a koi")], SimpleNamespace())[0])
    assert ("at the service" in copy) is bool(count)
    assert text in copy
    if count:
        assert "run this cell again, or: import qingbo_widgets as qw qw.connect(" in copy
        assert "resume(" not in copy, "one line is enough for all"


def test_tasks_of_a_sandbox_end_with_it(make_card: Callable[..., TaskCard]) -> None:
    """A sandbox is in the kernel, so nothing continues without it."""
    card = make_card("a boat", status=TaskStatus.processing)
    card.task.manager.sandbox = Sandbox()  # not started
    copy = read("".join(StudioCopy("copy").parts([card], SimpleNamespace())))
    kite = make_card("a kite", status=TaskStatus.processing)
    both = read("".join(StudioCopy("copy").parts([card, kite], SimpleNamespace())))
    card.task.manager.sandbox = None
    assert "The sandbox ends with its kernel, and one unfinished task with it. Nothing was charged." in copy
    assert "continue" not in copy
    assert "The sandbox ends with its kernel, and 2 unfinished tasks with it. Nothing was charged." in both


def test_progress_rewrites_nothing(make_card: Callable[..., TaskCard]) -> None:
    """A copy changes with the id and the end of a task, not with its progress."""
    card, copy = make_card("a boat", status=TaskStatus.queued), StudioCopy("copy")
    before = copy.parts([card], SimpleNamespace())
    card.task.set_traits(status=TaskStatus.processing, progress=50)
    card.redraw_now()
    assert copy.parts([card], SimpleNamespace()) == before


def test_a_copy_embeds_a_few_videos_once_all_tasks_are_over(
    make_card: Callable[..., TaskCard], workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each end sends the copy again: it has the newest videos up to a limit, and none while a task runs."""
    for number in range(3):
        (workdir / f"{number}.mp4").write_bytes(bytes(1000))
    cards = [
        make_card(f"prompt {number}", status=TaskStatus.completed, video_path=workdir / f"{number}.mp4")
        for number in range(3)
    ]
    copy = StudioCopy("copy")
    cards[0].task.manager.embed = True
    monkeypatch.setattr(static_copy, "COPY_LIMIT", 2500)
    html = "".join(copy.parts(cards, SimpleNamespace()))
    assert html.count("data:video/mp4") == 2
    assert "Not embedded: 2.mp4" in html, "the newest come first"
    running = make_card("another", status=TaskStatus.processing)
    assert "data:video/mp4" not in "".join(copy.parts([running, *cards], SimpleNamespace()))
