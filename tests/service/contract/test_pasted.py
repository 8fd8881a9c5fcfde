"""Pasted texts are read completely, and values without a place are listed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.service.contract.pasted import read_body, read_pasted, redacted
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.v2026_04 import Contract202604
from qingbo_widgets.service.contract.values import CameraControl, DynamicMask, Shot

KOI = {
    "model": "kling-v2-master",
    "action": "generate",
    "prompt": "一条锦鲤在清澈的池塘中游动，水面波光粼粼",
    "aspect_ratio": "16:9",
    "duration": 5,
    "extra": {"mode": "pro"},
}
KOI_REQUEST = VideoRequest("kling-v2-master", "一条锦鲤在清澈的池塘中游动，水面波光粼粼", mode="pro")

REQUESTS = [
    VideoRequest(prompt="A koi"),
    VideoRequest("kling-v3", shots=[Shot("One", 5), Shot("Two", 10)], enable_audio=False),
    VideoRequest(
        "kling-v1", "A koi", negative_prompt="blur", cfg_scale=0.35, duration=10, aspect_ratio="1:1"
    ),
    VideoRequest("kling-v1-6", "A koi", camera_control=CameraControl("simple", {"zoom": 5})),
    VideoRequest("kling-v1-6", "A koi", camera_control="down_back", callback_url="https://example.com/hook"),
    VideoRequest(
        "kling-v1-6",
        "A koi",
        image_urls="https://example.com/a.png",
        static_mask="https://example.com/s.png",
        dynamic_masks=[DynamicMask("https://example.com/m.png", ((1, 2), (3, 4.5)))],
    ),
    VideoRequest(
        prompt="A koi", image_urls="https://example.com/a.png", last_frame="https://example.com/z.png"
    ),
    VideoRequest("kling-v9", "A koi", mode="ultra"),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_sent_body_can_be_pasted_back(request_: VideoRequest) -> None:
    """The body of every kind of request is read as the request that made it."""
    pasted = read_pasted(json.dumps(Contract202604().encode(request_)))
    assert pasted.request == request_
    assert pasted.unknown == ()


def test_the_documentations_curl_command() -> None:
    """The documentation's curl command, over several lines and with a key, is read."""
    command = (
        "$ curl -X POST https://qingbo.dev/v1/tasks \\\n"
        '  -H "Authorization: Bearer sk-xxx" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{json.dumps(KOI, ensure_ascii=False, indent=2)}'"
    )
    assert read_pasted(command).request == KOI_REQUEST


@pytest.mark.parametrize(
    "option", ["-d ", "--data ", "--data-raw ", "--data-binary ", "--json ", "--data=", "-d"]
)
def test_every_way_curl_takes_data(option: str) -> None:
    """Every data option of curl is read; a browser's copy as cURL uses another one than the documentation."""
    assert read_pasted(f"curl https://x {option}'{json.dumps(KOI)}' --compressed").request == KOI_REQUEST


def test_a_piece_of_the_documentation() -> None:
    """A part with ``extra`` alone is read, and sets only its own fields."""
    pasted = read_pasted(
        '"extra": {"shot_1_prompt": "特写：一杯咖啡", "shot_1_duration": 5,\n'
        '          "shot_2_prompt": "镜头拉远", "shot_2_duration": 5},'
    )
    assert pasted.request.shots == (Shot("特写：一杯咖啡", 5), Shot("镜头拉远", 5))
    assert pasted.named == {"shots"}


def test_unknown_fields_are_listed() -> None:
    """Unknown fields are listed with their values, at any depth, in the order of the text."""
    pasted = read_pasted(
        '{"seed": 7, "prompt": "A koi", "mode": "pro",'
        ' "extra": {"watermark": true, "mode": "pro"}, "x": {"y": []}}'
    )
    assert pasted.unknown == ("seed: 7", 'mode: "pro"', "extra.watermark: true", 'x: {"y": []}')
    assert pasted.request == VideoRequest(prompt="A koi", mode="pro")


@pytest.mark.parametrize(
    ("body", "unknown"),
    [
        ({"duration": "5"}, 'duration: "5"'),
        ({"duration": True}, "duration: true"),
        ({"prompt": 7}, "prompt: 7"),
        ({"image_urls": [1]}, "image_urls: [1]"),
        ({"extra": "pro"}, 'extra: "pro"'),
        ({"extra": {"cfg_scale": "high"}}, 'extra.cfg_scale: "high"'),
        ({"extra": {"shot_1_duration": "5"}}, 'extra.shot_1_duration: "5"'),
        ({"extra": {"shot_0_prompt": "A koi"}}, 'extra.shot_0_prompt: "A koi"'),
    ],
)
def test_a_value_the_form_could_not_show_is_listed(body: dict[str, object], unknown: str) -> None:
    """A value of a wrong type is listed, and the rest is read."""
    assert read_body(body).unknown == (unknown,)


@pytest.mark.parametrize(
    ("body", "unknown"),
    [
        ({"mode": "std", "extra": {"mode": "pro"}}, 'mode: "std"'),
        ({"extra": {"mode": "pro"}, "mode": "std"}, 'mode: "std"'),
        ({"extra": {"mode": "pro"}, "extra.mode": "std"}, 'extra.mode: "std"'),
        ({"extra": {"mode": "pro", "shot_1_seed": 7}}, "extra.shot_1_seed: 7"),
        ({"extra": {"mode": "pro"}, "camera_control": "forward_up"}, 'camera_control: "forward_up"'),
        ({"extra": {"mode": "pro"}, "extra.shot_1_prompt": "x"}, 'extra.shot_1_prompt: "x"'),
    ],
)
def test_a_field_counts_at_its_own_place_alone(body: dict[str, Any], unknown: str) -> None:
    """A field of the same name in another place does not override it; else ``std`` could become ``pro``."""
    pasted = read_body({"model": "kling-v1-6", "prompt": "A koi", **body})
    assert pasted.unknown == (unknown,)
    assert pasted.request == VideoRequest("kling-v1-6", "A koi", mode="pro")


@pytest.mark.parametrize("name", ["shot_1_token", "shot_1_apikey", "shot_2_password"])
def test_a_secret_is_no_part_of_a_shot(name: str) -> None:
    """A secret with a name like a part of a shot is neither kept nor listed."""
    secret = "Xk29vQ71mmBd83LqPz05"
    text = json.dumps({"extra": {"shot_1_prompt": "One", name: secret}})
    assert secret not in redacted(text)
    assert secret not in " ".join(read_pasted(text).unknown)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (
            {
                "element_list": [
                    {
                        "name": "key",
                        "description": "a pass-key: brass-and-gold",
                        "element_input_urls": ["https://cdn.example/Xk29vQ71mmBd83/a.png"],
                        "authorization": "Bearer {secret}",
                    }
                ]
            },
            ["a pass-key: brass-and-gold", "https://cdn.example/Xk29vQ71mmBd83/a.png"],
        ),
        ({"element_list": [{"name": "Authorization", "value": "{secret}", "size": 3}]}, []),
        ({"image_with_roles": [{"url": "https://e.com/a.png", "api_key": "{secret}"}]}, ["/a.png"]),
        ({"image_with_roles": [{"url": {"token": "{secret}"}, "role": "reference"}]}, ["reference"]),
        ({"extra": {"camera_control": {"type": "simple", "api_key": "{secret}"}}}, ["simple"]),
        ({"extra": {"camera_control": {"type": "simple", "config": {"api_key": "{secret}"}}}}, ["simple"]),
    ],
)
def test_a_secret_inside_an_object_is_masked(fields: dict[str, Any], kept: list[str]) -> None:
    """A secret in a member that an object does not have is not kept; its own members are unchanged."""
    secret = "sk-aaaabbbbccccdddd1234"
    text = json.dumps({"prompt": "A koi", **fields}).replace("{secret}", secret)
    pasted = read_pasted(text, "2026-11")
    request = json.dumps(pasted.request.as_dict())
    assert secret not in request + " ".join(pasted.unknown) + redacted(text)
    assert all(words in request for words in kept)


def test_half_a_shot_is_kept() -> None:
    """An incomplete shot is kept; shots are ordered by number, not by the text."""
    shots = read_body(
        {"extra": {"shot_3_prompt": "Three", "shot_1_prompt": "One", "shot_1_duration": 4}}
    ).request.shots
    assert shots == (Shot("One", 4), Shot("Three", 0))


def test_null_is_not_set() -> None:
    """A null in the JSON means that the field is not set."""
    pasted = read_body({"prompt": "A koi", "last_frame": None, "extra": {"cfg_scale": None}})
    assert pasted.request == VideoRequest(prompt="A koi")
    assert pasted.unknown == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Nothing to read"),
        ("A koi in a pond", "not JSON"),
        ('{"prompt": "A koi"', "line 1"),
        ("[1, 2]", "not an object"),
        ("curl https://x", "no data"),
        ("curl https://x -d @body.json", "from a file"),
        ('curl https://x -d \'{"a": 1}', "cannot be read"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_an_unreadable_text_is_refused(text: str, words: str) -> None:
    """A text that cannot be read raises with a sentence that states the position."""
    with pytest.raises(ValueError, match=words):
        read_pasted(text)


NAMES = st.sampled_from(
    [
        "model",
        "extra",
        "duration",
        "shot_1_prompt",
        "image_urls",
        "dynamic_masks",
        "camera_control",
        "cfg_scale",
        "z",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    )
)
def test_no_json_breaks_the_reader(body: object) -> None:
    """Any JSON gives a request or a ``ValueError``."""
    try:
        pasted = read_pasted(json.dumps(body))
    except ValueError:
        return
    assert isinstance(pasted.request, VideoRequest)
    pasted.request.problems()


def test_a_request_of_another_contract() -> None:
    """JSON of one contract is read in its own names, whichever contract the form uses."""
    today = {"model": "kling-v3", "prompt": "A koi", "resolution": "1080p", "generate_audio": True}
    assert read_body(today).request == VideoRequest(**today)  # type: ignore[arg-type]  # JSON
    april = {"model": "kling-v3", "prompt": "A koi", "extra": {"mode": "pro"}}
    pasted = read_body(april, "2026-11")
    assert pasted.request == VideoRequest("kling-v3", "A koi", mode="pro")
    assert pasted.unknown == ()
