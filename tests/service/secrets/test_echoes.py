"""A secret is found in whatever spelling, and nothing else is touched."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.service.secrets.echoes import hide

KEY = "sk-sentinel-3e1f9c7a5b2d"

#: Ways to write a letter, and what may stand between two.
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
    """Each letter in a spelling of its own, with something else between each two of them."""
    key = KEY.upper() if upper else KEY
    written = "".join(
        letter.format(character, ord(character)) + gap
        for character, letter, gap in zip(key, letters, [*gaps[1:], ""], strict=True)
    )
    assert hide(lambda: KEY, f"key {written}, or so", "*") == "key *, or so"


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "Bearer ", "密钥"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_at_any_place(before: str, encode: object) -> None:
    """It encodes three letters at a time, so it looks different behind each beginning."""
    coded = encode((before + KEY + " end").encode()).decode()
    shown = hide(lambda: KEY, f"?a={coded}&b=1", "*")
    assert shown.startswith("?a=")
    assert shown.endswith("&b=1")
    assert len(shown.replace("*", "")) <= len(f"?a={coded}&b=1") - len(KEY), "too much of it is left"


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
    """Of an encoding, the ends may be left: they hold letters that stand before or behind, too."""
    shown = hide(lambda: KEY, f"key {written}, or so", "*")
    assert shown.startswith("key ")
    assert shown.endswith(", or so")
    assert len(shown.replace("=", "")) <= len("key *, or so") + 12, "too much of it is left"


@pytest.mark.parametrize(
    "key", ["deadbeef0123456789", "beefdead0123456789", "u1234567890abcdef", "%41-x=41&lt;b>\\x41"]
)
@pytest.mark.parametrize("before", ["key=", "100%", "C:\\", "<", "&", "%u", "=41", "\\\\"])
def test_what_stands_before_takes_nothing_from_it(before: str, key: str) -> None:
    """A key whose first letters could be read as the end of an escape is found as it is written."""
    assert hide(lambda: key, f"{before}{key}>", "*") == f"{before}*>"


def test_several_and_none() -> None:
    """All of them, next to each other too, and a text without any stays as it is."""
    assert hide(lambda: KEY, f"{KEY}{KEY} {' '.join(KEY)}%20{KEY}", "*") == "** *%20*"
    for text in ("", "sk-sentinel-3e1f9c7a5b2", "100 % & more = \\o/ 锦鲤", "a%zz\\u12&;"):
        assert hide(lambda: KEY, text, "*") == text


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
    """It takes a fraction of a second; a pattern that tries each beginning again needs minutes."""
    text = piece * (200_000 // len(piece))
    begun = time.process_time()
    assert hide(lambda: KEY, text, "*") == text
    assert time.process_time() - begun < 5
