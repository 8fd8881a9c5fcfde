"""Find a secret in a text from elsewhere, in whatever spelling it comes back.

A gateway may quote a request in its error page: escaped for JSON, HTML or a URL, broken into lines, with soft
hyphens, in base64. A reader, or a program that unescapes it, still gets the secret out of it.
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

#: A run of letters that stand for themselves, one escape, or a run of what is not visible ASCII. A percent
#: sign, a backslash or an ampersand may itself have been escaped, several times over: within bounds, so that
#: the time grows with the text only.
_UNIT = re.compile(
    r"(?P<plain>[^%\\=&\x00-\x20\x7f-\U0010ffff]+)"
    r"|%(?:25){0,8}(?P<percent>[0-9a-fA-F]{2})"
    r"|\\{1,16}(?:u(?P<four>[0-9a-fA-F]{4})|u\{(?P<braced>[0-9a-fA-F]{1,6})\}|U(?P<eight>[0-9a-fA-F]{8})"
    r"|x(?P<two>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})|(?P<blank>[nrtbfv]))"
    r"|[=\\]\r?\n"
    r"|&(?:amp;){0,8}(?P<entity>#[xX]?[0-9a-fA-F]{1,9}|[a-zA-Z][a-zA-Z0-9]{1,30});?"
    r"|(?P<other>[\x00-\x20\x7f-\U0010ffff]+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)


def hide(reveal: Callable[[], str], text: str, instead: str) -> str:
    """Return the text with every occurrence of a secret replaced.

    Args:
        reveal: returns the secret: visible ASCII, long enough not to stand in the middle of any word.
        text: from elsewhere.
        instead: stands where the secret stood.
    """
    spans: set[tuple[int, int]] | BaseException
    try:
        spans = _spans(reveal(), _Unfolded(text))
    except (
        BaseException
    ) as error:  # an interrupt, say: a traceback through these frames would print the secret
        spans = error.with_traceback(None)
    if isinstance(spans, BaseException):
        raise spans
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], instead]
        end = max(end, stop)
    return "".join((*parts, text[end:]))


def _spans(secret: str, unfolded: _Unfolded) -> set[tuple[int, int]]:
    spans = set()
    lowered = unfolded.letters.lower()
    for form, is_exact in _forms(secret):
        letters = unfolded.letters if is_exact else lowered
        at = letters.find(form)
        while at >= 0:
            spans.add((unfolded.place(at)[0], unfolded.place(at + len(form) - 1)[1]))
            at = letters.find(form, at + 1)
    return spans


@cache  # of a process's few keys, which it holds anyway
def _forms(secret: str) -> tuple[tuple[str, bool], ...]:
    """Return what to look for among the letters, and whether their case counts."""
    raw = secret.encode()
    exact = set()
    for shift in range(3):  # base64 encodes three bytes at a time, so it depends on what stands before
        coded = base64.b64encode(bytes(shift) + raw).decode()
        whole = coded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        exact |= {whole, whole.replace("+", "-").replace("/", "_")}
    any_case = {secret.lower(), _Unfolded(secret).letters.lower(), raw.hex()}
    return (*((form, False) for form in any_case), *((form, True) for form in exact))


class _Unfolded:
    """The visible ASCII letters that a text amounts to once nothing in it is escaped, and where each stands.

    Attributes:
        letters: without blanks, and without letters that are invisible or not ASCII.
    """

    def __init__(self, text: str) -> None:
        self._firsts: list[int] = []
        self._units: list[tuple[int, int, bool]] = []  # start, end, and whether each letter stands for itself
        parts, length = [], 0
        for start, end, part, is_plain in _units(text):
            self._firsts.append(length)
            self._units.append((start, end, is_plain))
            parts.append(part)
            length += len(part)
        self.letters = "".join(parts)

    def place(self, index: int) -> tuple[int, int]:
        """Return the start and the end of what a letter is written as."""
        number = bisect_right(self._firsts, index) - 1
        start, end, is_plain = self._units[number]
        if not is_plain:
            return start, end
        at = start + index - self._firsts[number]
        return at, at + 1


def _units(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield start, end and letters of each unit that means any, and whether each letter stands for itself."""
    for unit in _UNIT.finditer(text):
        start, end = unit.span()
        if not (letters := _meaning(unit)):
            continue
        if unit.lastgroup == "other":  # a run: those between which the secret stands are none of it
            for place, letter in enumerate(unit[0], start):
                if letters := _visible(letter):
                    yield place, place + 1, letters, False
        else:
            yield start, end, letters, unit.lastgroup == "plain"


def _meaning(unit: re.Match[str]) -> str:
    kind = unit.lastgroup
    if kind in ("plain", "sign"):
        return unit[0]
    if kind in (None, "blank"):
        return ""
    if kind == "entity":
        meant = html.unescape(f"&{unit[kind]};")
    elif kind == "other":
        meant = unit[0]
    else:
        code = int(unit[kind], 8 if kind == "octal" else 16)
        meant = chr(code) if code <= 0x10FFFF else ""
    return _visible(meant)


def _visible(letters: str) -> str:
    """Return the visible ASCII in letters; fullwidth ones and the like are read as what they look like."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", letters) if "!" <= letter <= "~")
