"""``Comparison``: its Python part; the browser tests cover the synchronisation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.base.captions import captions_of
from qingbo_widgets.widgets.base.clips import clips_of
from qingbo_widgets.widgets.review.comparison import Comparison
from tests.widgets.page import html_of, outputs_of, text_of, the

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def files(workdir: Path) -> list[Path]:
    """Return seven files with the names of videos."""
    made = [workdir / f"video & {n}.mp4" for n in range(7)]
    for path in made:
        path.write_bytes(b"")
    return made


def html(comparison: Comparison) -> str:
    """Return the HTML of the output with the videos."""
    (output,) = outputs_of(comparison)
    return output


def test_videos_stand_in_an_output_by_relative_path(files: list[Path]) -> None:
    """Videos are in an output, where Jupyter resolves relative paths; they play without the script."""
    comparison = Comparison(files[:3], labels=["one", "<script>", "three"])
    assert html(comparison).count("<video") == 3
    assert 'src="./video%20%26%200.mp4"' in html(comparison)
    assert "B: &lt;script&gt;" in html(comparison)
    assert html(comparison).count('controls=""') == html(comparison).count('muted=""') == 3
    assert comparison.controls.count == 3
    assert comparison.controls.fps == 30.0
    comparison.close()


def test_labels_are_found_out(files: list[Path], make_task: Callable[..., Task]) -> None:
    """The default label is the prompt and model of a task, or the name of a file."""
    task = make_task("A koi <b>", video_path=files[0])
    comparison = Comparison([task, str(files[1])])
    assert "A: A koi &lt;b&gt;, kling-v3" in html(comparison)
    assert "B: video &amp; 1" in html(comparison)
    comparison.close()


def test_a_video_of_shots_is_named_by_their_prompts(
    files: list[Path], make_task: Callable[..., Task]
) -> None:
    """The label of a video of several shots has the prompts of the shots."""
    request = VideoRequest(shots=[("A koi rises", 3), ("It leaps", 3)])
    task = make_task(request=request, video_path=files[0])
    comparison = Comparison([task, str(files[1])])
    assert "A: A koi rises / It leaps, kling-v3" in html(comparison)
    comparison.close()


def test_tasks_of_one_prompt_are_told_apart(files: list[Path], make_task: Callable[..., Task]) -> None:
    """Captions that would be the same have the parameters in which the tasks differ."""
    requests = [
        VideoRequest("kling-v3", "A koi", duration=10),
        VideoRequest("kling-v3", "A koi", duration=5, mode="pro"),
        VideoRequest("kling-v3", "A koi"),
        VideoRequest("kling-v3", "A heron", duration=10),
    ]
    tasks = [make_task(request=one, video_path=file) for one, file in zip(requests, files, strict=False)]
    assert captions_of(clips_of(tasks)) == [
        "A koi, kling-v3, 10 s · std, 720p",
        "A koi, kling-v3, 5 s · pro, 1080p",
        "A koi, kling-v3, 5 s · std, 720p",
        "A heron, kling-v3",
    ]
    again = make_task(request=requests[3], video_path=files[4])
    tasks[3].submitted_at, again.submitted_at = NOON, NOON + timedelta(seconds=1)
    assert captions_of(clips_of([tasks[3], again, files[0]])) == [
        "A heron, kling-v3, 1 of 2",
        "A heron, kling-v3, 2 of 2",
        "video & 0",
    ]
    comparison = Comparison(tasks[:2])
    assert "A: 10 s · std, 720p" in html(comparison), "the prompt, which both have, is above"
    assert "A koi" in text_of(comparison)
    comparison.close()


def test_pictures_are_told_apart_by_the_names_of_their_files(
    files: list[Path], make_task: Callable[..., Task]
) -> None:
    """A caption has no whole URL, unless the names of the files are the same."""

    def captions(*urls: str) -> list[str]:
        requests = [VideoRequest(prompt="A heron", image_urls=[url]) for url in urls]
        return captions_of(clips_of([make_task(request=one, video_path=files[0]) for one in requests]))

    urls = ("https://a.example/sky.png?size=1", "https://a.example/1234567890abcdefghijklmnopqr.png")
    assert captions(*urls) == ["Image sky.png", "Image 1234567890ab…klmnopqr.png"]
    urls = ("https://a.example/sky.png", "https://b.example/sky.png")
    assert captions(*urls) == [f"Image {url}" for url in urls]


@pytest.mark.parametrize("number", [0, 1, 7])
def test_two_to_six(files: list[Path], number: int) -> None:
    """Another number of videos raises with that number."""
    with pytest.raises(ValueError, match=f"2 to 6 videos, not {number}"):
        Comparison(files[:number])


def test_what_cannot_be_compared(files: list[Path], make_task: Callable[..., Task]) -> None:
    """A task without a video, a missing file and a wrong number of labels raise."""
    with pytest.raises(QingboError, match="no video yet"):
        Comparison([files[0], make_task()])
    with pytest.raises(QingboError, match=r"No such video: .*missing"):
        Comparison([files[0], "missing.mp4"])
    with pytest.raises(QingboError, match=r"No such video: .*deleted"):
        Comparison([files[0], make_task(video_path=files[0].with_name("deleted.mp4"))])
    with pytest.raises(ValueError, match="2 videos need as many labels, not 1"):
        Comparison(files[:2], labels=["one"])


@pytest.fixture
def tasks(files: list[Path], make_task: Callable[..., Task], manager: TaskManager) -> list[Task]:
    """Return three tasks with videos and different prompts, in the journal."""
    made = [make_task(f"prompt {n} <b>", video_path=files[n]) for n in range(3)]
    for task in made:
        manager.library.add(Entry(task.key, "sandbox"))
    return made


def test_blind_until_all_are_rated(tasks: list[Task], cell: Any) -> None:
    """A blind comparison shows letters in random order; the last rating reveals the labels."""
    orders = set()
    for seed in range(20):
        shuffled = Comparison(tasks, blind=True, seed=seed)
        orders.add(shuffled.videos)
        shuffled.close()
    assert len(orders) > 3
    comparison = Comparison(tasks, blind=True, seed=1)
    comparison._ipython_display_()
    texts = [html(comparison), *outputs_of(comparison, "text/plain"), cell.html]
    assert not any("prompt" in text or "kling" in text for text in [*texts, html_of(comparison)])
    assert "mp4" not in texts[1]
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
        line = f"{letter}: {task.request.prompt.replace('<b>', '&lt;b&gt;')}"
        assert line in html_of(comparison)
        assert line in cell.html
    assert the(comparison, ipywidgets.Output).outputs is videos, "a redraw would restart them"
    comparison.close()


def test_reveal(files: list[Path]) -> None:
    """The Reveal button shows the labels of the shuffled videos."""
    comparison = Comparison(files[:2], labels=["first", "second"], blind=True, seed=2)
    assert comparison.ratings == {}
    assert "first" not in html(comparison)
    comparison.reveal_button.click()
    first = "AB"[comparison.videos.index(files[0])]
    assert f"{first}: first" in text_of(comparison)
    comparison.close()


def test_without_the_kernel_each_has_its_own_controls(files: list[Path], cell: Any) -> None:
    """The static copy is plain HTML whose videos have their own controls."""
    comparison = Comparison(files[:2])
    comparison._ipython_display_()
    assert cell.views == 1
    assert cell.html.count("<video") == 2 == cell.html.count('controls=""')
    comparison.close()


def test_closing_leaves_no_widget(files: list[Path], live_widgets: Callable[[], int]) -> None:
    """Closing closes all widgets."""
    before = live_widgets()
    for blind in (False, True):
        Comparison(files[:2], blind=blind).close()
    assert live_widgets() == before


def test_entries_of_a_library(workdir: Path) -> None:
    """Entries are compared like tasks; what differs is the label, and the prompt stands above, once."""
    library = Library("qingbo_videos")
    settings: tuple[dict[str, object], ...] = ({"duration": 5}, {"duration": 10, "mode": "pro"})
    for n, more in enumerate(settings):
        request: dict[str, object] = {"model": "kling-v3", "prompt": "A koi <b>", **more}
        library.add(Entry(f"k{n}", "sandbox", "", "kling-v3", request, "completed", file=f"{n}.mp4"))
        (library.folder / f"{n}.mp4").write_bytes(b"")
    entries = sorted(library.entries(), key=lambda entry: entry.key)
    comparison = Comparison(entries)
    assert comparison.videos == tuple(entries)
    assert "A: 5 s · std, 720p" in html(comparison)
    assert "B: 10 s · pro, 1080p" in html(comparison)
    assert text_of(comparison).count("A koi <b>") == 1
    comparison.close()
    elsewhere = Comparison(entries, library=Library(library.folder), blind=True, seed=1)
    assert "koi" not in text_of(elsewhere)
    elsewhere.ratings["B"].value = 3
    (shown,) = (entry for entry in elsewhere.videos[1:] if isinstance(entry, Entry))
    assert library.judgements.of(shown.key).rating == 3
    elsewhere.close()
    with pytest.raises(QingboError, match="no video yet"):
        Comparison([*entries, Entry("running", "sandbox", "task-9")])


def test_the_same_request_twice(files: list[Path], make_task: Callable[..., Task]) -> None:
    """Videos of equal requests have their order, with the prompt above; or when they were submitted."""
    request = VideoRequest("kling-v3", "A koi")
    tasks = [make_task(request=request, video_path=file) for file in files[:2]]
    tasks[0].submitted_at, tasks[1].submitted_at = NOON, NOON + timedelta(seconds=1)
    comparison = Comparison(tasks)
    assert "A: 1 of 2" in html(comparison), "the captions do not say which is which"
    assert "B: 2 of 2" in html(comparison), "the captions do not say which is which"
    assert text_of(comparison).count("A koi") == 1
    comparison.close()
    longer = make_task(request=request.replace(duration=10), video_path=files[2])
    assert captions_of(clips_of([*tasks, longer])) == ["5 s · 1 of 2", "5 s · 2 of 2", "10 s"]
    tasks[1].submitted_at = NOON + timedelta(minutes=5)
    times = [f"{task.submitted_at.astimezone():%H:%M}" for task in tasks]
    assert captions_of(clips_of(tasks)) == times
    assert captions_of(clips_of([*files[:1] * 2])) == ["video & 0"] * 2, "a file has no time of submission"
