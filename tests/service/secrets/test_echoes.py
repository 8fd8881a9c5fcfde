"""Tests of the search for a secret in every encoding, which leaves other text unchanged."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.service.secrets.echoes import hide

KEY = "sk-sentinel-3e1f9c7a5b2d"

#: Ways to escape a character, and text that may separate two characters.
LETTERS = (
    "{0}",
    "%{1:02x}",
    "%25{1:02X}",
    "\\u{1:04x}",
    "\\\\u{1:04x}",
    "\\u{{{1:x}}}",
    "\\U{1:08x}",
    "\\x{1:02X}",
    "\\{1:03o}",
    "&#{1};",
    "&#x{1:x};",
    "&amp;#{1};",
    "%u{1:04x}",
    "%26%23{1}%3B",
    "&#37;{1:02x}",
    "\\\\u0026#x{1:x};",
    "&#92;x{1:02x}",
)
GAPS = (
    "",
    "\u200b",
    "\u00ad",
    "\u034f",
    "\u2060",
    "\ufeff",
    "\n",
    " ",
    "\\n",
    "%E2%80%8B",
    "&shy;",
    "&zwj;",
    "=\r\n",
    "\\u200d",
)


@given(
    st.lists(st.sampled_from(LETTERS), min_size=len(KEY), max_size=len(KEY)),
    st.lists(st.sampled_from(GAPS), min_size=len(KEY), max_size=len(KEY)),
    st.booleans(),
)
def test_any_mixture_of_spellings(letters: list[str], gaps: list[str], upper: bool) -> None:
    """A secret is found with each character escaped differently, and different separators between them."""
    key = KEY.upper() if upper else KEY
    written = "".join(
        letter.format(character, ord(character)) + gap
        for character, letter, gap in zip(key, letters, [*gaps[1:], ""], strict=True)
    )
    assert hide(lambda: KEY, f"key {written}, or so", "*") == "key *, or so"


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "Bearer ", "密钥"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_at_any_place(before: str, encode: Callable[[bytes], bytes]) -> None:
    """A secret is found in base64 at any offset, although three bytes are encoded together."""
    coded = encode((before + KEY + " end").encode()).decode()
    shown = hide(lambda: KEY, f"?a={coded}&b=1", "*")
    assert shown.startswith("?a=")
    assert shown.endswith("&b=1")
    assert len(shown.replace("*", "")) <= len(f"?a={coded}&b=1") - len(KEY), "too much of the secret is left"


@pytest.mark.parametrize(
    "written",
    [
        "".join(f"={ord(letter):02X}" for letter in KEY),
        "".join(f"%3D{ord(letter):02X}" for letter in KEY),
        "<!-- -->".join(KEY),
        "<wbr>".join(KEY),
        "&lt;b&gt;&lt;/b&gt;".join(KEY),
        KEY[::-1],
        *(base64.b32encode(b"x" * shift + KEY.encode()).decode() for shift in range(5)),
        *(
            base64.b64encode(b"x" * outer + base64.b64encode(b"x" * inner + KEY.encode())).decode()
            for outer in range(3)
            for inner in range(3)
        ),
    ],
)
def test_markup_and_encodings(written: str) -> None:
    """A secret is found in markup and encodings, whose end characters, shared with other text, may stay."""
    shown = hide(lambda: KEY, f"key {written}, or so", "*")
    assert shown.startswith("key ")
    assert shown.endswith(", or so")
    assert len(shown.replace("=", "")) <= len("key *, or so") + 12, "too much of the secret is left"


@pytest.mark.parametrize(
    "key", ["deadbeef0123456789", "beefdead0123456789", "u1234567890abcdef", "%41-x=41&lt;b>\\x41"]
)
@pytest.mark.parametrize("before", ["key=", "100%", "C:\\", "<", "&", "%u", "=41", "\\\\"])
def test_preceding_text_does_not_hide_a_key(before: str, key: str) -> None:
    """A key is found even if its first characters could be the end of an escape."""
    assert hide(lambda: key, f"{before}{key}>", "*") == f"{before}*>"


def test_several_and_none() -> None:
    """Every occurrence is replaced, adjacent ones too, and a text without any is unchanged."""
    assert hide(lambda: KEY, f"{KEY}{KEY} {' '.join(KEY)}%20{KEY}", "*") == "** *%20*"
    for text in ("", "sk-sentinel-3e1f9c7a5b2", "100 % & more = \\o/ 锦鲤", "a%zz\\u12&;"):
        assert hide(lambda: KEY, text, "*") == text


def test_a_key_without_its_beginning() -> None:
    """Gateways look a key up without "sk-", and quote what is left; a short rest is an ordinary word."""
    assert hide(lambda: KEY, f"token {KEY[3:]}, {KEY}", "*") == "token *, *"
    assert hide(lambda: "sk-hello-world", "hello-world", "*") == "hello-world"


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "\\",
        "%25",
        "&",
        "&amp;",
        "=\r",
        "\\u",
        "%u",
        "=4",
        "<",
        "<!--",
        "<!-- ",
        "%25u",
        "&#",
        "sk-",
        "s ",
        "锦 ",
    ],
)
def test_a_hostile_text_costs_time_by_its_length_only(piece: str) -> None:
    """The search is linear in the text: a pattern that restarts at each character needs minutes."""
    text = piece * (200_000 // len(piece))
    begun = time.process_time()
    assert hide(lambda: KEY, text, "*") == text
    assert time.process_time() - begun < 5
