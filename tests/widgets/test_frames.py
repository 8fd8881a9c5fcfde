"""The frame picker: what it shows is what is saved, and what the next video begins with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from qingbo_widgets import FramePicker, Task
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.tasks.manager import TaskManager

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def task(manager: TaskManager, server: Sandbox) -> Task:
    """A finished task of three seconds."""
    server.faults = Faults(fail="task_failed", fail_prompt="fail")
    manager.sandbox = server
    return manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)


def test_grab_and_continue(task: Task, manager: TaskManager, until: Until) -> None:
    """It opens at the last frame; what it shows is saved; the form begins with it, and sends nothing."""
    assert task.video_path is not None
    picker = FramePicker(task)
    assert picker.slider.value == picker.slider.max == pytest.approx(3, abs=0.1)
    last = picker._image.value
    picker.slider.value = 1.0
    assert picker._image.value != last
    picker.grab_button.click()
    saved = task.video_path.with_name(f"{task.video_path.stem}-1.00s.png")
    assert saved.name in picker._told.value
    assert np.array_equal(np.asarray(Image.open(saved)), np.asarray(task.frame(1.0)))

    picker.continue_button.click()
    assert picker.form is not None, picker._told.value
    assert picker.form.request.is_image_to_video
    assert picker.form.request.duration == 3
    assert len(manager.tasks) == 1
    picker.generate_button.click()
    assert "prompt" in picker._told.value
    picker.form.prompt = "it will fail"
    picker.generate_button.click()
    until(lambda: len(manager.tasks) == 2 and manager.tasks[1].is_done)
    assert manager.tasks[1].request == picker.form.request
    picker.close()
    manager.sandbox = None


def test_without_a_way_to_publish(task: Task, manager: TaskManager) -> None:
    """The reason and what to do stand in the picker; no form opens."""
    manager.sandbox = None
    picker = FramePicker(task)
    picker.continue_button.click()
    assert picker.form is None
    assert "connect(upload=f)" in picker._told.value
    picker.close()
