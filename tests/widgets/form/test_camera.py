"""The camera editor and the trait ``camera_control`` stay in sync."""

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
    """Yield a form for a model that takes a camera, with the panel open."""
    form = RequestForm(model="kling-v1-6", prompt="A koi")
    form.panels.buttons["camera"].value = True
    yield form
    form.close()


def editor_of(form: RequestForm) -> CameraEditor:
    """Return the editor in its panel."""
    editor = form.panels.editor("camera")
    assert isinstance(editor, CameraEditor)
    return editor


def chosen(form: RequestForm) -> list[str | None]:
    """Return the pressed choices."""
    return [kind for kind, choice in editor_of(form).choices.items() if choice.value]


def ends(picture: str) -> list[str]:
    """Return the end transform of each layer of a landscape, far to near."""
    return re.findall(r"--qingbo-to: ([^\"]*)\"", picture)


def kinds() -> list[str | None]:
    """Return the possible choices: no camera, or a type of the service."""
    return [None, *declared()["camera_control"].choices]


def preview(editor: CameraEditor) -> Any:
    """Return the widget of the animated landscape."""
    (part,) = (part for part in find(editor, ipywidgets.HTML) if "qingbo-landscape" in part.value)
    return part


def test_every_choice_and_axis_of_the_service_is_offered(form: RequestForm) -> None:
    """Every choice and axis of the service is offered, and each choice has its own icon."""
    editor = editor_of(form)
    assert set(editor.choices) == set(kinds())
    assert set(camera_view.PRESETS) == set(declared()["camera_control"].choices) - {"simple"}
    drawn = re.findall('<svg class="qingbo-icon".*?</svg>', html_of(editor), re.DOTALL)
    assert set(drawn) == {camera_view.icon(kind) for kind in kinds()}
    assert len(set(drawn)) == len(drawn) == len(editor.choices)
    editor.choices["simple"].value = True
    described = declared()["camera_control"]
    assert list(editor.numbers) == [part for part in described.labels if part not in described.choices]
    for axis, number in editor.numbers.items():
        assert f"({axis})" in number.description


def test_the_editor_is_made_when_its_panel_is_first_opened() -> None:
    """Until its panel opens, the editor is one button that shows the current choice."""
    form = RequestForm(model="kling-v1-6", camera_control="forward_up")
    assert len(form.panels.children) == 2
    assert form.panels.buttons["camera"].description == "Camera: Forward and up"
    form.panels.buttons["camera"].value = True
    assert chosen(form) == ["forward_up"]
    form.close()


@pytest.mark.parametrize("kind", camera_view.PRESETS)
def test_a_preset_is_one_press(form: RequestForm, kind: str) -> None:
    """Pressing a preset sets the trait and releases the others; pressing it again changes nothing."""
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
    """The editor shows the trait in every notation that a request accepts."""
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
    """Zero axes are omitted except the last one, and the buttons stop at the limits."""
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
    """Trying a preset does not lose the axis values."""
    editor = editor_of(form)
    form.camera_control = CameraControl("simple", {"roll": 4})
    editor.choices["forward_up"].value = True
    editor.choices["simple"].value = True
    assert form.camera_control == CameraControl("simple", {"roll": 4})


def test_more_than_one_axis_is_a_warning_and_no_problem(form: RequestForm) -> None:
    """More than one axis gives a warning, because Kling expects one but the service accepts more."""
    form.camera_control = CameraControl("simple", {"roll": 4, "zoom": 1})
    assert form.problems == ()
    assert "2 axes are set" in text_of(editor_of(form))
    form.panels.buttons["camera"].value = False
    assert "2 axes are set" in form.panels.message.value


def test_a_number_out_of_range_is_a_problem(form: RequestForm) -> None:
    """A number out of range is kept as typed and reported as a problem."""
    editor_of(form).choices["simple"].value = True
    editor_of(form).numbers["pan"].value = 12
    assert form.camera_control == CameraControl("simple", {"pan": 12})
    assert "-10 to 10" in text_of(editor_of(form))
    assert form.panels.buttons["camera"].description == "Camera (1 error)"


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
def test_any_value_set_in_code_is_shown_with_its_problems(form: RequestForm, odd: Any) -> None:
    """Invalid values set in code are shown with their problems, without an exception."""
    form.camera_control = odd
    assert "camera_control" in {problem.field for problem in form.problems}
    assert "qingbo-alarm" in html_of(editor_of(form))


def test_a_camera_of_another_type_is_named_as_it_was_written(form: RequestForm) -> None:
    """The keys of a dictionary stay as they are in code; they are not labels of the form."""
    form.camera_control = {"pan": 3, "zoom": 2}
    assert "{'pan': 3, 'zoom': 2} is not a camera movement" in text_of(form)


def test_the_picture_goes_the_other_way_than_the_camera() -> None:
    """Rotating right shifts all layers left equally; moving right shifts near layers most."""
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
    """The preview restarts only for a new choice, and has a text alternative."""
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


def test_the_preview_can_be_stopped_and_respects_reduced_motion(form: RequestForm) -> None:
    """The button and the system's reduced-motion setting stop the animation."""
    editor = editor_of(form)
    form.camera_control = "forward_up"
    editor.pause_button.value = True
    assert "qingbo-paused" in classes_of(preview(editor))
    assert editor.pause_button.description == "Play"
    editor.pause_button.value = False
    assert "qingbo-paused" not in classes_of(preview(editor))
    assert "prefers-reduced-motion:reduce" in camera_view.CSS


def test_no_picture_contains_a_script_or_makes_a_request() -> None:
    """No picture contains a script or a URL to load."""
    pictures = [camera_view.icon(kind) for kind in kinds()]
    pictures += [camera_view.landscape(axes, '"><script>') for axes in camera_view.PRESETS.values()]
    for picture in pictures:
        assert not re.search(r"<script|href|url\(|http|\son\w+=", picture)


def test_a_fixed_camera_can_be_seen_and_not_changed() -> None:
    """A fixed camera is shown with disabled controls."""
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
    """Every control of the editor has a unique name and a tooltip."""
    form.camera_control = CameraControl("simple", {"zoom": 5})
    editor = editor_of(form)
    controls = [*editor.choices.values(), *editor.numbers.values(), editor.pause_button]
    controls += find(editor, ipywidgets.Button)
    assert len(controls) == len(kinds()) + 3 * len(editor.numbers) + 1
    names = [control.description for control in controls]
    assert len(set(names)) == len(names)
    assert all(tooltip_of(control) for control in controls)


@pytest.mark.slow
def test_it_closes_with_all_its_parts(live_widgets: Callable[[], int]) -> None:
    """Closing the form closes every part of the editor."""
    gc.collect()
    before = live_widgets()
    form = RequestForm(model="kling-v1-6", camera_control=CameraControl("simple", {"zoom": 5}))
    form.panels.buttons["camera"].value = True
    form.close()
    assert live_widgets() == before
