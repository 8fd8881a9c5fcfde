"""The comparison, as far as it is made in Python; that it is in step is seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.review.comparison import Comparison
from tests.widgets.page import html_of, outputs_of, text_of, the


@pytest.fixture
def files(workdir: Path) -> list[Path]:
    """Seven files that are named as videos."""
    made = [workdir / f"video & {n}.mp4" for n in range(7)]
    for path in made:
        path.write_bytes(b"")
    return made


def html(comparison: Comparison) -> str:
    """What stands in the output with the videos."""
    (output,) = outputs_of(comparison)
    return output


def test_videos_stand_in_an_output_by_relative_path(files: list[Path]) -> None:
    """Where alone Jupyter resolves it; without controls of their own, quoted and escaped."""
    comparison = Comparison(files[:3], labels=["one", "<script>", "three"])
    assert html(comparison).count("<video") == 3
    assert 'src="./video%20%26%200.mp4"' in html(comparison)
    assert "B: &lt;script&gt;" in html(comparison)
    assert "controls" not in html(comparison)
    assert comparison.controls.count == 3
    assert comparison.controls.fps == 30.0
    comparison.close()


def test_labels_are_found_out(files: list[Path], make_task: Callable[..., Task]) -> None:
    """A task is named by its prompt and model, a file by its name."""
    task = make_task("A koi <b>", video_path=files[0])
    comparison = Comparison([task, str(files[1])])
    assert "A: A koi &lt;b&gt;, kling-v3" in html(comparison)
    assert "B: video &amp; 1" in html(comparison)
    comparison.close()


def test_a_video_of_shots_is_named_by_their_prompts(
    files: list[Path], make_task: Callable[..., Task]
) -> None:
    """It has no prompt of its own."""
    request = VideoRequest(shots=[("A koi rises", 3), ("It leaps", 3)])
    task = make_task(request=request, video_path=files[0])
    comparison = Comparison([task, str(files[1])])
    assert "A: A koi rises / It leaps, kling-v3" in html(comparison)
    comparison.close()


@pytest.mark.parametrize("number", [0, 1, 7])
def test_two_to_six(files: list[Path], number: int) -> None:
    """Others are refused with the number."""
    with pytest.raises(ValueError, match=f"2 to 6 videos, not {number}"):
        Comparison(files[:number])


def test_what_cannot_be_compared(files: list[Path], make_task: Callable[..., Task]) -> None:
    """A task without a video, a file that is not there, too few labels: each in a sentence."""
    with pytest.raises(QingboError, match="no video yet"):
        Comparison([files[0], make_task()])
    with pytest.raises(QingboError, match=r"no video .*missing"):
        Comparison([files[0], "missing.mp4"])
    with pytest.raises(QingboError, match=r"no video .*deleted"):
        Comparison([files[0], make_task(video_path=files[0].with_name("deleted.mp4"))])
    with pytest.raises(ValueError, match="2 videos and 1 labels"):
        Comparison(files[:2], labels=["one"])


@pytest.fixture
def tasks(files: list[Path], make_task: Callable[..., Task], manager: TaskManager) -> list[Task]:
    """Three tasks with videos, in the journal, each with a prompt that says which it is."""
    made = [make_task(f"prompt {n} <b>", video_path=files[n]) for n in range(3)]
    for task in made:
        manager.library.add(Entry(task.key, "sandbox"))
    return made


def test_blind_until_all_are_rated(tasks: list[Task], cell: Any) -> None:
    """Letters only, in a drawn order; the ratings go to the right tasks, and the last one ends it."""
    orders = set()
    for seed in range(20):
        drawn = Comparison(tasks, blind=True, seed=seed)
        orders.add(drawn.videos)
        drawn.close()
    assert len(orders) > 3
    comparison = Comparison(tasks, blind=True, seed=1)
    comparison._ipython_display_()
    told = [html(comparison), *outputs_of(comparison, "text/plain"), cell.html]
    assert not any("prompt" in text or "kling" in text for text in [*told, html_of(comparison)])
    assert "mp4" not in told[1]
    videos = the(comparison, ipywidgets.Output).outputs
    for stars, (letter, rating) in enumerate(comparison.ratings.items()):
        assert comparison.is_blind
        rating.value = stars
        task = comparison.videos["ABC".index(letter)]
        assert isinstance(task, Task)
        assert task.manager.library.judgements.of(task.key).rating == stars
    assert not comparison.is_blind
    for letter, task in zip("ABC", comparison.videos, strict=True):
        assert isinstance(task, Task)
        assert task.request is not None
        named = f"{letter}: {task.request.prompt.replace('<b>', '&lt;b&gt;')}"
        assert named in html_of(comparison)
        assert named in cell.html
    assert the(comparison, ipywidgets.Output).outputs is videos, "drawn anew, they would begin again"
    comparison.close()


def test_reveal(files: list[Path]) -> None:
    """A button for those who do not rate, or who compare files; labels go with their videos."""
    comparison = Comparison(files[:2], labels=["first", "second"], blind=True, seed=2)
    assert comparison.ratings == {}
    assert "first" not in html(comparison)
    comparison.reveal_button.click()
    first = "AB"[comparison.videos.index(files[0])]
    assert f"{first}: first" in text_of(comparison)
    comparison.close()


def test_without_the_kernel_each_has_its_own_controls(files: list[Path], cell: Any) -> None:
    """The twin in the cell is plain HTML, whose videos play one by one."""
    comparison = Comparison(files[:2])
    comparison._ipython_display_()
    assert cell.views == 1
    assert cell.html.count("<video") == 2 == cell.html.count('controls=""')
    comparison.close()


def test_closing_leaves_no_widget(files: list[Path], live_widgets: Callable[[], int]) -> None:
    """A cell run again and again does not fill the kernel."""
    before = live_widgets()
    for blind in (False, True):
        Comparison(files[:2], blind=blind).close()
    assert live_widgets() == before
