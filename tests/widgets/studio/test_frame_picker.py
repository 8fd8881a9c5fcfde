"""``FramePicker``: it saves the frame shown, or starts the next video with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from qingbo_widgets import FramePicker, QingboError, Task, VideoRequest
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.system.files import replace as move
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from tests.widgets.page import find, html_of, text_of

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def task(manager: TaskManager, server: Sandbox) -> Task:
    """Return a finished task of three seconds, whose manager uploads to the sandbox."""
    server.faults = Faults(fail="task_failed", fail_prompt="fail")
    manager.upload = server.publish
    return manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)


def picture(picker: FramePicker) -> str:
    """Return the frame shown, as HTML."""
    (image,) = re.findall("<img[^>]*>", html_of(picker))
    return str(image)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Local files are uploaded")
def test_grab_and_continue(task: Task, manager: TaskManager, until: Until) -> None:
    """A picker opens at the last frame, saves the frame shown, and opens a form that sends nothing."""
    assert task.video_path is not None
    picker = FramePicker(task)
    assert picker.time.value == picker.time.max == pytest.approx(3, abs=0.1)
    assert picker.time.description, "the field has a name for screen readers"
    last = picture(picker)
    picker.time.value = 1.0
    assert picture(picker) != last
    picker.grab_button.click()
    saved = task.video_path.with_name(f"{task.video_path.stem}-1.00s.png")
    assert saved.name in text_of(picker)
    assert np.array_equal(np.asarray(Image.open(saved)), np.asarray(task.frame(1.0)))

    picker.continue_button.click()
    assert picker.form is not None, text_of(picker)
    assert Path(picker.form.image_urls[0]).parent == manager.library.folder / "inputs"
    assert {problem.field for problem in picker.form.problems} == {"prompt"}, (
        "our own frame waits for a click"
    )
    assert picker.form.request.duration == 3
    assert len(manager.tasks) == 1
    picker.generate_button.click()
    above = find(picker.follow_up, ipywidgets.HTML)[0]
    places = find(picker.follow_up, ipywidgets.Widget)
    assert places.index(above) < places.index(picker.form)
    assert "prompt" in text_of(above)
    picker.form.prompt = "it will fail"
    image = picker.form.image_urls
    picker.time.value = 2.0
    picker.continue_button.click()
    assert picker.form.image_urls != image
    assert picker.form.prompt == "it will fail", "another frame has emptied what was typed"
    picker.generate_button.click()
    picker.generate_button.click()
    until(lambda: len(manager.tasks) == 2 and manager.tasks[1].is_done)
    sent, form = manager.tasks[-1].request, picker.form.request
    assert sent is not None
    assert sent.replace(image_urls=form.image_urls) == form
    assert [Path(place).name for place in sent.image_urls] == [Path(form.image_urls[0]).name]
    picker.close()


@pytest.mark.slow
def test_without_an_uploader(task: Task, manager: TaskManager) -> None:
    """The form of the next video says beside the frame what is missing, with the line to add."""
    manager.upload = None
    picker = FramePicker(task)
    picker.continue_button.click()
    assert picker.form is not None
    assert "image_urls" in {problem.field for problem in picker.form.problems}
    assert "is on this machine, but the service reads public URLs only" in text_of(picker)
    assert "connect(upload=" in text_of(picker)
    picker.close()


@pytest.mark.slow
def test_a_file_needs_no_service(task: Task, workdir: Path) -> None:
    """An mp4 file needs a manager only to continue from a frame."""
    assert task.video_path is not None
    video = workdir / "found.mp4"
    move(task.video_path, video, patience=20)  # its poster may be in progress
    picker = FramePicker(video)
    picker.grab_button.click()
    assert (workdir / "found-last.png").is_file()
    picker.continue_button.click()
    assert "API key" in text_of(picker)
    picker.close()


@pytest.mark.slow
def test_the_next_video_keeps_the_defaults_of_the_contract(
    task: Task, make_manager: Callable[..., TaskManager]
) -> None:
    """A video of April's kling-v3 had sound by itself; continued in 2026-11, it asks for it."""
    manager = make_manager(Client("some-key", "http://127.0.0.1:9/v1", contract="2026-11"))
    picker = FramePicker(task, request=VideoRequest("kling-v3", "koi"), follow_up=FollowUp(manager))
    picker.continue_button.click()
    assert picker.form is not None
    assert picker.form.request.generate_audio is True
    picker.close()


def test_a_video_that_is_gone(workdir: Path) -> None:
    """A missing video raises with its path, without other messages."""
    with pytest.raises(QingboError, match=r"no longer at .*gone\.mp4"):
        FramePicker("gone.mp4")


@pytest.mark.slow
def test_closing_leaves_no_widget(task: Task, live_widgets: Callable[[], int]) -> None:
    """Closing closes all widgets, including an open form."""
    before = live_widgets()
    picker = FramePicker(task)
    picker.follow_up.offer(VideoRequest(prompt="koi"))
    picker.close()
    picker.close()
    assert live_widgets() == before
