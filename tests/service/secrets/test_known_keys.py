"""The key in use is found in any text, also in one that was torn on its way; and goes out in no request."""

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
    """A key that is known as long as the test holds it."""
    return remember(Secret(KEY))


@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
def test_a_key_is_hidden_however_it_arrives(key: Secret, torn: str) -> None:
    """And the text around it stays."""
    assert hide(f"锦鲤 {torn} 锦鲤") == f"锦鲤 {HIDDEN} 锦鲤"
    assert holds_key([{"shots": (qw.Shot(f"A {torn}", 5),)}])


def test_other_texts_stay(key: Secret) -> None:
    """They are the same objects, even."""
    fields = {"prompt": "100 % 锦鲤", "shots": [qw.Shot("A koi", 5)], "duration": 5}
    assert hide_in(fields) is fields
    assert hide_in({"a": [f"x {KEY}"], "b": (qw.Shot(KEY, 5),)}) == {
        "a": [f"x {HIDDEN}"],
        "b": (qw.Shot(HIDDEN, 5),),
    }


def test_a_list_that_contains_itself_is_no_trap(key: Secret) -> None:
    """A request can be built of anything."""
    endless: list[object] = [KEY]
    endless.append(endless)
    assert holds_key(endless)
    assert qw.VideoRequest(prompt=endless).problems()  # type: ignore[arg-type]


def test_a_key_that_nothing_holds_any_more_is_forgotten() -> None:
    """It would be found in the texts of users who never had it."""
    remember(Secret("sk-forgotten-1"))
    gc.collect()
    assert not holds_key("sk-forgotten-1")


def test_the_environments_key_is_known_before_a_client_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form without a manager takes texts too."""
    monkeypatch.setenv("WAVE_API_KEY", f" {KEY}\n")
    assert holds_key(KEY)


@pytest.mark.parametrize("short", ["", "sandbox", "hidden>"])
def test_what_is_too_short_to_be_a_key_hides_nothing(monkeypatch: pytest.MonkeyPatch, short: str) -> None:
    """It would be found in the middle of words."""
    monkeypatch.setenv("QINGBO_API_KEY", short)
    assert hide("the sandbox is <hidden>") == "the sandbox is <hidden>"


def test_our_log_has_no_key(key: Secret, caplog: pytest.LogCaptureFixture) -> None:
    """For every value."""
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
    """In whatever field; the refusal names the field and not the key, and the service is not even asked."""
    value = json.loads(json.dumps(FIELDS[field]).replace("{}", json.dumps(torn)[1:-1]))
    with FaultServer() as server, Client(KEY, f"{server.url}/v1") as client:
        request = qw.VideoRequest(**{"prompt": "A koi", "model": "kling-v3", field: value})
        with pytest.raises(InvalidRequest, match=f"{field}: the API key stands in it") as caught:
            client.submit(request)
    assert server.requests == []
    assert KEY not in str(caught.value)
    assert torn not in str(caught.value)


def test_a_long_key_is_not_shown_by_half() -> None:
    """A message shortens the value that it quotes."""
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
    """Its rest would still be most of a key."""
    shorter = remember(Secret(KEY[:11]))
    assert hide(f"A koi {KEY}, {shorter.reveal()}") == f"A koi {HIDDEN}, {HIDDEN}"


def test_what_was_taken_out_is_not_submitted_as_a_gap() -> None:
    """A prompt that reads "<hidden>" would be paid for all the same."""
    (problem,) = qw.VideoRequest(prompt=f"A koi {HIDDEN}").problems()
    assert problem.field == "prompt"
    assert "Put there what is meant" in problem.message
