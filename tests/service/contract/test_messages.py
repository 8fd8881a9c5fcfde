"""The sentences about requests that a new user writes: each names what to do to get what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.contract.models import contracts, models_of
from qingbo_widgets.service.contract.request import VideoRequest

APRIL, TODAY = "2026-04", "2026-11"
IMAGE, OTHER, VIDEO = ("https://a.example/1.png", "https://a.example/2.png", "https://a.example/1.mp4")
ROBOT = {"name": "red robot", "description": "a red robot", "element_input_urls": [IMAGE, OTHER]}
SHOT = {"multi_prompt": [{"prompt": "A koi", "duration": 5}]}
ROUTED = {"image_urls": IMAGE, "video_urls": VIDEO, "character_orientation": "image"}


@pytest.fixture
def chinese() -> Iterator[None]:
    """Show texts in Chinese."""
    set_locale("zh")
    yield
    set_locale(None)


@pytest.mark.parametrize(
    ("contract", "model", "fields", "message"),
    [
        (
            TODAY,
            "kling-v3-omni",
            {"prompt": "<<<image_1>>> swims"},
            "prompt: '<<<image_1>>>' names an image, but image_urls is empty; add an image, or "
            "remove '<<<image_1>>>' from the prompt.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"prompt": "<<<image_2>>> swims", "image_urls": IMAGE},
            "prompt: '<<<image_2>>>' names an image that does not exist: image_urls has 1; try "
            "'<<<image_1>>>'.",
        ),
        (
            TODAY,
            "kling-v2-6",
            {"generate_audio": True},
            "generate_audio: True needs resolution 1080p; try resolution='1080p'.",
        ),
        (
            TODAY,
            "kling-v2-6",
            {"enable_audio": True, "mode": "std"},
            "enable_audio: it is generate_audio in contract 2026-11. generate_audio: True needs "
            "resolution 1080p; try mode='pro'.",
        ),
        (
            TODAY,
            "kling-v2-6",
            {"image_urls": [IMAGE, OTHER]},
            "image_urls: 2 given, but it can have a last frame only at resolution 1080p; try "
            "resolution='1080p'.",
        ),
        (
            TODAY,
            "kling-v3",
            {"multi_prompt": [("A koi", 5)]},
            "multi_prompt: (('A koi', 5),) needs multi_shot=True; try multi_shot=True, "
            "shot_type='customize'.",
        ),
        (
            TODAY,
            "kling-v3",
            {"multi_shot": True, "multi_prompt": [("A koi", 5)]},
            "multi_shot: True needs shot_type too; set it (for example shot_type='customize'), or leave "
            "multi_shot out.",
        ),
        (
            TODAY,
            "kling-v3",
            {"action": "edit"},
            "action: 'edit' is not one of generate; try 'generate'. Models that take it: kling-v3-omni "
            "and kling-video-o1.",
        ),
        (
            TODAY,
            "kling-v3",
            {"resolution": "4K"},
            "resolution: '4K' is not one of 720p, 1080p, 4k; try '4k'.",
        ),
        (
            TODAY,
            "kling-v3",
            {"resolution": 1080},
            "resolution: 1080 is not one of 720p, 1080p, 4k; try '1080p'.",
        ),
        (
            TODAY,
            "kling-v3-motion-control",
            {"action": "edit", **ROUTED},  # the rules of an edit, which takes no image, say nothing here
            "action: 'edit' is not one of generate; try 'generate'.",
        ),
        (
            TODAY,
            "kling-v2-6",
            {"duration": 7},
            "duration: 7 is not a length that kling-v2-6 renders (5, 10, in whole seconds); try 5. Models "
            "that take it: kling-3.0-turbo, kling-v3, kling-v3-omni.",
        ),
        (
            TODAY,
            "kling-3.0-turbo",
            {"prompt": "", "shots": [("A koi", 3), ("A heron", 4)]},
            "shots: (Shot(prompt='A koi', duration=3), Shot(prompt='A heron', duration=4)) is set, but "
            "kling-3.0-turbo does not take it; leave shots out. Models that take it: kling-v3 and "
            "kling-v3-omni.",
        ),
        (
            TODAY,
            "kling-v3",
            {"prompt": "", "shots": [("A koi", 9), ("A heron", 9)]},
            "shots: it is multi_prompt in contract 2026-11. multi_prompt: the shots add up to 18 s; "
            "kling-v3 renders 3 to 15 s.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"action": "edit", "video_urls": VIDEO, "last_frame": OTHER},
            f"last_frame: '{OTHER}' cannot be combined with action edit, which takes one video only; "
            "leave last_frame out.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"action": "edit", "video_urls": VIDEO, "multi_shot": True, "shot_type": "customize", **SHOT},
            "multi_prompt: the shots add up to 5 s, but the input video sets the length; leave multi_prompt "
            "out.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"action": "edit", "video_urls": VIDEO, "shots": [("A koi", 5)]},
            "shots: the shots add up to 5 s, but the input video sets the length; leave shots out.",
        ),
        (
            TODAY,
            "kling-v3",
            {"duration": 5, "shots": [("A koi", 9), ("A heron", 9)]},
            "shots: it is multi_prompt in contract 2026-11. multi_prompt: the shots add up to 18 s; "
            "kling-v3 renders 3 to 15 s.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"video_urls": VIDEO, "image_urls": IMAGE, "image_with_roles": [(OTHER, "reference")]},
            "image_with_roles: 2 images given, but an input video allows one; leave image_urls or "
            "image_with_roles out.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"video_urls": VIDEO, "image_urls": IMAGE, "last_frame": OTHER},
            "last_frame: 2 images given, but an input video allows one; leave image_urls or last_frame out.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"video_urls": VIDEO, "image_with_roles": [(IMAGE, "first_frame"), (OTHER, "last_frame")]},
            "image_with_roles: 2 images given, but an input video allows one; try 1.",
        ),
        (
            TODAY,
            "kling-video-o1",
            {"video_urls": VIDEO, "image_urls": IMAGE, "last_frame": OTHER},
            "last_frame: image_urls has 2 with it, but it can have only one image with an input video; "
            "leave last_frame out.",
        ),
        (
            TODAY,
            "kling-video-o1",
            {"video_urls": VIDEO, "last_frame": OTHER},
            f"last_frame: '{OTHER}' needs an input image too, which the other fields do not allow; "
            "leave last_frame out.",
        ),
        (
            TODAY,
            "kling-video-o1",
            {"action": "edit", "video_urls": VIDEO, "last_frame": OTHER},
            f"last_frame: '{OTHER}' needs an input image too, which the other fields do not allow; "
            "leave last_frame out.",
        ),
        (
            TODAY,
            "kling-v2-6",
            {"image_urls": IMAGE, "last_frame": OTHER},
            "image_urls: 2 given, but it can have a last frame only at resolution 1080p; try "
            "resolution='1080p'.",
        ),
        (
            TODAY,
            "kling-v3",
            {"image_urls": IMAGE, "last_frame": "b.png"},
            "last_frame: enter a public http(s) URL instead of 'b.png', for example "
            "'https://example.com/first.png'.",
        ),
        (
            TODAY,
            "kling-v3",
            {"image_urls": "b.png", "last_frame": OTHER},
            "image_urls: enter a public http(s) URL instead of 'b.png', for example "
            "'https://example.com/first.png'.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"image_urls": "b.png", "last_frame": OTHER},
            "image_urls: enter a public http(s) URL instead of 'b.png', for example "
            "'https://example.com/first.png'.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"image_urls": IMAGE, "last_frame": "b.png"},
            "last_frame: enter a public http(s) URL instead of 'b.png', for example "
            "'https://example.com/first.png'.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"image_with_roles": [("b.png", "reference")], "last_frame": OTHER},
            "image_with_roles, number 1, url: enter a public http(s) URL instead of 'b.png', for example "
            "'https://example.com/first.png'.",
        ),
        (
            TODAY,
            "kling-v3-omni",
            {"video_urls": VIDEO, "image_urls": [IMAGE] * 7},
            "image_urls: 7 given, but it can have only one image with an input video; try 1.",
        ),
        (
            TODAY,
            "kling-v3-motion-control",
            {"prompt": "", **ROUTED},
            "prompt: '' does not describe the character and the scene; try 'A dancer on a stage'.",
        ),
        (
            TODAY,
            "kling-v1",
            {},
            "model: 'kling-v1' is not in contract 2026-11; kling-v3, kling-3.0-turbo, kling-v2-6, "
            "kling-v3-omni, kling-video-o1 can do the same; try 'kling-v3'.",
        ),
        (
            APRIL,
            "kling-v3",
            {"resolution": "1080p"},
            "resolution: '1080p' is set, but it is a parameter of contract 2026-11, not 2026-04; "
            "use mode='pro' instead.",
        ),
        (
            APRIL,
            "kling-v3",
            {"resolution": "4k"},
            "resolution: '4k' is set, but it is a parameter of contract 2026-11, not 2026-04; "
            "leave resolution out, or use contract 2026-11.",
        ),
        (
            APRIL,
            "kling-v3",
            {"generate_audio": False},
            "generate_audio: False is set, but it is a parameter of contract 2026-11, not 2026-04; "
            "use enable_audio=False instead.",
        ),
        (
            APRIL,
            "kling-v3",
            {"multi_prompt": [("A koi", 3), ("A heron", 4)]},
            "multi_prompt: (('A koi', 3), ('A heron', 4)) is set, but it is a parameter of contract "
            "2026-11, not 2026-04; use shots=[('A koi', 3), ('A heron', 4)] instead.",
        ),
        (
            APRIL,
            "kling-v3",
            {"negative_prompt": "rain"},
            "negative_prompt: 'rain' is set, but kling-v3 does not take it; leave negative_prompt out. "
            "Models that take it: kling-v1-6 and kling-v1, and kling-v3 in contract 2026-11.",
        ),
        (
            APRIL,
            "kling-v1",
            {"video_urls": VIDEO},
            f"video_urls: ('{VIDEO}',) is set, but it is a parameter of contract 2026-11 (for "
            "kling-v3-omni, kling-video-o1, kling-v2-6-motion-control, kling-v3-motion-control), not "
            "2026-04; leave video_urls out.",
        ),
    ],
)
def test_a_problem(contract: str, model: str, fields: dict[str, Any], message: str) -> None:
    """The request has one problem, with this message."""
    request = VideoRequest(**{"model": model, "prompt": "A koi", **fields})
    assert list(map(str, request.problems(contract))) == [message]


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        ("kling-3.0", {}, "Did you mean kling-3.0-turbo or kling-v3?"),
        ("kling-v3", {"shot_type": "customize"}, "shot_type: it has no effect without multi_shot=True"),
        (
            "kling-v3",
            {"multi_shot": True, "shot_type": "customize"},
            "shot_type: 'customize' needs the shots in multi_prompt, which is not set.",
        ),
        ("kling-v3", {"prompt": "@robo walks"}, "prompt: no element is named '@robo'"),
        (
            "kling-v3",
            {"prompt": "@robo walks", "element_list": [ROBOT]},
            "prompt: no element is named '@robo'",
        ),
        (
            "kling-v3",
            {"prompt": "<<<image_1>>> walks", "image_urls": IMAGE},
            "prompt: kling-v3 reads '<<<image_1>>>' as plain text. Models that read it as an image: "
            "kling-v3-omni and kling-video-o1.",
        ),
    ],
)
def test_a_warning(model: str, fields: dict[str, Any], message: str) -> None:
    """The request is valid, and has one warning."""
    request = VideoRequest(**{"model": model, "prompt": "A koi", **fields})
    assert request.problems(TODAY) == ()
    (warning,) = request.warnings(TODAY)
    assert message in str(warning)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("kling-v3", {"prompt": "@red robot walks, @red robot's hand waves", "element_list": [ROBOT]}),
        ("kling-v3", {"prompt": "write to koi@pond.example"}),
        ("kling-v2-6", {"prompt": "@robo walks"}),
        ("kling-v3-omni", {"prompt": "<<<image_1>>> walks", "image_urls": IMAGE}),
        ("kling-v3", {"multi_shot": True, "shot_type": "intelligence"}),
    ],
)
def test_names_and_shots_that_mean_something(model: str, fields: dict[str, Any]) -> None:
    """Names of elements and images that exist, and an address of mail, have no warning."""
    assert VideoRequest(**{"model": model, "prompt": "A koi", **fields}).warnings(TODAY) == ()


def test_a_name_in_many_places_has_one_warning() -> None:
    """Names are listed once each, and of very many only the first, with the number of the others."""
    (anna,) = VideoRequest("kling-v3", "@Anna meets @Anna; @Anna waves").warnings(TODAY)
    assert "'@Anna'" in str(anna)
    (image,) = VideoRequest("kling-v3", "<<<image_1>>> swims " * 100).warnings(TODAY)
    assert "'<<<image_1>>>'" in str(image)
    *first, more = VideoRequest("kling-v3", " ".join(f"@a{number}" for number in range(400))).warnings(TODAY)
    assert ["'@a0'" in str(first[0]), len(first)] == [True, 3]
    assert str(more) == "prompt: and 397 more names like these."


def test_an_image_that_is_not_sent_has_no_name() -> None:
    """An edit sends no images, so the advice is not to add one to those that are there."""
    request = VideoRequest(
        "kling-v3-omni", "<<<image_1>>> walks", action="edit", video_urls=VIDEO, image_urls=[IMAGE]
    )
    messages = [problem.message for problem in request.problems(TODAY)]
    assert (
        "prompt: '<<<image_1>>>' names an image, but no image is sent with these settings; remove "
        "'<<<image_1>>>' from the prompt."
    ) in messages


def test_a_path_is_a_text() -> None:
    """A path object gets the message of the same path as a text."""
    paths: dict[str, Any] = {"image_urls": [Path("a.png")], "last_frame": Path("b.png")}
    objects = VideoRequest("kling-v3", "A koi", **paths)
    texts = VideoRequest("kling-v3", "A koi", image_urls=["a.png"], last_frame="b.png")
    assert objects.problems(TODAY) == texts.problems(TODAY) != ()
    assert objects.image_urls == ("a.png",)


def test_a_wrong_part_hides_no_other_problem() -> None:
    """A list with a wrong part, or one that needs another field, hides no problem of another field."""
    shots: list[Any] = [("A koi", 3), "A heron"]
    request = VideoRequest("kling-v3", resolution="9k", shots=shots, negative_prompt=7)  # type: ignore[arg-type]
    assert [problem.field for problem in request.problems(TODAY)] == [
        "shots",
        "resolution",
        "negative_prompt",
    ]
    assert "number 2: 'A heron' is not a prompt and a duration" in str(request.problems(TODAY)[0])
    request = VideoRequest("kling-v3", "A koi", multi_prompt=[{"prompt": "A koi", "duration": "x"}])
    assert len(request.problems(TODAY)) == 2


def test_a_list_is_shown_by_two_of_its_entries() -> None:
    """A message about a list does not repeat all of it."""
    request = VideoRequest("kling-v3-omni", "A koi", action="edit", video_urls=VIDEO, image_urls=[IMAGE] * 7)
    (problem,) = request.problems(TODAY)
    assert problem.message.count(IMAGE) == 2


@pytest.mark.usefixtures("chinese")
def test_the_sentences_in_chinese() -> None:
    """Lists have Chinese commas, a Latin word has its blanks, and two sentences have none between them."""
    (problem,) = VideoRequest("kling-v1", "锦鲤").problems(TODAY)
    assert str(problem) == (
        "model: 'kling-v1' 不在 2026-11 版接口中；可完成同样请求的有 "
        "kling-v3、kling-3.0-turbo、kling-v2-6、kling-v3-omni、kling-video-o1；可改为 'kling-v3'。"
    )
    (warning,) = VideoRequest("kling-3.0", "锦鲤").warnings(TODAY)
    assert str(warning) == (
        "model: 'kling-3.0' 不是已知的模型，将原样发送。是不是想写 kling-3.0-turbo 或 kling-v3？"
    )
    (problem,) = VideoRequest("kling-v3", "锦鲤", action="edit").problems(TODAY)
    assert str(problem) == (
        "action: 'edit' 不可用（可选：generate）；可改为 'generate'。"
        "支持它的模型：kling-v3-omni 和 kling-video-o1。"
    )
    (problem,) = VideoRequest("kling-v2-6", "锦鲤", image_urls=[IMAGE, OTHER]).problems(TODAY)
    assert str(problem) == (
        "image_urls: 给出了 2 个，但只有分辨率为 1080p 时才能包含尾帧；可改为 resolution='1080p'。"
    )


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("contract", contracts())
def test_chinese_sentences_have_chinese_punctuation(contract: str) -> None:
    """No message about a wrong value has an ASCII comma, semicolon or full stop after a Chinese character."""
    for name, model in models_of(contract).items():
        for field in model.parameters:
            for value in (7, "x", "", [], ["x", "x"], [7], {"a": 1}):
                wrong: dict[str, Any] = {"model": name, "prompt": "锦鲤", field: value}
                request = VideoRequest(**wrong)
                for problem in (*request.problems(contract), *request.warnings(contract)):
                    assert not re.search(r"[一-鿿][,;.!?]|[一-鿿]URL|。 ", str(problem)), problem
