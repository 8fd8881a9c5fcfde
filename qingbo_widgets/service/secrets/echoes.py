"""Find a secret in a text from elsewhere, in whatever spelling it comes back.

A gateway may quote a request in its error page: escaped for JSON, HTML or a URL, broken into lines, with soft
hyphens, between tags, in base64, and any of these within another. A reader, or a program that unescapes it,
still gets the secret out of it.
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

#: What a text may be escaped with. A run of letters that stand for themselves is one unit, as each escape is,
#: and a run of what is not visible ASCII.
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
#: Also quoted-printable, and without tags: read so, "key=ab12" begins with a letter that is none.
_MARKED_UP = rf"=(?P<quoted>[0-9a-fA-F]{{2}})|<(?:!--(?:(?!--).){{0,80}}--|[^<>]{{0,80}})>|{_ESCAPES}"
_AS_WRITTEN = re.compile(r"(?P<plain>[!-~]+)|(?P<other>[^!-~]+)")
_HAS_ESCAPES = re.compile(r"[%\\=&<]")
#: How often a text may have been escaped, so that the time grows with the text only.
_DEEPEST = 8


def hide(reveal: Callable[[], str], text: str, instead: str) -> str:
    """Return the text with every occurrence of a secret replaced.

    Args:
        reveal: returns the secret: visible ASCII, long enough not to stand in the middle of any word.
        text: from elsewhere.
        instead: stands where the secret stood.
    """
    spans: set[tuple[int, int]] | BaseException
    try:
        spans = _spans(reveal(), text)
    except BaseException as error:  # an interrupt, say: its traceback through these frames prints the secret
        spans = error.with_traceback(None)
    if isinstance(spans, BaseException):
        raise spans
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], instead]
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


@cache  # of a process's few keys, which it holds anyway
def _forms(secret: str) -> tuple[tuple[str, bool], ...]:
    """Return what to look for among the letters, and whether their case counts."""
    raw = secret.encode()
    any_case = {reading.letters.lower() for reading in _readings(secret)}
    any_case |= {secret.lower(), secret[::-1].lower(), raw.hex()}
    any_case |= {coded.lower() for coded in _encoded(raw, base64.b32encode, 5)}
    once = {coded for encode in _BASE64 for coded in _encoded(raw, encode, 6)}
    exact = once | {coded for form in once for coded in _encoded(form.encode(), base64.b64encode, 6)}
    return (*((form, False) for form in any_case), *((form, True) for form in exact))


_BASE64 = (base64.b64encode, base64.urlsafe_b64encode)


def _encoded(raw: bytes, encode: Callable[[bytes], bytes], bits: int) -> set[str]:
    """Return what raw bytes are encoded as, in letters of so many bits, wherever in a text they stand."""
    return {
        encode(bytes(shift) + raw).decode()[-(-shift * 8 // bits) : (shift + len(raw)) * 8 // bits]
        for shift in range(bits)  # encodings go by groups of bytes, so it depends on what stands before
    }


@cache  # compiled when the first text with escapes comes: it takes 7 ms, a tenth of a first form
def _unescaping() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of what stands for one letter, in a text with escapes."""
    return re.compile(_ESCAPES, re.DOTALL | re.VERBOSE), re.compile(_MARKED_UP, re.DOTALL | re.VERBOSE)


def _readings(text: str) -> Iterator[_Reading]:
    """Yield the text as it is written, and what it amounts to as its escapes are undone, layer by layer."""
    yield _Reading(text, _AS_WRITTEN)
    if not _HAS_ESCAPES.search(text):
        return
    for pattern in _unescaping():
        reading = _Reading(text, pattern)
        yield reading
        for _ in range(_DEEPEST - 1):
            outer, reading = reading, _Reading(reading.letters, pattern, reading)
            if reading.letters == outer.letters:
                break
            yield reading


class _Reading:
    """The visible ASCII letters that a text amounts to, and where each of them stands.

    Args:
        text: to be read.
        units: the pattern of what stands for one letter, or for none.
        outer: the reading that the text is the letters of, where something was escaped more than once.

    Attributes:
        letters: without blanks, and without letters that are invisible or not ASCII.
    """

    def __init__(self, text: str, units: re.Pattern[str], outer: _Reading | None = None) -> None:
        self._outer = outer
        self._firsts: list[int] = []
        self._units: list[tuple[int, int, bool]] = []  # start, end, and whether each letter stands for itself
        parts, length = [], 0
        for start, end, part, is_plain in _units(units, text):
            self._firsts.append(length)
            self._units.append((start, end, is_plain))
            parts.append(part)
            length += len(part)
        self.letters = "".join(parts)

    def place(self, index: int) -> tuple[int, int]:
        """Return the start and the end of what a letter is written as in the outermost text."""
        number = bisect_right(self._firsts, index) - 1
        start, end, is_plain = self._units[number]
        if is_plain:
            start += index - self._firsts[number]
            end = start + 1
        if self._outer is None:
            return start, end
        return self._outer.place(start)[0], self._outer.place(end - 1)[1]


def _units(units: re.Pattern[str], text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield start, end and letters of each unit that means any, and whether each letter stands for itself."""
    for unit in units.finditer(text):
        start, end = unit.span()
        if not (letters := _meaning(unit)):
            continue
        if unit.lastgroup == "other":  # a run: those between which the secret stands are none of it
            for place, letter in enumerate(unit[0], start):
                if letters := _visible(letter):
                    yield place, place + 1, letters, False
        else:
            yield start, end, letters, letters == unit[0]


def _meaning(unit: re.Match[str]) -> str:
    kind = unit.lastgroup
    if kind in ("plain", "sign", "itself"):
        return unit[kind]
    if kind in (None, "blank"):
        return ""
    if kind == "entity":
        meant = html.unescape(f"&{unit[kind]};")
        if meant.startswith("&") and len(meant) > 1:
            return unit[0]  # no such entity
    elif kind == "other":
        meant = unit[0]
    else:
        code = int(unit[kind], 8 if kind == "octal" else 16)
        meant = chr(code) if code <= 0x10FFFF else ""
    return _visible(meant)


def _visible(letters: str) -> str:
    """Return the visible ASCII in letters; fullwidth ones and the like are read as what they look like."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", letters) if "!" <= letter <= "~")
