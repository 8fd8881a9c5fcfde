"""The parser of pasted requests: the service's JSON, a part of it, or a command or program that sends it.

Nothing in the request is dropped silently: values that have no place in ``VideoRequest`` are listed. A key is
never kept, wherever it appears.
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
from .models import DEFAULT_CONTRACT, contracts, models_of
from .request import VideoRequest
from .wire import Places, place_of

__all__ = ["Pasted", "read_body", "read_pasted", "redacted"]

_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_CURL = r"(?:^|(?<=[\s;&|]))curl(?:\.exe)?\s"
#: The number of braces in a program at which to try to parse an object; each try parses to its end.
_MOST_BRACES = 200

_EMPTY = N_("Nothing to read: paste JSON or a curl command.")
_NO_JSON = N_("This is not JSON: {reason} (line {line}, column {column}).")
_NO_OBJECT = N_("This is JSON, but not an object with the fields of a request.")
_NO_COMMAND = N_("This curl command cannot be read: {reason}.")
_NO_DATA = N_("This curl command has no data (-d).")
_FROM_FILE = N_("This curl command reads its data from a file; paste the content of the file.")


@dataclass(frozen=True)
class Pasted:
    """The result of reading a pasted text.

    Attributes:
        request: the request.
        named: the fields that the text sets; the other fields of ``request`` have defaults.
        unknown: the values without a place in a request, as ``extra.seed: 7``, in the order of the text.
    """

    request: VideoRequest
    named: frozenset[str]
    unknown: tuple[str, ...] = ()


def read_pasted(text: str, contract: str = DEFAULT_CONTRACT) -> Pasted:
    """Read a request from JSON, a part such as ``"extra": {…}``, a curl command, or a program with JSON.

    Raises:
        ValueError: the text is none of these; the message states where parsing failed.
    """
    return read_body(_body_of(text), contract)


def redacted(text: str) -> str:
    """Return the part of a pasted text that a widget may keep: no key, and only the JSON of a command."""
    try:
        body = _body_of(text)
        body = _without_secrets(body, _places_for(body, DEFAULT_CONTRACT))
    except ValueError:  # the user must correct the text, so keep as much of it as possible
        return without_secrets(text)
    redacted = json.dumps(body, ensure_ascii=False, indent=2)
    return text if "".join(text.split()) == "".join(redacted.split()) else redacted


def read_body(body: Mapping[str, Any], contract: str = DEFAULT_CONTRACT) -> Pasted:
    """Read JSON from any source; list the values without a place in a request, without their secrets.

    Args:
        body: the JSON object.
        contract: the contract in whose names to read it, unless more of it has a place in another contract.
    """
    places = _places_for(body, contract)
    fields, unknown = places.read(_without_secrets(body, places))
    listed = tuple(f"{place}: {_shortened(value)}" for place, value in unknown)
    return Pasted(VideoRequest(**fields), frozenset(fields), listed)


def _places_for(body: Mapping[str, Any], contract: str) -> Places:
    """Return the places of the contract in which most of a body has one; the given contract if several do."""
    places = Places(models_of(contract), body.get("model"))
    fewest = len(places.read(body)[1])
    for other in contracts() if fewest else ():
        candidate = Places(models_of(other), body.get("model"))
        if (count := len(candidate.read(body)[1])) < fewest:
            places, fewest = candidate, count
    return places


def _without_secrets(body: Mapping[str, Any], places: Places, inside: str = "") -> dict[str, Any]:
    """Return the body with known keys hidden in the request's values, and likely secrets masked elsewhere."""
    masked: dict[str, Any] = {}
    for name, value in body.items():
        place = place_of(inside, name)
        if place in places.objects and isinstance(value, Mapping):
            masked[name] = _without_secrets(value, places, place)
        elif places.fits(place, value):
            masked[name] = _masked_beside(places.members(place), value)
        else:
            masked |= mask_in({name: value})
    return masked


def _masked_beside(members: frozenset[str], value: Any) -> Any:
    """Return the value of a parameter; in its objects, only the texts of these members are not masked."""
    if isinstance(value, list):
        return [_masked_beside(members, item) for item in value]
    if not isinstance(value, Mapping):
        return hide_in(value)
    kept = {name: item for name, item in value.items() if name in members and _is_text(item)}
    return mask_in(value) | hide_in(kept)


def _is_text(value: Any) -> bool:
    """Return whether a JSON value is a text or a list of texts."""
    return all(isinstance(item, str) for item in (value if isinstance(value, list) else [value]))


def _body_of(text: str) -> Mapping[str, Any]:
    """Return the JSON object that a text is, or that the command or program in it sends.

    Raises:
        ValueError: the text contains no such object.
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
        if not (is_json or command) and (candidate := _object_in(text)) is not None:
            return candidate
        raise ValueError(
            tr(_NO_JSON).format(reason=error.msg.lower(), line=error.lineno, column=error.colno)
        ) from None
    except RecursionError:
        raise ValueError(tr(_NO_OBJECT)) from None
    if not isinstance(body, Mapping):
        raise ValueError(tr(_NO_OBJECT))
    return body


def _object_in(text: str) -> Mapping[str, Any] | None:
    """Return the first JSON object in a program that has a field of a request."""
    decoder = json.JSONDecoder()
    for brace in islice(re.finditer("{", text), _MOST_BRACES):
        try:
            candidate, _ = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(candidate, Mapping) and read_body(candidate).named:
            return candidate
    return None


def _shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _data_of_curl(command: str) -> str:
    # A line that ends in a backslash (sh), a caret (cmd) or a backtick (PowerShell) continues on the next.
    command = re.sub(r"[\\^`]\s*\r?\n", " ", command)
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise ValueError(tr(_NO_COMMAND).format(reason=str(error).lower())) from None
    data = []
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, is_joined, joined = argument.partition("=")
        if argument in _DATA:
            data.append(following)
        elif is_joined and name in _DATA[1:]:
            data.append(joined)
        elif argument.startswith("-d") and argument[2:3] in ("{", "@"):
            data.append(argument[2:])
    if not data:
        raise ValueError(tr(_NO_DATA))
    if data[0].startswith("@"):
        raise ValueError(tr(_FROM_FILE))
    return data[0]
