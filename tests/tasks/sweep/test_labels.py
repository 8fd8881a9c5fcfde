"""``labels``: the values of a sweep as short texts."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.contract.values import CameraControl
from qingbo_widgets.tasks.sweep.labels import value_text
from qingbo_widgets.widgets.form.request_form import RequestForm

ROLES = ({"url": "https://example.com/a.png", "role": "last_frame"},)
TEXTS: list[tuple[str, Any, str, str]] = [
    ("mode", "pro", "pro, 1080p", "pro，1080p"),
    ("aspect_ratio", "9:16", "9:16, portrait", "9:16，竖屏"),
    ("duration", 5, "5 s", "5 秒"),
    ("duration", 0, "as long as the input video", "与输入视频等长"),
    ("shot_type", "intelligence", "Shot type chosen by the model", "分镜方式 由模型决定"),
    ("camera_control", CameraControl("forward_up"), "Camera Forward and up", "运镜 前进上升"),
    ("camera_control", CameraControl("simple", {"zoom": 5}), "Camera By axis, zoom 5", ""),
    ("image_with_roles", ROLES, "Images with roles Image https://example.com/a.png, Role last frame", ""),
    ("cfg_scale", None, "CFG scale default", ""),
    ("model", "a-model-of-tomorrow", "a-model-of-tomorrow", "a-model-of-tomorrow"),
]


@pytest.mark.parametrize(("name", "value", "text", "_"), TEXTS)
def test_a_value_reads_as_in_the_form(name: str, value: Any, text: str, _: str) -> None:
    """Axes and captions have the labels of choices, also inside objects, not the names of the service."""
    assert value_text(name, value) == text


@pytest.mark.parametrize(("name", "value", "text"), [(one[0], one[1], one[3]) for one in TEXTS if one[3]])
def test_a_value_reads_as_in_the_form_in_chinese(name: str, value: Any, text: str) -> None:
    """The labels are in the language of the form."""
    set_locale("zh")
    assert value_text(name, value) == text


@pytest.mark.parametrize("name", ["mode", "aspect_ratio"])
def test_the_form_offers_the_same_texts(name: str) -> None:
    """A user finds the text of a caption among the options of the form."""
    form = RequestForm(model="kling-v3")
    for text, value in form.controls[name].options:
        assert value_text(name, value) == text, f"the form says {text}"
    form.close()
