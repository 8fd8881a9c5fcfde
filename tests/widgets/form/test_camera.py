"""The editor of the camera and the trait ``camera_control`` are the same thing seen from two sides."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.service.contract.models import declared
from qingbo_widgets.service.contract.values import CameraControl
from qingbo_widgets.widgets.form import camera_preview as camera_view
from qingbo_widgets.widgets.form.camera import CameraEditor
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import (
    box_of,
    buttons_of,
    classes_of,
    click,
    find,
    html_of,
    is_displayed,
    text_of,
    tooltip_of,
)


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """A form for the model that takes a camera, with the panel open."""
    form = RequestForm(model="kling-v1-6", prompt="A koi")
    form.panels.buttons["camera"].value = True
    yield form
    form.close()


def editor_of(form: RequestForm) -> CameraEditor:
    """The editor in its panel."""
    editor = form.panels.editor("camera")
    assert isinstance(editor, CameraEditor)
    return editor


def chosen(form: RequestForm) -> list[str | None]:
    """The choices that are pressed."""
    return [kind for kind, choice in editor_of(form).choices.items() if choice.value]


def ends(picture: str) -> list[str]:
    """Where the animation leads each layer of a landscape, far to near."""
    return re.findall(r"--qingbo-to: ([^\"]*)\"", picture)


def kinds() -> list[str | None]:
    """What can be chosen: no camera at all, or what the service offers."""
    return [None, *declared()["camera_control"].choices]


def preview(editor: CameraEditor) -> Any:
    """The landscape that moves."""
    (part,) = (part for part in find(editor, ipywidgets.HTML) if "qingbo-landscape" in part.value)
    return part


def test_every_choice_and_axis_of_the_service_is_offered(form: RequestForm) -> None:
    """And has words, a picture and a tooltip."""
    editor = editor_of(form)
    assert set(editor.choices) == set(kinds())
    assert set(camera_view.PRESETS) == set(declared()["camera_control"].choices) - {"simple"}
    drawn = re.findall('<svg class="qingbo-icon".*?</svg>', html_of(editor), re.DOTALL)
    assert set(drawn) == {camera_view.icon(kind) for kind in kinds()}
    assert len(set(drawn)) == len(drawn) == len(editor.choices)
    editor.choices["simple"].value = True
    assert list(editor.numbers) == list(declared()["camera_control"].labels)
    for axis, number in editor.numbers.items():
        assert f"({axis})" in number.description


def test_the_editor_is_made_when_its_panel_is_first_opened() -> None:
    """Until then it is one button, which says what is chosen all the same."""
    form = RequestForm(model="kling-v1-6", camera_control="forward_up")
    assert len(form.panels.children) == 2
    assert form.panels.buttons["camera"].description == "Camera: Forward and up"
    form.panels.buttons["camera"].value = True
    assert chosen(form) == ["forward_up"]
    form.close()


@pytest.mark.parametrize("kind", camera_view.PRESETS)
def test_a_preset_is_one_press(form: RequestForm, kind: str) -> None:
    """To the trait; the others are let go; pressing again changes nothing; and away with it."""
    assert chosen(form) == [None]
    editor_of(form).choices[kind].value = True
    assert form.camera_control == CameraControl(kind)
    assert chosen(form) == [kind]
    editor_of(form).choices[kind].value = False
    assert chosen(form) == [kind]
    editor_of(form).choices[None].value = True
    assert form.camera_control is None
    assert chosen(form) == [None]


def test_setting_the_trait_moves_the_editor(form: RequestForm) -> None:
    """In every form that a request takes."""
    form.camera_control = "down_back"
    assert chosen(form) == ["down_back"]
    form.camera_control = {"type": "simple", "config": {"zoom": 5, "pan": -2.5}}
    assert chosen(form) == ["simple"]
    assert {axis: number.value for axis, number in editor_of(form).numbers.items() if number.value} == {
        "zoom": 5,
        "pan": -2.5,
    }
    form.camera_control = None
    assert chosen(form) == [None]


def test_axes_are_set_by_number_and_by_button(form: RequestForm) -> None:
    """What is zero is left out, but for the last; the buttons stop at the ends."""
    editor = editor_of(form)
    editor.choices["simple"].value = True
    assert form.camera_control == CameraControl("simple", {"zoom": 0})
    editor.numbers["tilt"].value = 3
    assert form.camera_control == CameraControl("simple", {"tilt": 3})
    row = box_of(editor, editor.numbers["tilt"])
    assert buttons_of(row) == ["Look left", "Look right"]
    click(row, "Look left")
    assert form.camera_control == CameraControl("simple", {"tilt": 2})
    for _ in range(12):
        click(row, "Look right")
    assert form.camera_control == CameraControl("simple", {"tilt": 10})
    editor.numbers["tilt"].value = 0
    assert form.camera_control == CameraControl("simple", {"tilt": 0})


def test_the_axes_are_kept_while_a_preset_is_tried(form: RequestForm) -> None:
    """Looking at another choice costs nothing."""
    editor = editor_of(form)
    form.camera_control = CameraControl("simple", {"roll": 4})
    editor.choices["forward_up"].value = True
    editor.choices["simple"].value = True
    assert form.camera_control == CameraControl("simple", {"roll": 4})


def test_more_than_one_axis_is_a_warning_and_no_problem(form: RequestForm) -> None:
    """Kling wants one; the service takes more."""
    form.camera_control = CameraControl("simple", {"roll": 4, "zoom": 1})
    assert form.problems == ()
    assert "2 axes differ from zero" in text_of(editor_of(form))
    form.panels.buttons["camera"].value = False
    assert "2 axes differ from zero" in form.panels.message.value


def test_a_number_out_of_range_is_told_of(form: RequestForm) -> None:
    """It can be typed, and is not changed behind one's back."""
    editor_of(form).choices["simple"].value = True
    editor_of(form).numbers["pan"].value = 12
    assert form.camera_control == CameraControl("simple", {"pan": 12})
    assert "-10 to 10" in text_of(editor_of(form))
    assert form.panels.buttons["camera"].description == "Camera (1 to mend)"


@pytest.mark.parametrize(
    "odd",
    [
        CameraControl("orbit"),
        CameraControl("simple"),
        CameraControl("simple", {"zoom": "far", "spin": 3, "pan": float("nan"), "roll": float("inf")}),  # type: ignore[dict-item]  # the mistake
        CameraControl("forward_up", {"zoom": 1}),
        {"kind": "orbit"},
        CameraControl(["simple"]),  # type: ignore[arg-type]  # the mistake
        7,
    ],
)
def test_whatever_code_sets_is_shown_with_its_problems(form: RequestForm, odd: Any) -> None:
    """Nothing raises."""
    form.camera_control = odd
    assert "camera_control" in {problem.field for problem in form.problems}
    assert "qingbo-alarm" in html_of(editor_of(form))


def test_the_picture_goes_the_other_way_than_the_camera() -> None:
    """Looking right shifts everything to the left alike; moving right shifts what is near the most."""
    far, *_, near = (
        re.search(r"translate\((.*?)px", end)[1]  # type: ignore[index]
        for end in ends(camera_view.landscape({"tilt": 5}, ""))
    )
    assert float(far) == float(near) < 0
    far, *_, near = (
        re.search(r"translate\((.*?)px", end)[1]  # type: ignore[index]
        for end in ends(camera_view.landscape({"horizontal": 5}, ""))
    )
    assert float(near) < float(far) < 0
    assert all("rotate(-22.00deg)" in end for end in ends(camera_view.landscape({"roll": 10}, "")))
    assert all("scale(1.900) translate" in end for end in ends(camera_view.landscape({"zoom": -10}, "")))


def test_the_preview_shows_what_is_chosen_and_only_when_it_changes(form: RequestForm) -> None:
    """Other news of the form do not start it again; who cannot see it reads it."""
    form.camera_control = CameraControl("simple", {"tilt": -4})
    editor = editor_of(form)
    assert 'aria-label="Look left: 4"' in preview(editor).value
    assert is_displayed(form, editor.pause_button)
    seen: list[Any] = []
    preview(editor).observe(seen.append, "value")
    form.prompt = "A cat"
    assert seen == []
    form.camera_control = None
    assert not is_displayed(form, editor.pause_button)
    assert not any("qingbo-landscape" in part.value for part in find(form, ipywidgets.HTML))


def test_the_preview_can_be_stopped_and_asks_nothing_of_who_wants_no_motion(form: RequestForm) -> None:
    """By its button, and by the system's setting."""
    editor = editor_of(form)
    form.camera_control = "forward_up"
    editor.pause_button.value = True
    assert "qingbo-paused" in classes_of(preview(editor))
    assert editor.pause_button.description == "Play"
    editor.pause_button.value = False
    assert "qingbo-paused" not in classes_of(preview(editor))
    assert "prefers-reduced-motion: reduce" in camera_view.CSS


def test_no_picture_contains_a_script_or_asks_for_anything() -> None:
    """Drawn in the notebook, whatever is chosen."""
    pictures = [camera_view.icon(kind) for kind in kinds()]
    pictures += [camera_view.landscape(axes, '"><script>') for axes in camera_view.PRESETS.values()]
    for picture in pictures:
        assert not re.search(r"<script|href|url\(|http|\son\w+=", picture)


def test_a_fixed_camera_can_be_seen_and_not_changed() -> None:
    """A form for a class."""
    form = RequestForm(model="kling-v1-6", fixed={"camera_control": CameraControl("simple", {"zoom": 5})})
    form.panels.buttons["camera"].value = True
    editor = editor_of(form)
    assert all(choice.disabled for choice in editor.choices.values())
    assert all(number.disabled for number in editor.numbers.values())
    steppers = find(editor, ipywidgets.Button)
    assert len(steppers) == 2 * len(editor.numbers)
    assert all(stepper.disabled for stepper in steppers)
    form.close()


def test_every_control_has_a_name_of_its_own_and_an_explanation(form: RequestForm) -> None:
    """No two buttons of the editor are called the same."""
    form.camera_control = CameraControl("simple", {"zoom": 5})
    editor = editor_of(form)
    controls = [*editor.choices.values(), *editor.numbers.values(), editor.pause_button]
    controls += find(editor, ipywidgets.Button)
    assert len(controls) == len(kinds()) + 3 * len(editor.numbers) + 1
    names = [control.description for control in controls]
    assert len(set(names)) == len(names)
    assert all(tooltip_of(control) for control in controls)


def test_it_closes_with_all_its_parts(live_widgets: Callable[[], int]) -> None:
    """Nothing stays."""
    gc.collect()
    before = live_widgets()
    form = RequestForm(model="kling-v1-6", camera_control=CameraControl("simple", {"zoom": 5}))
    form.panels.buttons["camera"].value = True
    form.close()
    assert live_widgets() == before
