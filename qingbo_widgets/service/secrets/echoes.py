"""Search for a secret in external text, in every encoding in which it may be echoed.

A gateway may quote a request in its error page: escaped for JSON, HTML or a URL, broken into lines, with soft
hyphens, between tags, in base64, and any of these nested. A reader, or a program that unescapes the page, can
still recover the secret.
"""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache

__all__ = ["hide"]

#: A text is read in units: an escape, a run of literal characters, or a run of characters that are not
#: visible ASCII. This pattern matches one unit.
_ESCAPES = r"""
    (?P<plain>[^%\\=&<\x00-\x20\x7f-\U0010ffff]+)
    |%u(?P<wide>[0-9a-fA-F]{4})|%(?P<percent>[0-9a-fA-F]{2})
    |\\(?:u(?P<four>[0-9a-fA-F]{4})|u\{(?P<braced>[0-9a-fA-F]{1,6})\}|U(?P<eight>[0-9a-fA-F]{8})
        |x(?P<two>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})|(?P<itself>[\\"'/])|(?P<blank>[nrtbfv]))
    |[=\\]\r?\n
    |&(?P<entity>\#[xX]?[0-9a-fA-F]{1,9}|[a-zA-Z][a-zA-Z0-9]{1,30});?
    |(?P<other>[\x00-\x20\x7f-\U0010ffff]+)
    |(?P<sign>.)
"""
#: Like ``_ESCAPES``, but also decodes quoted-printable and skips tags. It is a second reading of the text,
#: because it would decode the literal text "key=ab12".
_MARKED_UP = rf"=(?P<quoted>[0-9a-fA-F]{{2}})|<(?:!--(?:(?!--).){{0,80}}--|[^<>]{{0,80}})>|{_ESCAPES}"
_AS_WRITTEN = re.compile(r"(?P<plain>[!-~]+)|(?P<other>[^!-~]+)")
#: Gateways look a key up without this beginning, and quote what is left; it tells the key.
_PREFIX = "sk-"
#: Characters of the shortest rest to search for, too long for a part of an ordinary word.
_LEAST_REST = 16
_HAS_ESCAPES = re.compile(r"[%\\=&<]")
#: Layers of escapes that are decoded; the limit keeps the time linear in the length of the text.
_MAX_LAYERS = 8


def hide(reveal: Callable[[], str], text: str, replacement: str) -> str:
    """Return the text with every occurrence of a secret replaced.

    Args:
        reveal: returns the secret: visible ASCII, too long to be a part of an ordinary word.
        text: an external text.
        replacement: the text that replaces the secret.
    """
    spans: set[tuple[int, int]] | BaseException
    try:
        spans = _spans(reveal(), text)
    except BaseException as error:  # even an interrupt: raised below, from a frame without the secret
        spans = error.with_traceback(None)
    if isinstance(spans, BaseException):
        raise spans
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], replacement]
        end = max(end, stop)
    return "".join((*parts, text[end:]))


def _spans(secret: str, text: str) -> set[tuple[int, int]]:
    spans = set()
    for reading in _readings(text):
        lowered = reading.letters.lower()
        for form, is_exact in _forms(secret):
            letters = reading.letters if is_exact else lowered
            at = letters.find(form)
            while at >= 0:
                spans.add((reading.place(at)[0], reading.place(at + len(form) - 1)[1]))
                at = letters.find(form, at + 1)
    return spans


@cache  # a process has few keys, and holds them anyway
def _forms(secret: str) -> tuple[tuple[str, bool], ...]:
    """Return the forms of the secret to search for, and for each whether case matters."""
    raw = secret.encode()
    any_case = {reading.letters.lower() for reading in _readings(secret)}
    any_case |= {secret.lower(), secret[::-1].lower(), raw.hex()}
    if len(rest := secret.removeprefix(_PREFIX)) >= _LEAST_REST:
        any_case.add(rest.lower())
    any_case |= {coded.lower() for coded in _encoded(raw, base64.b32encode, 5)}
    once = {coded for encode in _BASE64 for coded in _encoded(raw, encode, 6)}
    exact = once | {coded for form in once for coded in _encoded(form.encode(), base64.b64encode, 6)}
    return (*((form, False) for form in any_case), *((form, True) for form in exact))


_BASE64 = (base64.b64encode, base64.urlsafe_b64encode)


def _encoded(raw: bytes, encode: Callable[[bytes], bytes], bits: int) -> set[str]:
    """Return the encodings of raw bytes at any offset, without characters shared with neighbouring bytes."""
    return {
        encode(bytes(shift) + raw).decode()[-(-shift * 8 // bits) : (shift + len(raw)) * 8 // bits]
        for shift in range(bits)  # groups of bytes are encoded together, so the offset matters
    }


@cache  # compiled for the first text with escapes: it takes 7 ms, a tenth of the time to build the first form
def _unescaping() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of the units of a text with escapes."""
    return re.compile(_ESCAPES, re.DOTALL | re.VERBOSE), re.compile(_MARKED_UP, re.DOTALL | re.VERBOSE)


def _readings(text: str) -> Iterator[_Reading]:
    """Yield readings of the text: as written, and with its escapes undone, layer by layer."""
    yield _Reading(text, _AS_WRITTEN)
    if not _HAS_ESCAPES.search(text):
        return
    for pattern in _unescaping():
        reading = _Reading(text, pattern)
        yield reading
        for _ in range(_MAX_LAYERS - 1):
            outer, reading = reading, _Reading(reading.letters, pattern, reading)
            if reading.letters == outer.letters:
                break
            yield reading


class _Reading:
    """A decoding of a text to visible ASCII characters, with the position of each in the text.

    Args:
        text: the text to decode.
        units: the pattern of a unit, which stands for one character, several, or none.
        outer: the reading whose ``letters`` are this text, if it was escaped more than once.

    Attributes:
        letters: the characters, without blanks and without those that are invisible or not ASCII.
    """

    def __init__(self, text: str, units: re.Pattern[str], outer: _Reading | None = None) -> None:
        self._outer = outer
        self._firsts: list[int] = []
        self._units: list[tuple[int, int, bool]] = []  # start, end, and whether the characters are literal
        parts, length = [], 0
        for start, end, part, is_plain in _units(units, text):
            self._firsts.append(length)
            self._units.append((start, end, is_plain))
            parts.append(part)
            length += len(part)
        self.letters = "".join(parts)

    def place(self, index: int) -> tuple[int, int]:
        """Return the start and end, in the original text, of the unit that a character comes from."""
        number = bisect_right(self._firsts, index) - 1
        start, end, is_plain = self._units[number]
        if is_plain:
            start += index - self._firsts[number]
            end = start + 1
        if self._outer is None:
            return start, end
        return self._outer.place(start)[0], self._outer.place(end - 1)[1]


def _units(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield start, end and characters of each unit that has any, and whether they are literal."""
    for unit in pattern.finditer(text):
        start, end = unit.span()
        if not (letters := _decoded(unit)):
            continue
        if unit.lastgroup == "other":  # a run: invisible neighbours of the secret are not replaced
            for place, letter in enumerate(unit[0], start):
                if letters := _visible(letter):
                    yield place, place + 1, letters, False
        else:
            yield start, end, letters, letters == unit[0]


def _decoded(unit: re.Match[str]) -> str:
    kind = unit.lastgroup
    if kind in ("plain", "sign", "itself"):
        return unit[kind]
    if kind in (None, "blank"):
        return ""
    if kind == "entity":
        decoded = html.unescape(f"&{unit[kind]};")
        if decoded.startswith("&") and len(decoded) > 1:
            return unit[0]  # no such entity
    elif kind == "other":
        decoded = unit[0]
    else:
        code = int(unit[kind], 8 if kind == "octal" else 16)
        decoded = chr(code) if code <= 0x10FFFF else ""
    return _visible(decoded)


def _visible(letters: str) -> str:
    """Return the visible ASCII of a text, with fullwidth and similar characters normalised to ASCII."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", letters) if "!" <= letter <= "~")
