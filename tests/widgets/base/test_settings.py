"""The settings of a request as its contract sent them, and the short texts of the facts of a card."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets import i18n
from qingbo_widgets.service.contract.examples import example_item, example_of_member
from qingbo_widgets.service.contract.labels import label
from qingbo_widgets.service.contract.models import contracts, models_of
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.schema import Parameter
from qingbo_widgets.service.contract.values import CameraControl, DynamicMask, Shot
from qingbo_widgets.widgets.base.settings import settings_of
from qingbo_widgets.widgets.form.labels import fact

URL = "https://a.example/koi.png"
VIDEO = "https://a.example/koi.mp4"
AS_LONG = "as long as the input video"


@pytest.mark.parametrize(
    ("contract", "fields", "shown"),
    [
        ("2026-04", {}, ("std", "16:9", "5 s")),
        ("2026-11", {}, ("720p", "", "5 s")),
        # Names of April in a request of today.
        ("2026-11", {"mode": "pro", "duration": 7}, ("1080p", "", "7 s")),
        ("2026-11", {"aspect_ratio": "9:16", "resolution": "4k"}, ("4k", "9:16", "5 s")),
        ("2026-04", {"image_urls": URL, "aspect_ratio": "9:16"}, ("std", "from an image", "5 s")),
        ("2026-11", {"shots": (Shot("a", 3), Shot("b", 4))}, ("720p", "", "7 s")),
        (
            "2026-11",
            {"model": "kling-v3-omni", "action": "edit", "video_urls": VIDEO},
            ("720p", "", AS_LONG),
        ),
        (
            "2026-11",
            {
                "model": "kling-v3-motion-control",
                "image_urls": URL,
                "video_urls": VIDEO,
                "character_orientation": "image",
            },
            ("720p", "from an image", AS_LONG),
        ),
        # References appear in the video; it does not start from them.
        (
            "2026-11",
            {"model": "kling-v3-omni", "image_urls": URL, "aspect_ratio": "1:1"},
            ("720p", "1:1", "5 s"),
        ),
        ("2026-04", {"duration": "long"}, ("std", "16:9", "")),
        ("2031-01", {"resolution": "4k"}, ("4k", "", "5 s")),
    ],
)
def test_what_was_sent_is_shown(contract: str, fields: dict[str, Any], shown: tuple[str, str, str]) -> None:
    """Defaults are those of the task's contract, and nothing is shown that was not sent."""
    settings = settings_of(VideoRequest(**{"prompt": "A koi", **fields}), contract)
    assert (settings.resolution, settings.shape, settings.length) == shown


MASK = DynamicMask("https://a.example/moves.png", [(1, 2), (3, 4)])
EVERY = [
    (models.contract, model.name, name)
    for models in map(models_of, contracts())
    for model in models.values()
    for name in model.parameters
]


def facts_of(fields: dict[str, Any], contract: str) -> list[str]:
    """Return the facts of a request that have no place of their own."""
    return [fact(other) for other in settings_of(VideoRequest(**fields), contract).others]


def value_for(parameter: Parameter) -> Any:
    """Return a valid value that is not the default."""
    if parameter.type == "masks":
        return (MASK,)
    if parameter.type == "shots":
        return (Shot("a", 3), Shot("b", 4))
    if parameter.type == "objects":
        return [example_item(parameter)]
    others = [choice for choice in parameter.choices if choice != parameter.default]
    return others[0] if others else example_of_member(parameter)


@pytest.mark.parametrize(("contract", "model", "name"), EVERY)
def test_a_card_shows_every_setting(contract: str, model: str, name: str) -> None:
    """Every setting of a user is on the card: in a place of its own, or with the label of its control."""
    parameter = models_of(contract)[model].parameters[name]
    value = value_for(parameter)
    fields = {"model": model, "prompt": "A koi", name: value}
    has_place = name in (
        "model", "prompt", "resolution", "mode", "aspect_ratio", "duration", "shots", "multi_shot",
        "multi_prompt", "callback_url", "callback_events",
    )  # fmt: skip
    is_default = value == parameter.default
    shown = [text for text in facts_of(fields, contract) if text.startswith(f"{label(parameter)}: ")]
    assert len(shown) == (0 if has_place or is_default else 1), f"the card says of {name}={value!r}: {shown}"


@pytest.mark.parametrize(
    ("fields", "english", "chinese"),
    [
        ({"camera_control": "forward_up"}, "Camera: Forward and up", "运镜：前进上升"),
        (
            {"camera_control": CameraControl("simple", {"zoom": 5, "pan": -2.5})},
            "Camera: By axis, Zoom (zoom) 5, Look up (pan) -2.5",
            "运镜：逐轴设置、变焦（zoom） 5、俯仰（pan） -2.5",
        ),
        ({"static_mask": "https://a.example/still.png"}, "Static mask: still.png", "静态蒙版：still.png"),
        (
            {"static_mask": "https://a.example/u/kD83hfnQpxw92mVnSkw81jf_Zq.png"},
            "Static mask: kD83hfnQpxw9…w81jf_Zq.png",
            "静态蒙版：kD83hfnQpxw9…w81jf_Zq.png",
        ),
        ({"dynamic_masks": [MASK, MASK]}, "Dynamic mask: 2", "动态蒙版：2"),
        ({"negative_prompt": "blur"}, "Negative prompt: blur", "负向提示词：blur"),
        ({"cfg_scale": 0.7}, "CFG scale: 0.7", "CFG 系数：0.7"),
    ],
)
def test_the_facts_of_a_card_in_both_languages(fields: dict[str, Any], english: str, chinese: str) -> None:
    """A card shows a setting as the form does, in the language of the notebook."""
    fields = {"model": "kling-v1-6", "prompt": "A koi", **fields}
    assert english in facts_of(fields, "2026-04")
    i18n.set_locale("zh")
    assert chinese in facts_of(fields, "2026-04")


@pytest.mark.parametrize(
    "fields",
    [
        {"enable_audio": None},
        {"action": "generate"},
        {"camera_control": "forward_up"},  # kling-v3 does not take it, so it is not sent
        {"mode": "pro", "aspect_ratio": "9:16", "duration": 10},
    ],
)
def test_nothing_is_said_twice_or_of_what_is_not_sent(fields: dict[str, Any]) -> None:
    """A default, a setting with a place of its own, and one that the model does not take are left out."""
    assert facts_of({"model": "kling-v3", "prompt": "A koi", **fields}, "2026-04") == []
