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
from .kinds import KINDS
from .models import DEFAULT_CONTRACT, models_of
from .request import VideoRequest
from .schema import Parameter
from .wire import Places

__all__ = ["Pasted", "keepable", "read_body", "read_pasted"]

_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_CURL = r"(?:^|(?<=[\s;&|]))curl(?:\.exe)?\s"
#: Shots that are read; the form shows what is too many.
_MOST_PARTS = 20
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
        body = _without_secrets(_body_of(text), Places(models_of().parameters))
    except ValueError:  # to be mended by the user, so as much as possible stays
        return without_secrets(text)
    kept = json.dumps(body, ensure_ascii=False, indent=2)
    return text if "".join(text.split()) == "".join(kept.split()) else kept


def read_body(body: Mapping[str, Any], contract: str = DEFAULT_CONTRACT) -> Pasted:
    """Read JSON of any origin: the inverse of ``Contract.encode``."""
    models = models_of(contract)
    places = Places({**models.parameters, **models.of(body.get("model")).parameters})
    body = _without_secrets(body, places)
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    parts: dict[str, dict[int, dict[str, Any]]] = {}

    def take(place: str, value: Any) -> None:
        parameter, part = places.at(place), places.part_at(place)
        if value is None and (parameter or part):
            return
        if part and _fits_part(part, value):
            parts.setdefault(part[0].name, {}).setdefault(part[1], {})[part[2]] = value
        elif parameter and KINDS[parameter.type].fits(value):
            fields[parameter.name] = value
        else:
            unknown.append(f"{place}: {_short(value)}")

    def walk(body: Mapping[str, Any], inside: str = "") -> None:
        for name, value in body.items():
            place = f"{inside}{name}"
            if "." in str(name):  # no place, though it may read like one
                unknown.append(f"{place}: {_short(value)}")
            elif place in places.objects and isinstance(value, Mapping):
                walk(value, f"{place}.")
            else:
                take(place, value)

    walk(body)
    for name, numbered in parts.items():
        fields[name] = _listed(places.parameters[name], numbered, unknown)
    return Pasted(VideoRequest(**fields), frozenset(fields), tuple(unknown))


def _without_secrets(body: Mapping[str, Any], places: Places, inside: str = "") -> dict[str, Any]:
    """Keep what the request is made of as it is; mask what looks like a secret in all else."""
    kept: dict[str, Any] = {}
    for name, value in body.items():
        place = "" if "." in str(name) else f"{inside}{name}"
        parameter, part = places.at(place), places.part_at(place)
        if place in places.objects and isinstance(value, Mapping):
            kept[name] = _without_secrets(value, places, f"{place}.")
        elif (parameter and KINDS[parameter.type].fits(value)) or (part and _fits_part(part, value)):
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


def _listed(
    parameter: Parameter, numbered: dict[int, dict[str, Any]], unknown: list[str]
) -> list[dict[str, Any]]:
    """Return the parts of a list in order. Half a shot is kept too: the form shows what it lacks."""
    numbers, most = sorted(numbered), (parameter.limits.get("count") or (0, _MOST_PARTS))[1]
    missing = {key: part.missing for key, part in KINDS[parameter.type].parts.items()}
    for number in numbers[_MOST_PARTS:]:
        place = parameter.place.format(number=number, key="…")
        unknown.append(tr("{place}: more than {most}").format(place=place, most=most))
    return [missing | numbered[number] for number in numbers[:_MOST_PARTS]]


def _fits_part(part: tuple[Parameter, int, str], value: Any) -> bool:
    parameter, _, key = part
    return KINDS[parameter.type].parts[key].fits(value)


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
