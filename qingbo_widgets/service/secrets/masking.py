"""Masking of text that looks like a key, without knowing the key.

Copied commands and snippets contain a key: in a header, an option, a URL, an assignment, or alone. When in
doubt, text is masked; ``pasted`` has read the request from the text before.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from .known_keys import hide

__all__ = ["MASK", "is_secret_name", "mask_in", "without_secrets"]

#: The replacement for masked text.
MASK = "…"

_QUOTE = r"(?:\\*[\"'`“”‘’])"
#: A character of a word that is not part of a URL or a path.
_WORD = r"[\w+=-]"
_APART, _ENDS = r"(?<![\w/.+=-])(?P<key>", r"(?![\w/]|\.\w)"
#: The text of a key. A variable, a placeholder and a call are not keys.
_KEY = r"(?P<key>(?![$<%{(…])(?!(?:bearer|basic|digest)\b)[^\s\"'`“”‘’,;&)}\]\\]{6,})"
_SCHEME = (
    rf"(?:{_QUOTE}?(?:bearer|basic|digest|token|key|api-?key)[\s:=]{{1,9}}"
    rf"(?:{_QUOTE}\s?[+.]\s?{_QUOTE})?)?"
)
_NAMED = (
    r"(?:[\w-]*auth(?:ori[sz]ation)?|[\w-]*(?:key|token|secret|cookie|bearer)|passw(?:or)?d|passwd|pwd|pass"
    r"|passphrase|credentials?|jwt|密钥|令牌|密码|口令)"
)
_KEYWORD = r"(?:bearer|passw(?:or)?d|login|api key|[\w-]+[_-](?:key|token|secret|securestring))"
_OPTION = r"(?-i:-[uUba])|--(?:proxy-)?user|--oauth2-bearer|--cookie|--pass|--auth"
#: Blanks are limited in number: without a limit, a page of them would take minutes.
_PATTERNS = (
    # Authorization: Bearer KEY · "X-API-Key": "KEY" · api_key=KEY · ('Authorization', 'KEY')
    rf"(?<![\w-]){_NAMED}{_QUOTE}?\s{{0,9}}\]?\s?(?:=>|[:=,：])\s{{0,9}}\w?{_QUOTE}?\s?{_SCHEME}{_KEY}",
    # bearer KEY · password KEY · setx QINGBO_API_KEY KEY · ConvertTo-SecureString KEY
    rf"(?<![\w-]){_KEYWORD}{_QUOTE}?(?:\s?\+)?\s{{1,9}}{_QUOTE}?{_KEY}",
    # -u user:KEY · --user=KEY · --oauth2-bearer KEY · -b name=KEY · -uuser:KEY
    rf"(?<![\w-])(?:{_OPTION})[\s=]{{1,9}}{_QUOTE}?{_KEY}",
    r"(?<![\w-])(?-i:-[uUba])(?P<key>[^\s\"'-][^\s\"':=]{0,99}[:=][^\s\"']+)",
    # auth=("user", "KEY") · BasicAuth("user", "KEY")
    r"\b\w*(?:auth|credential)\w*\s?=?\s?(?:[\w.]{1,99})?\(\s?(?P<key>[\"'][^\n)]*)",
    # https://user:KEY@host · /token/KEY
    r"://(?P<key>[^\s/@\"'…]+)@",
    r"/(?:token|key|api-?key|auth|secret)s?/(?P<key>[\w.~%+=-]{6,})",
    # sk-… · a JSON Web Token · random letters and digits
    r"(?<![\w-])(?P<key>(?:sk|pk|ak|rk|key|api|wave|qingbo)[-_][a-z0-9][\w.-]{7,})",
    r"(?<![\w-])(?P<key>(?-i:eyJ)[\w-]{8,}[\w.-]*)",
    rf"{_APART}(?=(?-i:{_WORD}*[a-z]))(?=(?-i:{_WORD}*[A-Z]))(?={_WORD}*\d){_WORD}{{12,}}){_ENDS}",
    rf"{_APART}(?={_WORD}*[a-z])(?={_WORD}*\d){_WORD}{{24,}}){_ENDS}",
)
#: A single long word, as copied from a dashboard.
_ALONE = rf"{_QUOTE}?(?!\w+://)(?![\[{{])[!#-&(-_a-~]{{12,}}{_QUOTE}?"
_SECRET_NAME = (
    r"auth(?!ors?$)|token|secret|passw|passphrase|pwd|bearer|cookie|credential|session|signature|jwt"
    r"|key$|^pass$|^keys$"
)
#: Fields that contain a header's name in a list of headers: ``{"name": "Authorization", "value": …}``.
_NAME_FIELDS = ("name", "key", "header", "field")


def without_secrets(text: str) -> str:
    """Return the text with everything masked that looks like a key; unchanged if there is nothing."""
    return MASK if re.fullmatch(_ALONE, _visible(text).strip()) else _without_keys(text)


def is_secret_name(name: str) -> bool:
    """Return whether a field, a header or a variable of this name holds a key."""
    return re.search(_SECRET_NAME, re.sub(r"[^a-z0-9]", "", name.lower())) is not None


def mask_in(value: Any, depth: int = 20) -> Any:
    """Return a JSON value with every value masked that has a secret's name or looks like a key."""
    if isinstance(value, str):
        return _without_keys(value)
    if not depth:
        return MASK
    if isinstance(value, list):
        is_pair = len(value) == 2 and isinstance(value[0], str) and is_secret_name(value[0])
        return [value[0], MASK] if is_pair else [mask_in(item, depth - 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    names = [value[name] for name in _NAME_FIELDS if isinstance(value.get(name), str)]
    is_named = any(map(is_secret_name, names))
    masked = {}
    for name, item in value.items():
        is_secret = is_secret_name(name) or (is_named and name not in _NAME_FIELDS)
        masked[_without_keys(name)] = MASK if is_secret else mask_in(item, depth - 1)
    return masked


@cache  # compiled for the first text: it takes 3 ms, which must not delay a first form
def _compiled() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.ASCII | re.IGNORECASE) for pattern in _PATTERNS)


def _without_keys(text: str) -> str:
    text = hide(text)
    # A line break would separate a value from its name.
    masked = joined = re.sub(r"[\\^`][ \t]*\r?\n", " ", _visible(text))
    for pattern in _compiled():
        masked = pattern.sub(_masked, masked)
    return text if masked == joined else masked


def _visible(text: str) -> str:
    """Return the text without invisible characters, which would split a name."""
    return "".join(
        character
        for character in text
        if character in "\n\r\t" or unicodedata.category(character) not in ("Cf", "Cc")
    )


def _masked(match: re.Match[str]) -> str:
    begin, end = (place - match.start() for place in match.span("key"))
    return match[0][:begin] + MASK + match[0][end:]
