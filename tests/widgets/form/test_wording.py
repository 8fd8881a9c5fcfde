"""Problems in the words of the form: the labels of its controls, and calm about what was just added."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qingbo_widgets.i18n import set_locale
from qingbo_widgets.library.library import Library
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.problem import Problem
from qingbo_widgets.service.contract.values import CameraControl
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.form.wording import problem_lines, with_labels
from tests.widgets.page import html_of, text_of

URL = "https://a.example/koi.png"
ELEMENT = {"name": "koi", "description": "a fish", "element_input_urls": (URL, URL)}


@pytest.fixture
def form(tmp_path: Path) -> Iterator[RequestForm]:
    """Yield a new form of contract 2026-11."""
    client = Client("sk-test", "http://127.0.0.1:9/v1", contract="2026-11")
    with TaskManager(client, Library(tmp_path)) as manager:
        form = RequestForm(manager, prompt="A koi")
        yield form
        form.close()


def test_a_new_element_does_not_shout(form: RequestForm) -> None:
    """A row names what it still needs, at first in one line; neither that nor the rest is an alarm."""
    button, elements = form.panels.buttons["elements"], form.panels.editor("elements")
    button.value = True
    elements.add_button.click()
    (row,) = elements.rows
    assert text_of(row) == "Required: Name, Description, Pictures."
    assert "alarm" not in html_of(row)
    assert button.description == "Elements: 1"
    assert form.obstacle == "Fix first: Elements."
    row.controls["name"].value = "koi"
    row.controls["element_input_urls"].value = URL
    assert text_of(row) == (
        "Description: it is required; try 'a small red robot'. Pictures: 1 given, but kling-v3 takes 2 to 4."
    )
    assert "alarm" not in html_of(row)
    assert button.description == "Elements: 1"
    button.value = False
    assert button.description == "Elements (2 errors)"


def test_a_closed_panel_says_where_the_problem_is(form: RequestForm) -> None:
    """Below the buttons, a problem begins with the labels of the panel, the row and the control."""
    form.element_list = (ELEMENT, {"name": "koi"})
    message = text_of(form.panels.message)
    assert "Elements 2, Description: it is required" in message
    assert "element_list" not in message
    form.element_list = (ELEMENT, {})
    assert text_of(form.panels.message) == "Elements 2: Required: Name, Description, Pictures."
    assert form.panels.buttons["elements"].description == "Elements (1 error)"


@pytest.mark.parametrize(
    ("fields", "obstacle"),
    [
        ({"image_urls": ("ftp://a",)}, "First frame"),
        ({"image_urls": ("ftp://a", URL)}, "First frame"),
        ({"image_urls": (URL, "ftp://a")}, "Last frame"),
        ({"model": "kling-3.0-turbo", "image_urls": ("ftp://a",)}, "Image"),
        ({"model": "kling-v3-omni", "image_urls": ("ftp://a",)}, "<<<image_1>>>"),
        ({"model": "kling-v3-omni", "action": "edit"}, "Input video"),
        ({"model": "kling-v3-omni", "image_with_roles": ({},)}, "Images with roles"),
        ({"multi_shot": True}, "Shot type"),
        (
            {"multi_shot": True, "shot_type": "customize", "multi_prompt": ({"prompt": "", "duration": 5},)},
            "Shot 1",
        ),
        ({"callback_url": "a"}, "Callback URL"),
    ],
)
def test_the_obstacle_names_what_is_on_the_page(
    form: RequestForm, fields: dict[str, object], obstacle: str
) -> None:
    """Beside Generate stand the labels that the form shows at that moment."""
    form.load({"prompt": "A koi", "model": "kling-v3", **fields})
    assert form.obstacle == f"Fix first: {obstacle}."


def test_names_inside_a_sentence_are_labels_too(form: RequestForm) -> None:
    """A sentence about another field has its label; a value in quotes stays as it is."""
    form.load({"model": "kling-v3", "prompt": "A koi", "multi_shot": True})
    ((text, kind),) = problem_lines(form, "multi_shot", form.problems)
    assert text == (
        "Multi-shot needs Shot type too; set it (for example Shot type 'as listed'), or leave Multi-shot out."
    )
    assert kind == "alarm"
    quoted = Problem(
        "prompt", "prompt: 'image_urls' is a text, image_urls the model's, a.image_urls neither."
    )
    ((text, _),) = problem_lines(form, "prompt", (quoted,))
    assert text == "'image_urls' is a text, Images the model's, a.image_urls neither."


def test_a_picture_with_a_problem_is_named_as_its_line(form: RequestForm) -> None:
    """A problem of the second of two images names the last frame."""
    form.image_urls = (URL, f"{URL}?2")
    problem = Problem("image_urls", "image_urls, number 2: too small.", 2)
    assert problem_lines(form, "image_urls", (problem,)) == [("Last frame: too small.", "alarm")]


def test_the_form_of_april_has_labels_too() -> None:
    """The camera and the masks of April are named as their panels."""
    form = RequestForm(model="kling-v1-6", prompt="A koi", static_mask="nonsense")
    form.camera_control = CameraControl("simple", {"zoom": 99})
    assert form.obstacle == "Fix first: Camera, Motion brush."
    message = text_of(form.panels.message)
    assert "Static mask: " in message
    assert "needs an input image; put one into Image" in message
    form.close()


def test_labels_are_translated(form: RequestForm) -> None:
    """In Chinese, messages have the Chinese labels."""
    try:
        set_locale("zh")
        chinese = RequestForm(form.manager, prompt="A koi", element_list=({},))
        assert text_of(chinese.panels.message) == "主体 1：必填：名称、描述、图片。"
        chinese.element_list = ({"name": "robot"},)
        assert "主体 1、描述：必填" in text_of(chinese.panels.message), "a member has its name in code"
        chinese.close()
    finally:
        set_locale(None)


def test_a_chinese_label_has_no_blanks_around_it() -> None:
    """A name in code has blanks around it, the label that replaces it only beside Latin words."""
    form = RequestForm(model="kling-v1-6", prompt="A koi")
    set_locale("zh")
    try:
        text = with_labels(form, "不能与 camera_control 和 dynamic_masks 同时使用，'a camera_control b'")
        assert text == "不能与运镜和动态蒙版同时使用，'a camera_control b'"
    finally:
        set_locale(None)
        form.close()
