"""Filling a form in: all of it, once, and nothing lost on the way."""

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
    """A form in which something stands already."""
    form = RequestForm(model="kling-v1", prompt="A fox", negative_prompt="blur", mode="pro", duration=10)
    yield form
    form.close()


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_fills_the_whole_form(form: RequestForm, request_: VideoRequest) -> None:
    """Nothing of what stood there before is left in the request."""
    assert form.load(request_) == ()
    assert form.request == request_


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_fields_of_a_form_fill_another(form: RequestForm, request_: VideoRequest) -> None:
    """As JSON, there and back; also what the chosen model does not take."""
    form.load(request_)
    form.negative_prompt = "blur"
    other = RequestForm()
    assert other.load(fields_of(form)) == ()
    assert other.request == form.request
    assert other.negative_prompt == "blur"
    other.close()


def test_an_earlier_task_fills_the_form(form: RequestForm, make_task: Callable[..., Task]) -> None:
    """Same with changes."""
    form.load(make_task("A koi"))
    assert form.request == VideoRequest(prompt="A koi")


def test_a_task_from_elsewhere_has_no_request(form: RequestForm, manager: TaskManager) -> None:
    """It says so, and the form stays."""
    with pytest.raises(ValueError, match="not known"):
        form.load(Task(manager, None, task_id="task-1"))
    assert form.prompt == "A fox"


def test_what_a_form_cannot_show_is_listed(form: RequestForm) -> None:
    """A preset of a later version, or one that somebody wrote by hand."""
    left_out = form.load({"prompt": "A koi", "seed": 7, "duration": "long"})
    assert left_out == ("seed: 7", "duration: 'long'")
    assert (form.prompt, form.duration) == ("A koi", 10)


def test_the_form_is_looked_at_once(form: RequestForm, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many fields; and problems are told once, at the end."""
    refreshed, seen = [], []
    refresh = RequestForm.refresh
    monkeypatch.setattr(RequestForm, "refresh", lambda self: (refreshed.append(1), refresh(self)))
    form.observe(lambda change: seen.append(change["new"]), "problems")
    form.load(REQUESTS[3])
    assert len(refreshed) == 1
    assert seen == []


def test_a_length_is_not_fitted_to_the_model_on_the_way(form: RequestForm) -> None:
    """The model comes first, and 12 s are no length of the one that was chosen before."""
    form.load(VideoRequest("kling-v3", "A koi", duration=12))
    assert (form.duration, form.controls["duration"].value) == (12, 12)
    form.model = "kling-v1"
    assert form.duration == 10
    form.model = "kling-v3"
    assert form.duration == 12


def test_start_afresh_is_as_the_code_has_made_it(form: RequestForm) -> None:
    """Not an empty form, where the code has given something."""
    given = form.request
    form.load(REQUESTS[1])
    form.start_afresh()
    assert form.request == given


def test_a_preset_is_saved_and_loaded(manager: TaskManager) -> None:
    """In the library's folder, under its name."""
    form = RequestForm(manager, prompt="一条锦鲤", mode="pro")
    form.save("锦鲤")
    form.start_afresh()
    form.prompt = "A fox"
    form.load("锦鲤")
    assert form.request == VideoRequest(prompt="一条锦鲤", mode="pro")
    assert [path.suffix for path in (manager.library.folder / "presets").iterdir()] == [".json"]
    with pytest.raises(KeyError):
        form.load("fox")
    form.close()


def test_fixed_fields_stay(form: RequestForm) -> None:
    """Whatever is loaded."""
    fixed = RequestForm(fixed={"mode": "std"}, prompt="A fox")
    told: Any = fixed.load(VideoRequest(prompt="A koi", mode="pro"))
    assert told == ("mode: 'pro'",)
    assert (fixed.prompt, fixed.mode) == ("A koi", "std")
    fixed.close()
