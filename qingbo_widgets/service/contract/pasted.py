"""Reading what users paste: the service's JSON, a part of it, or a command or program that sends it.

Nothing of the request is dropped silently: what ``VideoRequest`` has no place for is listed. A key is never
kept, wherever it stands.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ...i18n import N_, tr
from ..secrets.known_keys import hide_in
from ..secrets.masking import mask_in, without_secrets
from .models import DEFAULT_CONTRACT, models_of
from .request import VideoRequest
from .wire import Places, place_of

__all__ = ["Pasted", "keepable", "read_body", "read_pasted"]

_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_CURL = r"(?:^|(?<=[\s;&|]))curl(?:\.exe)?\s"
#: Braces at which an object is looked for in a program; each try reads on to the end of the object.
_MOST_BRACES = 200

_EMPTY = N_("There is nothing to read.")
_NO_JSON = N_("This is not JSON: {reason} (line {line}, column {column}).")
_NO_OBJECT = N_("This is JSON, and not an object with the fields of a request.")
_NO_COMMAND = N_("This curl command cannot be read: {reason}.")
_NO_DATA = N_("This curl command carries no data (-d) to read.")
_FROM_FILE = N_("This curl command reads its data from a file; paste what is in the file.")


@dataclass(frozen=True)
class Pasted:
    """What was read.

    Attributes:
        request: the request.
        named: the fields that the text has named; the others of ``request`` are defaults.
        unknown: what found no place, as ``extra.seed: 7``, in the order of the text.
    """

    request: VideoRequest
    named: frozenset[str]
    unknown: tuple[str, ...] = ()


def read_pasted(text: str, contract: str = DEFAULT_CONTRACT) -> Pasted:
    """Read a request out of JSON, a piece such as ``"extra": {…}``, a curl command, or a program with JSON.

    Raises:
        ValueError: the text is none of these; the message says where it stops being one.
    """
    return read_body(_body_of(text), contract)


def keepable(text: str) -> str:
    """Return as much of a pasted text as a widget may keep: no key, and of a command its JSON alone."""
    try:
        body = _without_secrets(_body_of(text), Places(models_of()))
    except ValueError:  # to be mended by the user, so as much as possible stays
        return without_secrets(text)
    kept = json.dumps(body, ensure_ascii=False, indent=2)
    return text if "".join(text.split()) == "".join(kept.split()) else kept


def read_body(body: Mapping[str, Any], contract: str = DEFAULT_CONTRACT) -> Pasted:
    """Read JSON of any origin; what has no place in a request is listed, without its secrets."""
    models = models_of(contract)
    places = Places(models, body.get("model"))
    fields, unknown = places.read(_without_secrets(body, places))
    listed = tuple(f"{place}: {_short(value)}" for place, value in unknown)
    return Pasted(VideoRequest(**fields), frozenset(fields), listed)


def _without_secrets(body: Mapping[str, Any], places: Places, inside: str = "") -> dict[str, Any]:
    """Keep what the request is made of as it is; mask what looks like a secret in all else."""
    kept: dict[str, Any] = {}
    for name, value in body.items():
        place = place_of(inside, name)
        if place in places.objects and isinstance(value, Mapping):
            kept[name] = _without_secrets(value, places, place)
        elif places.fits(place, value):
            kept[name] = hide_in(value)
        else:
            kept |= mask_in({name: value})
    return kept


def _body_of(text: str) -> Mapping[str, Any]:
    """Find the JSON object that a text is, or that a command or a program sends.

    Raises:
        ValueError: there is none.
    """
    text = text.strip().removeprefix("\ufeff").strip()
    if not text:
        raise ValueError(tr(_EMPTY))
    is_json = text.startswith(("{", "[", '"'))
    command = None if is_json else re.search(_CURL, text)
    if command:
        text = _data_of_curl(text[command.start() :])
    elif re.match(r'"[^"\n]*"\s*:', text):
        text = "{" + text.rstrip(", \n") + "}"
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        if not (is_json or command) and (found := _object_in(text)) is not None:
            return found
        raise ValueError(
            tr(_NO_JSON).format(reason=error.msg.lower(), line=error.lineno, column=error.colno)
        ) from None
    except RecursionError:
        raise ValueError(tr(_NO_OBJECT)) from None
    if not isinstance(body, Mapping):
        raise ValueError(tr(_NO_OBJECT))
    return body


def _object_in(text: str) -> Mapping[str, Any] | None:
    """Find the first JSON object in a program that has a field of a request."""
    decoder = json.JSONDecoder()
    for brace in islice(re.finditer("{", text), _MOST_BRACES):
        try:
            found, _ = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, Mapping) and read_body(found).named:
            return found
    return None


def _short(value: Any) -> str:
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= 80 else f"{told[:79]}…"


def _data_of_curl(command: str) -> str:
    # A line that ends in a backslash (sh), a caret (cmd) or a backtick (PowerShell) goes on in the next.
    command = re.sub(r"[\\^`]\s*\r?\n", " ", command)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(tr(_NO_COMMAND).format(reason=str(error).lower())) from None
    data = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, is_joined, joined = word.partition("=")
        if word in _DATA:
            data.append(following)
        elif is_joined and name in _DATA[1:]:
            data.append(joined)
        elif word.startswith("-d") and word[2:3] in ("{", "@"):
            data.append(word[2:])
    if not data:
        raise ValueError(tr(_NO_DATA))
    if data[0].startswith("@"):
        raise ValueError(tr(_FROM_FILE))
    return data[0]
