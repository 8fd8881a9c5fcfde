"""``Pairwise``: pairs, answers and the ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.ranking import Ranked
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.system.companions import poster_name
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.review import pairwise as pairwise_module
from qingbo_widgets.widgets.review.pairwise import Pairwise
from tests.widgets.page import click, html_of, outputs_of, press, text_of


@pytest.fixture
def tasks(make_task: Callable[..., Task], manager: TaskManager) -> list[Task]:
    """Return three tasks with videos, all in the journal."""
    saved: list[Task] = []
    for name in ("first <b>", "second", "third"):
        path = manager.library.folder / f"{len(saved)}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        saved.append(make_task(name, video_path=path))
        manager.library.add(Entry(saved[-1].key, "sandbox"))
    return saved


@pytest.fixture
def pairwise(tasks: list[Task], monkeypatch: pytest.MonkeyPatch) -> Iterator[Pairwise]:
    """Yield a widget without the pause after an answer."""
    monkeypatch.setattr(pairwise_module, "DOUBLE_CLICK", 0.0)
    pairwise = Pairwise(tasks, seed=1)
    yield pairwise
    pairwise.close()


def test_a_pair_does_not_say_which_is_which(pairwise: Pairwise) -> None:
    """The page of a pair has neither prompt nor model."""
    (html,) = outputs_of(pairwise)
    assert html.count("<video") == 2
    for word in ("first", "second", "third", "kling"):
        assert word not in html
    assert "A" in html


def test_every_pair_comes_before_any_comes_again(pairwise: Pairwise, tasks: list[Task]) -> None:
    """Six answers to three pairs are two each, and all are saved."""
    seen = []
    for _ in range(6):
        assert pairwise.pair is not None
        seen.append(frozenset(task.key for task in pairwise.pair))
        pairwise.left_button.click()
    assert len(set(seen[:3])) == 3
    answers = tasks[0].manager.library.judgements.preferences()
    assert [frozenset(pair) for pair in answers] == seen
    assert "Answers so far: 6" in text_of(pairwise)


def test_a_double_click_is_one_answer(
    pairwise: Pairwise, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of a double click is ignored, because its pair was not seen."""
    click(pairwise, "A is better")
    monkeypatch.setattr(pairwise_module, "DOUBLE_CLICK", 3600.0)
    shown = pairwise.pair
    click(pairwise, "A is better")
    press(pairwise, "ArrowRight")
    click(pairwise, "Another pair")
    assert len(tasks[0].manager.library.judgements.preferences()) == 1
    assert pairwise.pair == shown
    assert "Not counted" in text_of(pairwise), "the answer was dropped silently"
    monkeypatch.setattr(pairwise, "ranking", list)
    click(pairwise, "Ranking")
    assert "Not counted" not in text_of(pairwise), "the remark is not about the ranking"
    monkeypatch.setattr(pairwise_module, "DOUBLE_CLICK", 0.0)
    click(pairwise, "B is better")
    assert "Not counted" not in text_of(pairwise)


def test_a_shared_prompt_is_shown(
    tasks: list[Task], make_task: Callable[..., Task], manager: TaskManager
) -> None:
    """The prompt of both videos is above them; different ones would tell which is which."""
    alike = [make_task("A koi <b>", video_path=tasks[0].video_path) for _ in range(2)]
    for task in alike:
        manager.library.add(Entry(task.key, "sandbox"))
    for compared, is_shown in ((alike, True), ([alike[0], tasks[0]], False)):
        pairs = Pairwise(compared)
        assert ("A koi <b>" in text_of(pairs)) == is_shown
        pairs.close()


def test_the_ranking_has_pictures(
    pairwise: Pairwise, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each video of the ranking has its poster, if it has one."""
    pytest.importorskip("PIL", reason="Pillow is not installed")
    from PIL import Image

    path = tasks[1].video_path
    assert path is not None
    poster = path.parent / poster_name(path)
    poster.parent.mkdir()
    Image.new("RGB", (32, 18)).save(poster, "JPEG")
    monkeypatch.setattr(pairwise, "ranking", lambda: [Ranked(task.key, 0.0, 1.0, 0, 0) for task in tasks])
    click(pairwise, "Ranking")
    rows = html_of(pairwise).split("<tr")
    assert ["<img" in row for row in rows if "±" in row] == [False, True, False]


@pytest.mark.slow
def test_keys_and_ranking(pairwise: Pairwise, tasks: list[Task]) -> None:
    """Answers by arrow keys give a ranking with names and uncertainties."""
    pytest.importorskip("choix", reason="choix is not installed")
    order = {task.key: place for place, task in enumerate(tasks)}
    for _ in range(9):
        assert pairwise.pair is not None
        left, right = (order[task.key] for task in pairwise.pair)
        press(pairwise, "ArrowLeft" if left < right else "ArrowRight")
    assert [one.key for one in pairwise.ranking()] == [task.key for task in tasks]
    click(pairwise, "Ranking")
    table = html_of(pairwise)
    assert table.index("first &lt;b&gt;") < table.index("second") < table.index("third")
    assert "±" in table
    press(pairwise, "ArrowDown")
    assert "qingbo-ranking" in table
    assert "qingbo-ranking" not in html_of(pairwise), "the next pair hides the ranking"


def test_the_ranking_tells_what_varies(
    tasks: list[Task],
    make_task: Callable[..., Task],
    manager: TaskManager,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ranking names tasks by what differs, or by their prompt; by the id only if it must."""

    def table(compared: list[Task]) -> str:
        """Return the ranking of these tasks as shown."""
        chooser = Pairwise(compared)
        ranked = [Ranked(task.key, 0.0, 1.0, 0, 0) for task in compared]
        monkeypatch.setattr(chooser, "ranking", lambda: ranked)
        click(chooser, "Ranking")
        shown = html_of(chooser).partition("qingbo-ranking")[2]
        chooser.close()
        return shown

    compared = []
    for duration in (3, 8):
        request = VideoRequest(prompt="A koi", duration=duration)
        if duration == 8:
            request = request.replace(mode="std", action="generate")  # as a form names every field
        compared.append(
            make_task(request=request, task_id=f"task-{duration}", video_path=tasks[0].video_path)
        )
        manager.library.add(Entry(compared[-1].key, "sandbox"))
    html = table(compared)
    assert "3 s" in html
    assert "8 s" in html
    assert "task-" not in html
    assert "A koi" not in html
    assert "std" not in html
    resumed = make_task(model="kling-v1", task_id="task-9", video_path=tasks[0].video_path)
    resumed.request = None  # resumed by its id
    manager.library.add(Entry(resumed.key, "sandbox"))
    storyboard = make_task(
        request=VideoRequest(shots=[("A fox", 3), ("A hare", 3)]), video_path=tasks[0].video_path
    )
    manager.library.add(Entry(storyboard.key, "sandbox"))
    html = table([resumed, storyboard])
    assert "<td>kling-v1 · task-9</td>" in html
    assert "A fox / A hare" in html
    assert "prompt default" not in html
    alike = [make_task("A koi", video_path=tasks[0].video_path) for _ in range(2)]
    for task in alike:
        task.submitted_at = alike[0].submitted_at
        manager.library.add(Entry(task.key, "sandbox"))
    html = table(alike)
    assert "<td>1 of 2</td>" in html, "the ranking does not say which of equal requests is which"
    assert "<td>2 of 2</td>" in html


def test_too_few(tasks: list[Task], make_task: Callable[..., Task]) -> None:
    """A ranking of fewer than two tasks with an existing video raises."""
    lost = make_task("lost", video_path=tasks[0].manager.library.folder / "lost.mp4")
    for few in (tasks[:1], [tasks[0], tasks[0]], [tasks[0], make_task("no video")], [tasks[0], lost]):
        with pytest.raises(QingboError, match="at least two saved videos"):
            Pairwise(few)


def test_closing_leaves_no_widget(tasks: list[Task], live_widgets: Callable[[], int]) -> None:
    """Closing closes all widgets."""
    before = live_widgets()
    Pairwise(tasks).close()
    assert live_widgets() == before


def test_entries_of_a_library(tasks: list[Task], manager: TaskManager) -> None:
    """Entries are ranked like tasks, and their answers are those of the tasks."""
    library = manager.library
    for task in tasks:
        assert task.video_path is not None
        library.update(task.key, file=task.video_path.name)
    entries = library.entries()
    pairs = Pairwise(entries, library=library, seed=1)
    assert pairs.pair is not None
    left, right = pairs.pair
    assert {left.key, right.key} < {task.key for task in tasks}
    pairs.choose(0)
    assert library.judgements.preferences() == [(left.key, right.key)]
    pairs.close()
    with pytest.raises(QingboError, match="at least two saved videos"):
        Pairwise([*entries, Entry("running", "sandbox")], library=library)
