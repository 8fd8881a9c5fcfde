"""Masks given as JSON and drawn on the image stay in sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qingbo_widgets.service.contract.values import DynamicMask
from qingbo_widgets.widgets.form.mask_points import points_in, points_text
from qingbo_widgets.widgets.form.masks import MasksEditor
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import displayed, displayed_html, send

URL = "https://example.com/koi.png"
MASK = "https://example.com/mask.png"
PATH = ((120, 80), (300, 200))


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """Yield a form with an image for a model that takes masks, with the panel open."""
    form = RequestForm(model="kling-v1-6", prompt="A koi", image_urls=URL)
    form.panels.buttons["masks"].value = True
    yield form
    form.close()


@pytest.fixture
def editor(form: RequestForm) -> MasksEditor:
    """Return the masks editor of the form."""
    editor: MasksEditor = form.panels.editor("masks")
    return editor


@pytest.mark.parametrize(
    "text",
    [
        "[[120, 80], [300, 200]]",
        "[[120,80],[300,200]],",
        '[{"x": 120, "y": 80}, {"x": 300, "y": 200}]',
        '"trajectories": [{"x": 120, "y": 80}, {"x": 300, "y": 200}]',
        '{"mask_url": "https://example.com/mask.png", "trajectories": [[120, 80], {"x": 300, "y": 200}]}',
    ],
)
def test_a_path_is_read_in_every_form(text: str) -> None:
    """A path is parsed as a list, or in the service's own notation."""
    assert points_in(text) == PATH


@pytest.mark.parametrize(
    "text",
    ["[[1, 2], [3]]", "[1, 2]", "A koi", "[[1, 2]", '[["1", 2]]', "[[true, 2]]", '{"x": 1}', "[" * 99_999],
)
def test_text_that_is_not_a_path_is_refused(text: str) -> None:
    """Text that is not a path raises ValueError, with our message or the JSON parser's."""
    with pytest.raises((ValueError, RecursionError)):
        points_in(text)


def test_a_path_is_written_as_it_is_read() -> None:
    """Formatting a path and parsing it gives the same path."""
    assert points_in(points_text(PATH)) == PATH
    assert points_text(()) == ""
    assert points_in("  ") == ()


def test_the_editor_is_made_when_it_is_opened() -> None:
    """The masks editor is created when its panel opens, and other models do not offer the panel."""
    form = RequestForm(model="kling-v1-6")
    assert form.panels.buttons["masks"] in displayed(form)
    assert not any(isinstance(part, MasksEditor) for part in form.panels.children)
    form.model = "kling-v3"
    assert form.panels.buttons["masks"] not in displayed(form)
    form.close()


def test_a_mask_is_added_filled_in_and_removed(form: RequestForm, editor: MasksEditor) -> None:
    """Adding, editing and removing a mask in the controls changes the field."""
    editor.add.click()
    editor.add.click()
    first, second = editor.rows
    second.url.value = f" {MASK} "
    second.path.value = "[[120, 80], [300, 200]]"
    assert form.dynamic_masks == (DynamicMask("", ()), DynamicMask(MASK, PATH))
    first.remove.click()
    assert form.dynamic_masks == (DynamicMask(MASK, PATH),)  # type: ignore[comparison-overlap]  # mypy misses the click
    assert form.problems == ()
    assert (first.url.value, first.path.value) == (MASK, "[[120, 80], [300, 200]]")
    assert first in displayed(editor)
    assert second not in displayed(editor)


def test_masks_set_in_code_are_shown(form: RequestForm, editor: MasksEditor) -> None:
    """Masks set in code are shown in the controls."""
    form.static_mask = MASK
    form.dynamic_masks = [DynamicMask(MASK, PATH)]
    assert editor.static.value == MASK
    assert [row.path.value for row in editor.rows] == ["[[120, 80], [300, 200]]"]
    assert form.panels.buttons["masks"].description == "Motion brush: 2"
    editor.static.value = ""
    assert form.static_mask is None


def test_there_are_at_most_six(form: RequestForm, editor: MasksEditor) -> None:
    """The button is disabled at six masks."""
    for _ in range(6):
        assert not editor.add.disabled
        editor.add.click()
    assert editor.add.disabled


def test_a_problem_is_shown_below_its_mask(form: RequestForm, editor: MasksEditor) -> None:
    """A problem is shown only below its own mask."""
    form.dynamic_masks = [DynamicMask(MASK, PATH), DynamicMask(MASK, ((1, 2),))]
    assert "at least 2 points" not in editor.rows[0].note.value
    assert "Draw its path: at least 2 points." in editor.rows[1].note.value
    assert form.panels.buttons["masks"].description == "Motion brush: 2", "an unfinished mask is a mistake"
    form.panels.buttons["masks"].value = False
    assert form.panels.buttons["masks"].description == "Motion brush (1 error)"
    assert "Dynamic mask 2: Draw its path: at least 2 points." in form.panels.message.value
    form.panels.buttons["masks"].value = True
    form.dynamic_masks = [DynamicMask(MASK, PATH), DynamicMask("koi", PATH)]
    assert "alarm" not in editor.rows[0].note.value
    assert "alarm" in editor.rows[1].note.value
    assert "number" not in editor.rows[1].note.value
    assert form.panels.buttons["masks"].description == "Motion brush (1 error)"


def test_a_path_that_cannot_be_read_yet_stays(form: RequestForm, editor: MasksEditor) -> None:
    """Text that cannot be parsed yet stays, and the last valid path counts."""
    form.dynamic_masks = [DynamicMask(MASK, PATH)]
    row = editor.rows[0]
    row.path.value = "[[120, 80], [300, 200"
    assert "not a list of points" in row.note.value
    form.prompt = "A fox"
    assert row.path.value == "[[120, 80], [300, 200"
    assert form.dynamic_masks[0].trajectories == PATH
    row.path.value = "[[120, 80], [300, 201]]"
    assert "not a list of points" not in row.note.value
    assert form.dynamic_masks[0].trajectories == ((120, 80), (300, 201))


def test_a_click_on_the_image_is_a_point_of_the_path(form: RequestForm, editor: MasksEditor) -> None:
    """A click on the image adds a point to the field and the JSON, and leaves other paths unchanged."""
    canvas: Any = editor.drawing.canvas
    assert canvas in displayed(editor)
    assert canvas.source == URL
    form.dynamic_masks = [DynamicMask(MASK, PATH), DynamicMask(MASK, ())]
    assert canvas.paths == [[[120, 80], [300, 200]], []]
    assert canvas.offered == [0, 1, 2, 3]
    canvas.set_state({"active": 2})
    canvas.set_state({"paths": [[[120, 80], [300, 200]], [[5, 6]]]})
    assert form.dynamic_masks == (DynamicMask(MASK, PATH), DynamicMask(MASK, ((5, 6),)))
    assert editor.rows[1].path.value == "[[5, 6]]"


def test_the_first_point_of_a_new_path_is_a_new_mask(form: RequestForm, editor: MasksEditor) -> None:
    """The canvas offers the next mask, and a path on it adds the mask; at six there is no next one."""
    canvas: Any = editor.drawing.canvas
    assert canvas.offered == [0, 1]
    canvas.set_state({"paths": [[[5, 6]]]})
    assert form.dynamic_masks == (DynamicMask("", ((5, 6),)),)
    assert "Paint the part that moves" in editor.rows[0].note.value
    assert form.obstacle == "Fix first: Motion brush."
    form.dynamic_masks = [DynamicMask(MASK, PATH)] * 6
    assert canvas.offered == [0, 1, 2, 3, 4, 5, 6]


def test_a_mask_with_nothing_in_it_is_none(form: RequestForm, editor: MasksEditor) -> None:
    """A mask that was added, but not filled in, is not sent; it is removed when another one is chosen."""
    editor.add.click()
    assert form.request.dynamic_masks == ()
    assert form.problems == ()
    form.dynamic_masks = [DynamicMask("", ()), DynamicMask(MASK, PATH)]
    assert "is blank" in str(form.problems), "an empty mask before others would be sent"
    canvas: Any = editor.drawing.canvas
    canvas.set_state({"active": 1})
    canvas.set_state({"active": 2})
    assert form.dynamic_masks == (DynamicMask(MASK, PATH),)
    assert canvas.active == 1, "another mask than the chosen one is edited"


def test_fixed_masks_cannot_be_edited() -> None:
    """The canvas does not offer masks that the code has fixed or hidden."""
    form = RequestForm(model="kling-v1-6", image_urls=URL, fixed={"static_mask": MASK})
    form.panels.buttons["masks"].value = True
    assert form.panels.editor("masks").drawing.canvas.offered == [1]
    form.close()


def test_without_an_image_there_is_nothing_to_draw_on(form: RequestForm, editor: MasksEditor) -> None:
    """Without an image the editor shows a hint instead of the canvas."""
    canvas = editor.drawing.canvas
    assert canvas in displayed(editor)
    form.image_urls = ()
    assert canvas not in displayed(editor)
    assert "Choose an image above" in displayed_html(editor)


def test_an_unconnected_form_says_that_it_cannot_paint(form: RequestForm, editor: MasksEditor) -> None:
    """Without a manager there is no folder for a mask: the canvas draws paths only, and a note says why."""
    canvas: Any = editor.drawing.canvas
    assert not canvas.paints
    assert "Connect first" in displayed_html(editor)
    send(canvas, {"kind": "painted", "mask": 0, "width": 2, "height": 1}, buffers=(bytes([0, 2]),))
    assert form.static_mask is None


def test_invalid_masks_are_left_unchanged(form: RequestForm, editor: MasksEditor) -> None:
    """Masks that the editor cannot edit are reported with their problem and left unchanged."""
    form.dynamic_masks = ["A koi"]  # type: ignore[list-item]  # the mistake
    assert "set in code" in displayed_html(editor)
    assert form.dynamic_masks == ("A koi",)  # type: ignore[comparison-overlap]  # the mistake


def test_what_is_typed_never_becomes_markup(form: RequestForm, editor: MasksEditor) -> None:
    """Hostile text is escaped in notes."""
    editor.add.click()
    editor.static.value = editor.rows[0].url.value = '"><img src=x onerror=alert(1)>'
    assert "alarm" in displayed_html(editor)
    assert "<img src=x" not in displayed_html(form)


def test_closing_leaves_nothing(live_widgets: Callable[[], int]) -> None:
    """Closing the form also closes removed rows and the canvas."""
    before = live_widgets()
    form = RequestForm(model="kling-v1-6", image_urls=URL, dynamic_masks=[DynamicMask(MASK, PATH)] * 3)
    form.panels.buttons["masks"].value = True
    form.dynamic_masks = ()
    form.close()
    assert live_widgets() == before
