"""Filling in a form sets all fields, with one check and without loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import CameraControl, DynamicMask, Shot
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.form.loading import fields_of
from qingbo_widgets.widgets.form.request_form import RequestForm

REQUESTS = [
    VideoRequest(prompt="A koi", duration=12, aspect_ratio="9:16", enable_audio=False),
    VideoRequest("kling-v3", shots=[Shot("One", 5), Shot("Two", 10)]),
    VideoRequest("kling-v1-6", "A koi", camera_control=CameraControl("simple", {"zoom": 5}), cfg_scale=0.2),
    VideoRequest(
        "kling-v1-6",
        "A koi",
        image_urls="https://example.com/a.png",
        dynamic_masks=[DynamicMask("https://example.com/m.png", ((1, 2), (3, 4)))],
    ),
    VideoRequest("kling-v9", "A koi"),
]


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """Yield a form with existing values."""
    form = RequestForm(model="kling-v1", prompt="A fox", negative_prompt="blur", mode="pro", duration=10)
    yield form
    form.close()


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_fills_the_whole_form(form: RequestForm, request_: VideoRequest) -> None:
    """Filling in from a request leaves no previous value in the request."""
    assert form.load(request_) == ()
    assert form.request == request_


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_fields_of_a_form_fill_another(form: RequestForm, request_: VideoRequest) -> None:
    """The fields survive a round trip through JSON, including those that the chosen model does not take."""
    form.load(request_)
    form.negative_prompt = "blur"
    other = RequestForm()
    assert other.load(fields_of(form)) == ()
    assert other.request == form.request
    assert other.negative_prompt == "blur"
    other.close()


def test_an_earlier_task_fills_the_form(form: RequestForm, make_task: Callable[..., Task]) -> None:
    """The request of an earlier task fills in the form."""
    form.load(make_task("A koi"))
    assert form.request == VideoRequest(prompt="A koi")


def test_a_task_from_elsewhere_has_no_request(form: RequestForm, manager: TaskManager) -> None:
    """A task without a known request is refused, and the form is unchanged."""
    with pytest.raises(ValueError, match="not known"):
        form.load(Task(manager, None, task_id="task-1"))
    assert form.prompt == "A fox"


def test_values_that_a_form_cannot_show_are_listed(form: RequestForm) -> None:
    """Unknown fields and invalid values of a preset are listed."""
    left_out = form.load({"prompt": "A koi", "seed": 7, "duration": "long"})
    assert left_out == ("seed: 7", "Duration: long")
    assert (form.prompt, form.duration) == ("A koi", 10)


def test_the_form_is_checked_once(form: RequestForm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filling in any number of fields checks the request and reports problems once."""
    refreshed, seen = [], []
    refresh = RequestForm.refresh
    monkeypatch.setattr(RequestForm, "refresh", lambda self: (refreshed.append(1), refresh(self)))
    form.observe(lambda change: seen.append(change["new"]), "problems")
    form.load(REQUESTS[3])
    assert len(refreshed) == 1
    assert seen == []


def test_a_length_is_not_fitted_to_the_model_on_the_way(form: RequestForm) -> None:
    """A duration is not fitted to the previous model, which does not render 12 s."""
    form.load(VideoRequest("kling-v3", "A koi", duration=12))
    assert (form.duration, form.controls["duration"].value) == (12, 12)
    form.model = "kling-v1"
    assert form.duration == 10
    form.model = "kling-v3"
    assert form.duration == 12


def test_reset_restores_the_values_of_the_code(form: RequestForm) -> None:
    """A reset form has the values from the code, not empty fields."""
    given = form.request
    form.load(REQUESTS[1])
    form.reset()
    assert form.request == given


def test_a_preset_is_saved_and_loaded(manager: TaskManager) -> None:
    """A preset is saved in the library's folder and loaded by its name."""
    form = RequestForm(manager, prompt="一条锦鲤", mode="pro")
    form.save("锦鲤")
    form.reset()
    form.prompt = "A fox"
    form.load("锦鲤")
    assert form.request == VideoRequest(prompt="一条锦鲤", mode="pro")
    assert [path.suffix for path in (manager.library.folder / "presets").iterdir()] == [".json"]
    with pytest.raises(KeyError):
        form.load("fox")
    form.close()


def test_fixed_fields_stay(form: RequestForm) -> None:
    """Loading does not change fixed fields."""
    fixed = RequestForm(fixed={"mode": "std"}, prompt="A fox")
    left_out: Any = fixed.load(VideoRequest(prompt="A koi", mode="pro"))
    assert left_out == ("Mode: pro, 1080p",)
    assert (fixed.prompt, fixed.mode) == ("A koi", "std")
    fixed.close()
