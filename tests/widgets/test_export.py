"""Exported pages are complete, escaped, and independent of Jupyter."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from qingbo_widgets import QingboError, Task, TaskStatus, sweep
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets import export as page

EVIL = '</title><script>alert(1)</script>" onload="x'


class Elements(HTMLParser):
    """The tags of a page and the sources of its videos."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "video":
            self.sources.append(dict(attrs)["src"] or "")


@pytest.fixture
def finished(make_task: Callable[..., Task], manager: TaskManager) -> Task:
    """Return a task with a hostile prompt and a file name that needs encoding."""
    manager.library.folder.mkdir(parents=True)
    video = manager.library.folder / "一只 koi #1.mp4"
    video.write_bytes(b"film")
    return make_task(EVIL, status=TaskStatus.completed, task_id="task-1", progress=100, video_path=video)


def test_one_file_holds_the_video(finished: Task, tmp_path: Path) -> None:
    """A single file contains the video and loads nothing else."""
    target = finished.export_html(tmp_path / "out" / "koi.html")
    found = Elements(target.read_text(encoding="utf-8"))
    (source,) = found.sources
    assert base64.b64decode(source.removeprefix("data:video/mp4;base64,")) == b"film"
    assert "script" not in found.tags
    assert [file.name for file in target.parent.iterdir()] == ["koi.html"]


def test_a_folder_has_the_video_beside_the_page(finished: Task, tmp_path: Path) -> None:
    """An exported folder refers to its videos by relative, encoded URLs, so that it can be moved."""
    target = finished.export_html(tmp_path / "out")
    (source,) = Elements(target.read_text(encoding="utf-8")).sources
    assert source == "videos/%E4%B8%80%E5%8F%AA%20koi%20%231.mp4"
    assert (tmp_path / "out" / "videos" / "一只 koi #1.mp4").read_bytes() == b"film"
    assert target.name == "index.html"


@pytest.mark.parametrize("name", ["koi.html", "koi"])
def test_an_animation_is_an_image(finished: Task, tmp_path: Path, name: str) -> None:
    """A GIF is exported as an image, which the page may load."""
    video = finished.manager.library.folder / "koi.gif"
    video.write_bytes(b"GIF89a" + bytes(30))
    finished.set_traits(video_path=video)
    page = finished.export_html(tmp_path / name).read_text(encoding="utf-8")
    source = "data:image/gif;base64," if name == "koi.html" else "videos/koi.gif"
    assert f'<img src="{source}' in page
    assert "img-src 'self' data: file:" in page
    assert "<video" not in page


def test_too_much_for_one_file(finished: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video above the limit is refused with the alternative, and no partial file remains."""
    monkeypatch.setattr(page, "ONE_FILE_LIMIT", 3)
    with pytest.raises(QingboError, match="folder name"):
        finished.export_html(tmp_path / "koi.html")
    assert not (tmp_path / "koi.html").exists()


def test_a_task_without_a_video(make_task: Callable[..., Task], tmp_path: Path) -> None:
    """Exporting a task without a saved video raises an error."""
    with pytest.raises(QingboError, match="not saved yet"):
        make_task(status=TaskStatus.queued).export_html(tmp_path / "koi.html")


@pytest.mark.slow
def test_a_sweep_is_a_table(manager: TaskManager, server: Sandbox, tmp_path: Path) -> None:
    """An exported sweep is a table with videos and error messages, and all text is escaped."""
    server.faults = Faults(fail="task_failed", fail_prompt="script")
    made = sweep(
        prompt=["koi", EVIL], mode=["std", "pro"], duration=3, enable_audio=False, manager=manager, name="<b>"
    ).wait(timeout=90)
    text = made.export_html(tmp_path / "sweep.html").read_text(encoding="utf-8")
    found = Elements(text)
    assert len(found.sources) == 2
    assert not found.tags & {"script", "b"}
    assert text.count("task_failed") == 2
    assert re.search(r'<th scope="col"[^>]*>std, 720p</th><th scope="col"[^>]*>pro, 1080p</th>', text)
    folder = made.export_html(tmp_path / "sweep")
    assert len(list((folder.parent / "videos").glob("*.mp4"))) == 2
