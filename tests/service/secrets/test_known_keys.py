"""Tests of keys in use: they are found in any text, even broken by line ends, and are sent in no request."""

from __future__ import annotations

import gc
import json
import logging
from urllib.parse import quote

import pytest

import qingbo_widgets as qw
from qingbo_widgets.exceptions import InvalidRequest
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.secrets.known_keys import HIDDEN, hide, hide_in, holds_key, remember
from qingbo_widgets.service.secrets.secret import Secret
from tests.faults.server import FaultServer

KEY = "sk-sentinel-3e1f9c7a5b2d"
TORN = {
    "whole": KEY,
    "wrapped": f"{KEY[:9]}\n{KEY[9:]}",
    "continued": f"{KEY[:9]}\\\n{KEY[9:]}",
    "invisible letter": f"{KEY[:5]}\u200b{KEY[5:]}",
    "soft hyphen": f"{KEY[:5]}\u00ad{KEY[5:]}",
    "wide letters": f"\uff53\uff4b{KEY[2:]}",
    "percent signs": quote(KEY).replace("-", "%2D"),
}


@pytest.fixture
def key() -> Secret:
    """Return a key that is known as long as the test references it."""
    return remember(Secret(KEY))


@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
def test_a_key_is_hidden_however_it_arrives(key: Secret, torn: str) -> None:
    """A key is hidden in every form, and the text around it is unchanged."""
    assert hide(f"锦鲤 {torn} 锦鲤") == f"锦鲤 {HIDDEN} 锦鲤"
    assert holds_key([{"shots": (qw.Shot(f"A {torn}", 5),)}])


def test_other_texts_stay(key: Secret) -> None:
    """A value without a key is returned as the same object."""
    fields = {"prompt": "100 % 锦鲤", "shots": [qw.Shot("A koi", 5)], "duration": 5}
    assert hide_in(fields) is fields
    assert hide_in({"a": [f"x {KEY}"], "b": (qw.Shot(KEY, 5),)}) == {
        "a": [f"x {HIDDEN}"],
        "b": (qw.Shot(HIDDEN, 5),),
    }


def test_a_list_that_contains_itself_is_no_trap(key: Secret) -> None:
    """A list that contains itself does not cause endless recursion."""
    endless: list[object] = [KEY]
    endless.append(endless)
    assert holds_key(endless)
    assert qw.VideoRequest(prompt=endless).problems()  # type: ignore[arg-type]


def test_a_key_that_nothing_holds_any_more_is_forgotten() -> None:
    """A key without references is no longer hidden."""
    remember(Secret("sk-forgotten-1"))
    gc.collect()
    assert not holds_key("sk-forgotten-1")


def test_the_environments_key_is_known_before_a_client_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the environment is known without a client: a form without a manager takes texts, too."""
    monkeypatch.setenv("WAVE_API_KEY", f" {KEY}\n")
    assert holds_key(KEY)


@pytest.mark.parametrize("short", ["", "sandbox", "hidden>"])
def test_a_text_too_short_to_be_a_key_is_not_hidden(monkeypatch: pytest.MonkeyPatch, short: str) -> None:
    """A short text is not hidden, because it would be found in ordinary words."""
    monkeypatch.setenv("QINGBO_API_KEY", short)
    assert hide("the sandbox is <hidden>") == "the sandbox is <hidden>"


def test_our_log_has_no_key(key: Secret, caplog: pytest.LogCaptureFixture) -> None:
    """The arguments of a log record are hidden, too."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("qingbo_widgets").warning("Asked with %s", {"key": KEY})
    assert KEY not in caplog.text
    assert HIDDEN in caplog.text


FIELDS = {
    "prompt": "{}",
    "negative_prompt": "no {}",
    "model": "{}",
    "action": "{}",
    "callback_url": "https://example.com/hook?key={}",
    "image_urls": ["https://example.com/{}.png"],
    "last_frame": "https://example.com/a.png#{}",
    "camera_control": {"type": "simple", "config": {"{}": 1}},
    "shots": [("{}", 5), ("A koi", 5)],
    "dynamic_masks": [{"mask_url": "https://example.com/{}", "trajectories": [{"x": 1, "y": 1}]}],
}


@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
@pytest.mark.parametrize("field", FIELDS)
def test_no_request_goes_out_with_the_key(field: str, torn: str) -> None:
    """A request with the key in any field is not sent, and the error names the field but not the key."""
    value = json.loads(json.dumps(FIELDS[field]).replace("{}", json.dumps(torn)[1:-1]))
    with FaultServer() as server, Client(KEY, f"{server.url}/v1") as client:
        request = qw.VideoRequest(**{"prompt": "A koi", "model": "kling-v3", field: value})
        with pytest.raises(InvalidRequest, match=f"{field}: it contains the API key") as caught:
            client.submit(request)
    assert server.requests == []
    assert KEY not in str(caught.value)
    assert torn not in str(caught.value)


def test_a_long_key_is_not_shown_by_half() -> None:
    """A message that shortens a quoted value shows no part of the key."""
    long = f"sk-{'0123456789abcdef' * 8}"
    with Client(long, "https://example.com/v1") as client:
        for value in (long, f"prefix {long}"):
            with pytest.raises(InvalidRequest) as caught:
                client.submit(qw.VideoRequest(prompt="A koi", mode=value, aspect_ratio=value))
            assert long[3:20] not in str(caught.value)
            with pytest.raises(InvalidRequest) as caught:
                client.status(value)
            assert long[3:20] not in str(caught.value)


def test_a_key_that_begins_with_another_is_hidden_whole(key: Secret) -> None:
    """The longer of two keys with the same beginning is hidden completely."""
    shorter = remember(Secret(KEY[:11]))
    assert hide(f"A koi {KEY}, {shorter.reveal()}") == f"A koi {HIDDEN}, {HIDDEN}"


def test_a_hidden_key_is_not_submitted_as_a_placeholder() -> None:
    """A prompt with "<hidden>" in it is a problem, because it would be paid for."""
    (problem,) = qw.VideoRequest(prompt=f"A koi {HIDDEN}").problems()
    assert problem.field == "prompt"
    assert "Replace it with what you meant" in problem.message
