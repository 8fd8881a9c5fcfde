"""``VideoRequest``: its accepted forms, defaults, copies and serialisation."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.service.contract.request import CameraControl, DynamicMask, Shot, VideoRequest
from qingbo_widgets.service.secrets.known_keys import hide_in, holds_key
from tests.service.leaks import shown_by


def test_all_accepted_forms_give_the_same_request() -> None:
    """Pairs, dictionaries, lists and a single text make the same request as the parts themselves."""
    written = VideoRequest(
        "kling-v1-6",
        image_urls="https://a.example/1.png",
        camera_control={"type": "simple", "config": {"zoom": 5}},
        dynamic_masks=[{"mask_url": "https://a.example/m.png", "trajectories": [{"x": 1, "y": 2}, [3, 4]]}],
        shots=[("a", 2), {"prompt": "b", "duration": 3}],
    )
    built = VideoRequest(
        "kling-v1-6",
        image_urls=("https://a.example/1.png",),
        camera_control=CameraControl("simple", {"zoom": 5}),
        dynamic_masks=(DynamicMask("https://a.example/m.png", ((1, 2), (3, 4))),),
        shots=(Shot("a", 2), Shot("b", 3)),
    )
    assert written == built
    assert hash(written) == hash(built)
    assert written.seconds == 5


def test_a_preset_can_be_named() -> None:
    """The name of a camera movement stands for the movement."""
    assert VideoRequest(camera_control="forward_up").camera_control == CameraControl("forward_up")


@pytest.mark.parametrize("nothing", [None, "", [], ()])
def test_empty_values_mean_not_set(nothing: Any) -> None:
    """None, the empty text and empty lists all leave a request a plain one."""
    request = VideoRequest(prompt="a", image_urls=nothing, shots=nothing, dynamic_masks=nothing)
    assert request == VideoRequest(prompt="a")
    assert not request.is_multi_shot
    assert not request.is_image_to_video


def test_from_dict_reads_what_as_dict_wrote() -> None:
    """A request survives JSON; fields that were set are written, even those equal to their default."""
    request = VideoRequest(
        "kling-v1-6",
        "a",
        duration=10,
        image_urls="https://a.example/1.png",
        camera_control=CameraControl("simple", {"pan": -3}),
        dynamic_masks=[DynamicMask("https://a.example/m.png", ((1, 2), (3.5, 4)))],
    )
    written = request.as_dict()
    assert set(written) == {"model", "prompt", "duration", "image_urls", "camera_control", "dynamic_masks"}
    assert VideoRequest.from_dict(json.loads(json.dumps(written))) == request
    assert VideoRequest().as_dict() == {"model": "kling-v3"}


def test_repr_shows_what_was_chosen() -> None:
    """The repr shows the fields that differ from their defaults, and no others."""
    assert (
        repr(VideoRequest(prompt="a", duration=7)) == "VideoRequest(model='kling-v3', prompt='a', duration=7)"
    )


def test_a_misspelt_field_is_an_error() -> None:
    """A misspelt field raises in the constructor and in ``replace``."""
    with pytest.raises(TypeError, match="promt"):
        VideoRequest(promt="a")  # type: ignore[call-arg]  # the mistake
    with pytest.raises(TypeError, match="promt"):
        VideoRequest().replace(promt="a")  # type: ignore[call-arg]  # the mistake


def test_replace_reads_the_same_forms() -> None:
    """``replace`` accepts the same forms as the constructor, and does not change the original."""
    first = VideoRequest(prompt="a")
    assert first.replace(prompt="", shots=[("b", 5), ("c", 5)]).seconds == 10
    assert first.shots == ()


def test_requests_can_be_pickled() -> None:
    """A request can be pickled, with its parts."""
    request = VideoRequest("kling-v1-6", "a", camera_control={"type": "simple", "config": {"zoom": 1}})
    assert pickle.loads(pickle.dumps(request)) == request


def test_seconds_of_nonsense_is_zero() -> None:
    """The length is 0 while a form has invalid durations."""
    assert VideoRequest(duration="5").seconds == 0  # type: ignore[arg-type]  # the mistake
    assert VideoRequest(shots=[("a", None), 3]).seconds == 0  # type: ignore[list-item]  # the mistake
    assert VideoRequest(shots=7).seconds == 0  # type: ignore[arg-type]  # the mistake


def test_importing_a_request_imports_no_http() -> None:
    """Importing ``VideoRequest`` does not import requests, which takes longer than the rest."""
    code = (
        "import sys, qingbo_widgets.service.contract.request, qingbo_widgets.service.contract.v2026_04;"
        "sys.exit('requests' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_shift_tab_shows_every_field_with_its_default() -> None:
    """The fields come from the models' description, and a notebook's help still lists them."""
    shown = inspect.signature(VideoRequest).parameters
    assert list(shown)[:2] == ["model", "prompt"], "as they are passed by position"
    assert {name: field.default for name, field in shown.items()} == VideoRequest().values()


def test_a_body_with_more_than_a_request_is_refused() -> None:
    """``from_body`` raises for unknown fields instead of dropping them; ``read_pasted`` lists them."""
    body: dict[str, Any] = {
        "model": "kling-v1",
        "prompt": "a koi",
        "extra": {"mode": "pro", "watermark": True},
        "seed": 7,
    }
    with pytest.raises(TypeError, match=r"no place for extra\.watermark, seed of the body"):
        VideoRequest.from_body(body)
    del body["seed"], body["extra"]["watermark"]
    assert VideoRequest.from_body(body) == VideoRequest("kling-v1", "a koi", mode="pro")
    with pytest.raises(TypeError, match="body must be a mapping, the JSON object of a request, not list"):
        VideoRequest.from_body([body])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Contract '2099-01' does not exist"):
        VideoRequest.from_body(body, "2099-01")


def test_a_key_in_the_place_of_a_name_is_not_shown() -> None:
    """No error shows a key that was passed as a name or inside a request passed as a value."""
    key = "sk-live-Zq9xZq9xZq9xZq9xZq9x"
    client = qw.Client(key, "https://qingbo.dev/v1")
    request = VideoRequest(prompt=f"a koi {key}")
    assert holds_key([request])
    assert holds_key({request})
    assert key not in repr(hide_in({"row": [request]}))
    named: dict[str, Any] = {key: 1}
    wrong: list[Callable[[], object]] = [
        lambda: VideoRequest(**named),
        lambda: request.replace(**named),
        lambda: VideoRequest.from_body({key: 1}),
        lambda: getattr(request, key),
        lambda: setattr(request, key, 1),
        lambda: qw.models()[key],
        lambda: request.problems(key),
        lambda: qw.RequestForm(**named),
        lambda: qw.RequestForm(hide=key),
        lambda: qw.sweep(prompt="a koi", **named),
    ]
    for call in wrong:
        with pytest.raises((TypeError, AttributeError, LookupError, ValueError)) as raised:
            call()
        assert key not in str(raised.value)
    for field in ("camera_control", "shots", "mode", "image_urls"):
        odd: list[Any] = [[request], {"a", key}]
        for value in odd:
            assert "Zq9x" not in " ".join(map(str, VideoRequest(**{field: value}).problems())), field
    del client


@pytest.mark.parametrize(
    "call",
    [
        VideoRequest(prompt="A koi").problems,
        VideoRequest(prompt="A koi").warnings,
        VideoRequest(prompt="A koi").translated,
        partial(VideoRequest.from_body, {"model": "kling-v3"}),
        models_of,
    ],
)
def test_a_key_in_the_place_of_a_contract_is_not_shown(call: Callable[[str], object]) -> None:
    """A key given as the contract is in no message, nor in a variable that a verbose traceback shows."""
    with pytest.raises(ValueError, match="'<hidden>' does not exist; choose one of 2026-04") as caught:
        call("sk-0123456789abcdef")
    assert "sk-0123456789abcdef" not in shown_by(caught.value)


def test_the_repr_hides_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known key in a prompt is not in the repr, which tracebacks and logs show."""
    monkeypatch.setenv("QINGBO_API_KEY", "sk-0123456789abcdef")
    assert "sk-0123" not in repr(VideoRequest(prompt="A koi, sk-0123456789abcdef"))
