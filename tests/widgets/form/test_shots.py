"""The editor of shots and the trait ``shots`` stay in sync."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import Shot
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.form.shot_fields import seconds_text
from qingbo_widgets.widgets.form.shots import ShotsEditor
from tests.widgets.page import below, find, html_of, is_displayed, text_of, tooltip_of


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """Yield a form with a prompt of two sentences and a duration of eight seconds."""
    form = RequestForm(prompt="A koi swims. Light dances.", duration=8)
    yield form
    form.close()


def editor_of(form: RequestForm) -> ShotsEditor:
    """Return the editor below the prompt."""
    editor = form.slots["prompt"].editor
    assert isinstance(editor, ShotsEditor)
    return editor


def shown(form: RequestForm) -> list[tuple[str, int]]:
    """Return the texts and seconds in the rows on the page."""
    return [(row.prompt.value, row.seconds.value) for row in editor_of(form).rows if is_displayed(form, row)]


def bar_of(form: RequestForm) -> str:
    """Return the bar of the seconds, with their problems, as HTML."""
    (bar,) = (part.value for part in find(editor_of(form), ipywidgets.HTML) if "qingbo-bar" in part.value)
    return str(bar)


def test_the_switch_makes_shots_of_the_prompt_and_back(form: RequestForm) -> None:
    """Switching to shots and back loses neither the prompt nor the shots."""
    form.switch.value = True
    assert form.shots == (Shot("A koi swims.", 4), Shot("Light dances.", 4))
    assert form.request == VideoRequest(shots=form.shots)
    form.switch.value = False
    assert form.request == VideoRequest(prompt="A koi swims. Light dances.", duration=8)
    assert form.controls["prompt"].value == "A koi swims. Light dances."
    form.switch.value = True
    editor_of(form).rows[0].prompt.value = "A cat sleeps."
    form.switch.value = False
    form.switch.value = True
    assert shown(form) == [("A cat sleeps.", 4), ("Light dances.", 4)]


def test_the_editor_is_made_when_it_is_first_needed(form: RequestForm) -> None:
    """A form with a single prompt has no widgets of the shots editor."""
    assert form.slots["prompt"].children == ()
    form.shots = [("One", 5), ("Two", 5)]
    assert len(form.slots["prompt"].children) == 1


def test_setting_the_trait_moves_the_rows(form: RequestForm) -> None:
    """Setting the trait to more or fewer shots updates the rows."""
    form.shots = [("One", 5), ("Two", 4), ("Three", 3)]
    assert form.switch.value
    assert shown(form) == [("One", 5), ("Two", 4), ("Three", 3)]
    form.shots = [("Two", 4), ("One", 5)]
    assert shown(form) == [("Two", 4), ("One", 5)]
    form.shots = ()
    assert not form.switch.value
    assert form.slots["prompt"].layout.display == "none"


def test_typing_changes_the_trait(form: RequestForm) -> None:
    """Typing in a row changes only its own shot in the trait."""
    form.shots = [("One", 5), ("Two", 4)]
    row = editor_of(form).rows[1]
    row.prompt.value = "镜头拉远"
    row.seconds.value = 7
    assert form.shots == (Shot("One", 5), Shot("镜头拉远", 7))
    assert "4 / 2500" in html_of(row)


@pytest.mark.parametrize(
    ("button", "at", "left"),
    [
        ("up", 1, [("Two", 4), ("One", 5), ("Three", 3)]),
        ("down", 1, [("One", 5), ("Three", 3), ("Two", 4)]),
        ("split", 0, [("One", 3), ("", 2), ("Two", 4), ("Three", 3)]),
        ("duplicate", 2, [("One", 5), ("Two", 4), ("Three", 3), ("Three", 3)]),
        ("remove", 0, [("Two", 4), ("Three", 3)]),
    ],
)
def test_each_button_does_what_it_says(
    form: RequestForm, button: str, at: int, left: list[tuple[str, int]]
) -> None:
    """Each button changes the trait and the rows."""
    form.shots = [("One", 5), ("Two", 4), ("Three", 3)]
    editor_of(form).rows[at].buttons[button].click()
    assert form.shots == tuple(Shot(*shot) for shot in left)
    assert shown(form) == left


def test_no_button_leads_out_of_the_limits(form: RequestForm) -> None:
    """The buttons respect two to six shots; the first cannot move up, nor the last down."""
    form.shots = [("One", 1), ("Two", 5)]
    first, last = editor_of(form).rows
    assert first.buttons["up"].disabled
    assert last.buttons["down"].disabled
    assert first.buttons["split"].disabled
    assert first.buttons["remove"].disabled
    for _ in range(4):
        editor_of(form).add_button.click()
    assert len(form.shots) == 6
    assert editor_of(form).add_button.disabled
    assert last.buttons["duplicate"].disabled
    assert last.buttons["split"].disabled


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_duration_is_that_of_the_shots(monkeypatch: pytest.MonkeyPatch, contract: str) -> None:
    """The control shows the length of the video, and the chosen one again after the switch is turned off."""
    monkeypatch.setenv("QINGBO_CONTRACT", contract)
    form = RequestForm(model="kling-v3", prompt="A koi", duration=3)
    control = form.controls["duration"]
    assert form.switch is not None
    form.switch.value = True
    assert form.shots_field is not None
    form.shots_field.write(form, (Shot("A koi", 3), Shot("Light dances", 4)))
    assert (control.value, control.disabled) == (7, True), "the control shows what is not sent"
    assert form.request.seconds == 7
    form.shots_field.write(form, (Shot("A koi", 9), Shot("Light dances", 9)))
    assert (control.value, form.request.seconds) == (18, 18), "more than any choice"
    form.switch.value = False
    assert (control.value, control.disabled, form.duration) == (3, False, 3)
    form.close()


def test_the_seconds_are_shown_as_text_and_as_a_bar(form: RequestForm) -> None:
    """The text and the bar show the seconds of each shot and the rest of 15 s."""
    form.shots = [("One", 5), ("Two", 4)]
    assert seconds_text(form.shots, 15) == "9 of 15 s, 6 s left"
    assert "9 of 15 s, 6 s left" in text_of(below(form, form.controls["prompt"]))
    bar = bar_of(form)
    assert [text in bar for text in ("1: 5 s", "2: 4 s", "6 s left", "flex:6 1 0")] == [True] * 4
    form.shots = [("One", 10), ("Two", 7)]
    assert "2 s too many" in text_of(below(form, form.controls["prompt"]))
    assert "qingbo-alarm" in bar_of(form)


def test_a_problem_is_shown_below_its_shot(form: RequestForm) -> None:
    """A problem is shown below its shot, and an empty shot gets advice."""
    form.shots = [("One", 5), ("", 0)]
    first, second = editor_of(form).rows
    assert "alarm" not in html_of(first)
    assert "Write what this shot shows" in html_of(second)
    assert "at least 1" in html_of(second)
    assert form.obstacle == "Fix first: Shot 2."
    form.shots = [("x" * 600, 5), ("Two", 5)]
    assert "600 characters" in html_of(first)
    assert form.obstacle == ""


def test_another_model_shows_the_prompt_again_and_keeps_the_shots(form: RequestForm) -> None:
    """Another model hides the shots and keeps them; the switch keeps its space."""
    form.shots = [("One", 5), ("Two", 5)]
    form.model = "kling-v1"
    assert form.switch.layout.visibility == "hidden"
    assert form.controls["prompt"].layout.display is None
    assert form.slots["prompt"].layout.display == "none"
    assert form.request.prompt == "A koi swims. Light dances."
    form.model = "kling-v3"
    assert form.request.shots == (Shot("One", 5), Shot("Two", 5))


@pytest.mark.parametrize(
    "odd", ["A koi", [("One", 5), "Two"], [("One", "five"), (None, 2)], 7, [("x", float("nan"))]]
)
def test_any_value_set_in_code_is_shown_with_its_problems(form: RequestForm, odd: Any) -> None:
    """Invalid shots set in code are shown unchanged with their problems, without an exception."""
    form.shots = odd
    kept = form.shots
    assert "shots" in {problem.field for problem in form.problems}
    assert form.shots is kept
    assert form.switch.value


def test_hostile_text_never_becomes_markup(form: RequestForm) -> None:
    """Hostile text is escaped in notes."""
    hostile = "<script>alert(1)</script>"
    form.shots = [hostile, (hostile, hostile)]  # type: ignore[list-item]  # the mistake
    assert "qingbo-alarm" in html_of(editor_of(form))
    assert "<script" not in html_of(form)


def test_fixed_shots_can_be_read_and_not_changed() -> None:
    """Fixed shots are shown with disabled controls."""
    form = RequestForm(fixed={"shots": [("One", 5), ("Two", 5)]})
    editor = editor_of(form)
    assert form.switch.disabled
    assert editor.add_button.disabled
    assert all(row.prompt.disabled and row.seconds.disabled for row in editor.rows)
    assert all(button.disabled for row in editor.rows for button in row.buttons.values())
    form.close()


def test_every_control_has_a_name_and_an_explanation(form: RequestForm) -> None:
    """Every control has a tooltip and a name, which includes the number of the shot in rows."""
    form.shots = [("One", 5), ("Two", 5)]
    editor = editor_of(form)
    controls = [form.switch, editor.add_button]
    for row in editor.rows:
        controls += [row.prompt, row.seconds, *row.buttons.values()]
    assert all(control.description and tooltip_of(control) for control in controls)
    assert [row.prompt.description for row in editor.rows] == ["Shot 1", "Shot 2"]


@pytest.mark.slow
def test_it_closes_with_all_its_rows(live_widgets: Callable[[], int]) -> None:
    """Closing the form also closes rows that are no longer on the page."""
    gc.collect()
    before = live_widgets()
    form = RequestForm(shots=[("One", 2)] * 6)
    form.shots = form.shots[:2]
    form.close()
    assert live_widgets() == before
