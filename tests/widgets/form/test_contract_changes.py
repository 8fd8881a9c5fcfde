"""A change of the contract sends what the form sent before, by its meaning, and keeps what was not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qingbo_widgets.library.library import Library
from qingbo_widgets.service.client import Client
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.form.loading import draft_of, fill
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.form.state import FormState
from tests.widgets.page import below, html_of

FIRST, LAST, OTHER = (f"https://a.example/{name}.png" for name in ("first", "last", "other"))
ROLES = ({"url": FIRST, "role": "first_frame"}, {"url": LAST, "role": "last_frame"})
REFERENCE = ({"url": OTHER, "role": "reference"},)
SHOTS = ({"index": 1, "prompt": "A koi", "duration": 2}, {"index": 2, "prompt": "A fox", "duration": 3})

#: Values to choose for the fields of each contract.
CHOICES: dict[str, dict[str, tuple[Any, ...]]] = {
    "2026-04": {
        "prompt": ("A koi",),
        "negative_prompt": ("blur",),
        "mode": ("pro",),
        "duration": (5, 7, 10),
        "aspect_ratio": ("9:16",),
        "image_urls": ((FIRST,),),
        "last_frame": (LAST,),
        "cfg_scale": (0.7,),
        "enable_audio": (True, False),
        "static_mask": (OTHER,),
        "shots": ((("A koi", 2), ("A fox", 3)),),
        "callback_url": ("https://a.example/hook",),
        "camera_control": ("down_back",),
    },
    "2026-11": {
        "prompt": ("A koi",),
        "action": ("edit",),
        "negative_prompt": ("blur",),
        "resolution": ("1080p", "4k"),
        "duration": (3, 5, 7, 10, 15),
        "aspect_ratio": ("9:16", "1:1"),
        "image_urls": ((FIRST,), (FIRST, LAST), (FIRST, LAST, OTHER)),
        "image_with_roles": (ROLES[:1], ROLES, REFERENCE),
        "video_urls": (("https://a.example/motion.mp4",),),
        "element_list": (({"name": "koi", "description": "a koi", "element_input_urls": (FIRST, OTHER)},),),
        "generate_audio": (True, False),
        "multi_shot": (True, False),
        "shot_type": ("customize", "intelligence"),
        "multi_prompt": (SHOTS,),
        "character_orientation": ("image", "video"),
        "keep_original_sound": ("no",),
        "watermark": (True,),
        "n": (1,),
        "callback_url": ("https://a.example/hook",),
        "callback_events": (("failed",),),
    },
}

Managers = dict[str, TaskManager]


@pytest.fixture(scope="module")
def managers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managers]:
    """Yield a manager of each contract, by its date; they share a library's folder."""
    folder: Path = tmp_path_factory.mktemp("library")
    made = {
        date: TaskManager(Client("sk-test", "http://127.0.0.1:9/v1", contract=date), Library(folder))
        for date in CHOICES
    }
    yield made
    for manager in made.values():
        manager.close()


def other(date: str) -> str:
    """Return the date of the other contract."""
    return next(one for one in CHOICES if one != date)


def request_of(form: FormState) -> dict[str, Any]:
    """Return the fields that a form would send."""
    return dict(form.request.given)


def note(form: RequestForm) -> str:
    """Return the note below the model."""
    return html_of(below(form, form.controls["model"]))


def switch_shots_off(form: FormState) -> None:
    """Type shots into a form of 2026-11, then switch them off."""
    form.prompt, form.duration = "A koi", 10
    form.multi_shot, form.shot_type, form.multi_prompt = True, "customize", SHOTS
    form.multi_shot = False


def change_the_model(form: FormState) -> None:
    """Type shots, and choose a model that does not take them."""
    form.prompt, form.duration = "A koi", 10
    form.multi_shot, form.shot_type, form.multi_prompt = True, "customize", SHOTS
    form.model = "kling-v2-6"
    form.duration = 10


# ---------------------------------------------------------------------- what is not sent


@pytest.mark.parametrize("leave_out", [switch_shots_off, change_the_model])
def test_shots_that_are_not_sent_stay_out(managers: Managers, leave_out: Callable[[FormState], None]) -> None:
    """Shots that are off stay off in the contract where their presence is the switch, and come back typed."""
    form = RequestForm(managers["2026-11"], model="kling-v3")
    leave_out(form)
    before, model = request_of(form), form.model
    form.manager = managers["2026-04"]
    assert request_of(form) == {
        "model": model,
        "action": "generate",
        "prompt": "A koi",
        "aspect_ratio": "16:9",
        "duration": 10,
        "mode": "std",
    }
    kept = note(form).partition("Kept, but not sent: ")[2]
    assert "Shots. It comes back" in kept
    assert ("Multi-shot" in note(form)) == (model == "kling-v2-6"), "a switch that is off is not missed"
    form.manager = managers["2026-11"]
    assert request_of(form) == before
    assert form.multi_prompt == SHOTS
    assert "Kept, but not sent" not in note(form)
    form.close()


def test_typing_in_between_does_not_switch_shots_on(managers: Managers) -> None:
    """After a change in the other contract, the shots are there again, and off."""
    form = FormState(managers["2026-11"], model="kling-v3")
    switch_shots_off(form)
    before = request_of(form)
    form.manager = managers["2026-04"]
    form.prompt = "A fox"
    form.manager = managers["2026-11"]
    changed = {name: value for name, value in request_of(form).items() if before.get(name) != value}
    assert changed == {"prompt": "A fox"}
    assert form.multi_prompt == SHOTS


@pytest.mark.parametrize("name", ["load", "draft", "code"])
def test_shots_that_are_off_fill_no_other_contract(managers: Managers, name: str) -> None:
    """A preset or draft with shots that are off, and code that says so, start a form without shots."""
    form = RequestForm(managers["2026-11"], model="kling-v3")
    switch_shots_off(form)
    form.save("off")
    made = RequestForm(managers["2026-04"])
    if name == "load":
        assert [text.partition(":")[0] for text in made.load("off")] == ["Shot type", "Shots"]
    elif name == "draft":
        fill(made, {**draft_of(form), "mode": "pro"})  # the code has got a name of April since
    else:
        made.close()
        made = RequestForm(managers["2026-04"], **draft_of(form))
    assert (made.request.given.get("shots"), made.request.prompt) == (None, "A koi")
    made.manager = managers["2026-11"]
    assert (made.request.multi_shot, made.multi_prompt) == (False, SHOTS)
    form.close()
    made.close()


def test_a_preset_of_the_own_contract_keeps_shots_that_are_off(managers: Managers) -> None:
    """In its own contract, a preset brings the shots back, still off."""
    form = RequestForm(managers["2026-11"], model="kling-v3")
    switch_shots_off(form)
    form.save("off here")
    before = request_of(form)
    form.load({"prompt": "A fox"})
    assert form.load("off here") == ()
    assert (request_of(form), form.multi_prompt) == (before, SHOTS)
    form.close()


def test_the_prompt_beside_shots_comes_back(managers: Managers) -> None:
    """A prompt that the shots of April replace is kept for April."""
    form = FormState(managers["2026-04"], model="kling-v3", prompt="A crane")
    form.shots = (("A koi", 2), ("A fox", 3))
    form.manager = managers["2026-11"]
    assert form.prompt != "A crane"
    form.watermark = True
    form.manager = managers["2026-04"]
    assert (form.prompt, "prompt" in form.request.given) == ("A crane", False)


# ---------------------------------------------------------------------- what a model has moved


@pytest.mark.parametrize("before", ["kling-v3-omni", "kling-video-o1"])
@pytest.mark.parametrize("after", ["kling-v3", "kling-v2-6"])
def test_an_image_that_a_model_has_moved_is_sent(managers: Managers, before: str, after: str) -> None:
    """A first frame in the place of the second model goes along to the other contract, and back."""
    form = FormState(managers["2026-11"], model=before, prompt="A koi", image_with_roles=ROLES[:1])
    form.model = after
    form.manager = managers["2026-04"]
    assert form.request.image_urls == (FIRST,)
    form.prompt = "A fox"
    form.manager = managers["2026-11"]
    assert form.request.image_urls == (FIRST,)
    form.model = before
    assert form.image_with_roles == ROLES[:1]


def test_both_frames_make_a_round_trip(managers: Managers) -> None:
    """Frames of April that go through roles of 2026-11 return as frames."""
    form = FormState(managers["2026-04"], prompt="A koi", image_urls=FIRST, last_frame=LAST)
    form.manager = managers["2026-11"]
    form.model = "kling-v3-omni"
    assert form.image_with_roles == ROLES
    form.manager = managers["2026-04"]
    assert (form.request.image_urls, form.request.last_frame) == ((FIRST,), LAST)


@pytest.mark.parametrize("edits", [False, True])
def test_what_a_model_has_set_aside_waits_through_the_other_contract(managers: Managers, edits: bool) -> None:
    """An image and a length that the second model lacks are named in the other contract, and come back."""
    form = RequestForm(managers["2026-11"], model="kling-v3-omni", prompt="A koi", image_with_roles=REFERENCE)
    form.duration = 7
    form.model = "kling-v2-6"
    assert (form.duration, "Set aside" in note(form)) == (5, True)
    form.manager = managers["2026-04"]
    assert "Kept, but not sent: Reference image (other.png)" in note(form)
    if edits:
        form.prompt = "A fox"
    form.manager = managers["2026-11"]
    assert "Set aside" in note(form)
    assert "Kept, but not sent" not in note(form)
    form.model = "kling-v3-omni"
    assert (form.image_with_roles, form.request.duration) == (REFERENCE, 7)
    form.close()


def test_a_value_that_the_model_of_the_other_contract_lacks_is_named(managers: Managers) -> None:
    """kling-v3 takes a negative prompt in 2026-11 only: April says that it is set aside."""
    form = RequestForm(managers["2026-11"], model="kling-v3", prompt="A koi", negative_prompt="blur")
    form.manager = managers["2026-04"]
    assert "does not take it: Negative prompt (blur)" in note(form)
    form.manager = managers["2026-11"]
    assert form.request.negative_prompt == "blur"
    form.close()


def test_reference_images_do_not_become_frames(managers: Managers) -> None:
    """The URLs of a model with reference images are none of April's first frame, whatever their field."""
    form = FormState(managers["2026-11"], model="kling-v3-omni", prompt="A koi", image_urls=(FIRST,))
    form.manager = managers["2026-04"]
    assert not form.request.image_urls
    assert form.homeless_images.references == (FIRST,)
    form.manager = managers["2026-11"]
    assert form.request.image_urls == (FIRST,)


def test_a_value_set_aside_waits_for_its_model(managers: Managers) -> None:
    """With another model in the other contract, what was set aside waits for a model that takes it."""
    form = RequestForm(managers["2026-11"], model="kling-v3", prompt="A koi", negative_prompt="blur")
    form.model = "kling-3.0-turbo"
    form.manager = managers["2026-04"]
    form.model = "kling-v1"
    assert "negative_prompt" not in form.request.given
    form.manager = managers["2026-11"]
    assert "Kept, but not sent: Negative prompt (blur)" in note(form)
    assert "negative_prompt" not in form.request.given
    form.model = "kling-v3"
    assert form.request.negative_prompt == "blur"
    assert "Kept, but not sent" not in note(form)
    form.close()


def test_an_image_without_a_place_comes_back_with_a_model_that_has_one(managers: Managers) -> None:
    """A last frame that the model of the other contract cannot take is set again with one that can."""
    form = FormState(managers["2026-04"], prompt="A koi", image_urls=FIRST, last_frame=LAST)
    form.model = "kling-v2-master"
    form.manager = managers["2026-11"]
    form.model = "kling-v3"
    assert form.request.image_urls == (FIRST, LAST)
    assert not form.homeless


def test_an_image_of_a_preset_needs_approval_in_every_contract(managers: Managers) -> None:
    """An image that was filled in is not fetched unasked after a change of the contract either."""
    form = FormState(managers["2026-04"])
    fill(
        form, {"model": "kling-v3-omni", "prompt": "A koi", "image_with_roles": REFERENCE, "resolution": "4k"}
    )
    form.manager = managers["2026-11"]
    assert form.image_with_roles == REFERENCE or form.image_urls == (OTHER,)
    assert OTHER in form.unapproved


# ---------------------------------------------------------------------- a last frame without a first


@pytest.mark.parametrize("between", ["kling-v2-master", "kling-v1-6"])
def test_a_last_frame_waits_for_the_first(managers: Managers, between: str) -> None:
    """A last frame that was typed first stays typed while the model goes there and back."""
    form = FormState(managers["2026-04"], model="kling-v3", prompt="A koi", last_frame=LAST)
    form.model = between
    form.model = "kling-v3"
    assert (form.request.last_frame, form.carrier.set_aside) == (LAST, {})
    form.image_urls = (FIRST,)
    assert (form.request.image_urls, form.request.last_frame) == ((FIRST,), LAST)


# ---------------------------------------------------------------------- any sequence of changes


@st.composite
def steps(draw: st.DrawFn, date: str) -> list[tuple[str, Any]]:
    """Draw what a user does in a form of one contract: fields chosen, emptied again, models chosen."""
    models = st.tuples(st.just("model"), st.integers(0, 20))
    name = st.sampled_from(sorted(CHOICES[date]))
    value = name.flatmap(
        lambda name: st.tuples(st.just(name), st.one_of(st.sampled_from(CHOICES[date][name]), st.none()))
    )
    return draw(st.lists(st.one_of(value, value, value, models), max_size=8))


def follow(form: FormState, steps: list[tuple[str, Any]]) -> None:
    """Do what a user could do: set the fields that the model takes; ``None`` stands for the default."""
    models = list(form.models)
    for name, value in steps:
        if name == "model":
            form.model = models[value % len(models)]
        elif form.takes(name):
            setattr(form, name, form.default(name) if value is None else value)


def check_changes(managers: Managers, data: st.DataObject, date: str) -> None:
    """Check that a form which has only a request of ``date`` sends the same as one in which it was made."""
    form = FormState(managers[date])
    follow(form, data.draw(steps(date)))
    before = request_of(form)
    shown = {name: getattr(form, name) for name in form.field_names}
    fresh = FormState(managers[date], **before)
    form.manager = fresh.manager = managers[other(date)]
    there = request_of(form)
    assert there == request_of(fresh)
    form.manager = managers[date]
    assert request_of(form) == before
    assert {name: getattr(form, name) for name in form.field_names} == shown
    form.manager = managers[other(date)]
    assert request_of(form) == there
    form.prompt = fresh.prompt = "A heron"
    form.manager = fresh.manager = managers[date]
    assert request_of(form) == request_of(fresh)


@settings(max_examples=15, deadline=None)
@given(data=st.data(), date=st.sampled_from(sorted(CHOICES)))
def test_a_change_sends_what_a_fresh_form_would_send(
    managers: Managers, data: st.DataObject, date: str
) -> None:
    """After a change there, and one back after an edit, a form sends what one with its request only sends."""
    check_changes(managers, data, date)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(data=st.data(), date=st.sampled_from(sorted(CHOICES)))
def test_many_changes_send_what_a_fresh_form_would_send(
    managers: Managers, data: st.DataObject, date: str
) -> None:
    """The same with many more examples."""
    check_changes(managers, data, date)
