"""``mismatch``: which answers prove that a server speaks another contract, and which do not."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.exceptions import BadRequest, ServiceError, TaskNotFound
from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.mismatch import contract_in_answer, contract_in_error, defaults_changed
from qingbo_widgets.service.contract.request import VideoRequest

APRIL, NOVEMBER = CONTRACTS["2026-04"], CONTRACTS["2026-11"]
ELSEWHERE = "https://relay.example/v1"
MODEL_LIST = "model must be one of kling-v3, kling-v2-master, kling-v1-6, kling-v1"


def refused(status: int = 400, **facts: Any) -> ServiceError:
    """Return the refusal of a submission."""
    kind = TaskNotFound if status == 404 else BadRequest
    return kind(facts.pop("message", "no"), status=status, **facts)


@pytest.mark.parametrize(
    ("error", "model", "seen"),
    [
        (refused(code="capability_violation", param="extra"), "kling-v3", "2026-11"),
        (refused(404, code="model_not_found"), "kling-v1-6", "2026-11"),
        (refused(404, code="model_not_found", param="model"), "kling-v2-master", "2026-11"),
        (refused(404, code="model_not_found", message="this key may not use kling-v1"), "kling-v1", None),
        (refused(404, code="model_not_found", message="该令牌无权访问模型 kling-v1"), "kling-v1", None),
        (refused(404, code="model_not_found", message="no channel for kling-v1"), "kling-v1", None),
        (refused(404, code="model_not_found"), "kling-v3", None),
        (refused(404, code="model_not_found"), "kling-v9", None),
        (refused(404, code="not_found"), "kling-v1", None),
        (refused(code="capability_violation", param="extra.mode"), "kling-v3", None),
        (refused(code="invalid_parameter", param="extra"), "kling-v3", None),
        (refused(code="capability_violation"), "kling-v3", None),
    ],
)
@pytest.mark.parametrize("base_url", ["https://qingbo.dev/v1", ELSEWHERE])
def test_a_refusal_of_aprils_requests(
    error: ServiceError, model: str, seen: str | None, base_url: str
) -> None:
    """A server that refuses ``extra`` itself, or lacks a model that only April has, speaks 2026-11."""
    assert contract_in_error(APRIL, base_url, {"model": model, "extra": {}}, error) == seen


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (
            refused(code="invalid_parameter", param="resolution", message="unknown field resolution"),
            "2026-04",
        ),
        (refused(param="resolution", message="Unrecognized parameter"), "2026-04"),
        (refused(code="invalid_parameter", param="resolution", message="must be 720p or 1080p"), None),
        (refused(code="input_video_duration_unknown", param="video_urls"), None),
        (refused(code="invalid_parameter", param="model", message=MODEL_LIST), "2026-04"),
        (refused(code="capability_violation", param="resolution"), None),
        (refused(code="invalid_parameter", param="prompt"), None),
        (refused(code="invalid_parameter", param="extra"), None),
        (refused(code="invalid_parameter", param="unheard"), None),
        (refused(code="invalid_parameter", param="model", message="try kling-v3"), None),
        (refused(404, code="model_not_found"), None),
    ],
)
def test_a_refusal_of_novembers_requests(error: ServiceError, seen: str | None) -> None:
    """A server that does not know a field at the root, or lists April's models, speaks 2026-04.

    The service's own host is not doubted.
    """
    body = {"model": "kling-v2-6", "resolution": "4k", "video_urls": ["u"], "prompt": "koi"}
    assert contract_in_error(NOVEMBER, ELSEWHERE, body, error) == seen
    assert contract_in_error(NOVEMBER, "https://api.qingbo.ai/v1", body, error) is None


@pytest.mark.parametrize(
    ("body", "april", "november"),
    [
        ({"progress": 45}, None, None),
        ({"progress": "45%"}, "2026-11", None),
        ({"progress": ""}, "2026-11", None),
        ({"progress": 0, "pre_consumed_cost": 5500}, "2026-11", None),
        ({"progress": 100, "billing_status": "settled"}, "2026-11", None),
        ({"progress": 45, "start_time": 1775285161}, None, "2026-04"),
        ({"progress": 100, "cost": 5500}, None, None),
    ],
)
def test_the_form_of_an_answer(body: dict[str, object], april: str | None, november: str | None) -> None:
    """Only members that one contract alone documents, or progress as text, count as a sign."""
    assert contract_in_answer(APRIL, ELSEWHERE, body) == april
    assert contract_in_answer(NOVEMBER, ELSEWHERE, body) == november
    assert contract_in_answer(NOVEMBER, "https://api.qingbo.ai/v1", body) is None


def test_a_body_for_another_contract_loses_no_sound() -> None:
    """The values to add in the contract that the server speaks keep what the body left to the defaults."""
    april = APRIL.encode(VideoRequest("kling-v3", "A koi"))
    assert defaults_changed(april, APRIL, NOVEMBER) == {"generate_audio": True}
    november = NOVEMBER.encode(VideoRequest("kling-v3", "A koi"))
    assert defaults_changed(november, NOVEMBER, APRIL) == {"enable_audio": False}
    silent = APRIL.encode(VideoRequest("kling-v3", "A koi", enable_audio=False))
    assert defaults_changed(silent, APRIL, NOVEMBER) == {}


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("unknown field resolution", "resolution"),
        ("Unknown parameter: 'resolution'.", "resolution"),
        ("unrecognized request argument: resolution", "resolution"),
        ("resolution: unknown parameter", "resolution"),
        ("the field resolution is not recognized", "resolution"),
        ("未知参数：resolution", "resolution"),
        ("无法识别的字段 video_urls", "video_urls"),
        ("参数 resolution 无法识别", "resolution"),
    ],
)
def test_words_for_a_field_that_april_lacks(message: str, param: str) -> None:
    """The sentences in which servers refuse a field itself, in English and in Chinese."""
    body = {"model": "kling-v3-omni", "resolution": "4k", "video_urls": ["u"]}
    error = refused(param=param, message=message)
    assert contract_in_error(NOVEMBER, ELSEWHERE, body, error) == "2026-04"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("resolution: unexpected value 4k, try 1080p", "resolution"),
        ("unknown value for parameter resolution", "resolution"),
        ("unknown parameter value", "resolution"),
        ("unknown parameter resolution=8k", "resolution"),
        ("the parameter resolution has an unknown value", "resolution"),
        ("resolution 的值未知", "resolution"),
        ("未知的参数值", "resolution"),
        ("字段 resolution 的值无法识别", "resolution"),
        ("generate_audio unexpected with image", "generate_audio"),
        ("multi_prompt[1].prompt: no such element @hero9", "multi_prompt"),
        ("element_list[0].name unknown in prompt", "element_list"),
        ("unknown field element_list[0].title", "element_list"),
        ("unknown field title in element_list", "element_list"),
        ("kling-v1-6 was replaced; kling-v3 has no channel", "model"),
        ("kling-v2-master, kling-v1-6 and kling-v1 were replaced; kling-v2-6 has no channel", "model"),
        (f"{MODEL_LIST}, kling-v3-omni", "model"),
    ],
)
@pytest.mark.parametrize("model", ["kling-v3", "kling-v2-6"])
def test_refusals_that_a_server_of_november_gives_too(message: str, param: str, model: str) -> None:
    """A refusal of a value, of a member or of a model proves nothing about the contract."""
    names = ("resolution", "generate_audio", "multi_prompt", "element_list")
    body = {"model": model, **dict.fromkeys(names)}
    assert contract_in_error(NOVEMBER, ELSEWHERE, body, refused(param=param, message=message)) is None


def test_a_code_of_november_contradicts_words_of_april() -> None:
    """With signs of both contracts, nothing is claimed."""
    body = {"model": "kling-v3", "resolution": "4k"}
    error = refused(code="capability_violation", param="resolution", message="unknown field resolution")
    assert contract_in_error(NOVEMBER, ELSEWHERE, body, error) is None
    answer = {"progress": "45%", "start_time": 1775285161}
    assert contract_in_answer(APRIL, ELSEWHERE, answer) is None
    assert contract_in_answer(NOVEMBER, ELSEWHERE, answer) is None


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        ("extra must be empty: parameters stand at the root of the body", "2026-11"),
        ("extra is not supported", "2026-11"),
        ("extra.camera_control is not supported with mode std", None),
        ("camera_control is not supported with this model", None),
        ("extra['camera_control'] is not supported", None),
        ("extra 中的 camera_control 不受支持", None),
    ],
)
def test_a_refusal_of_a_member_of_extra(message: str, seen: str | None) -> None:
    """Only a refusal of ``extra`` itself proves that the server has no such object."""
    body = {"model": "kling-v1-6", "extra": {"camera_control": {"type": "down_back"}}}
    error = refused(code="capability_violation", param="extra", message=message)
    assert contract_in_error(APRIL, ELSEWHERE, body, error) == seen
