"""Reading what people paste: the service's JSON, a part of it, or a curl command of the documentation.

Nothing is dropped silently: what ``VideoRequest`` has no place for is listed.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..i18n import N_, tr
from .catalog import SHOTS_LIMIT
from .request import VideoRequest

__all__ = ["Pasted", "read_body", "read_pasted", "without_secrets"]

_TOP = (
    "model",
    "action",
    "prompt",
    "aspect_ratio",
    "duration",
    "negative_prompt",
    "image_urls",
    "last_frame",
    "callback_url",
)
_EXTRA = ("mode", "cfg_scale", "enable_audio", "camera_control", "static_mask", "dynamic_masks")
#: What each field may hold; anything else is listed, for the form could not show it.
_TYPES: dict[str, tuple[type, ...]] = {
    "duration": (int,),
    "cfg_scale": (int, float),
    "enable_audio": (bool,),
    "image_urls": (str, list),
    "camera_control": (str, dict),
    "dynamic_masks": (dict, list),
}
_SHOT = re.compile(r"shot_([1-9][0-9]{0,2})_(prompt|duration)")
_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
#: A key after "Bearer", and in the headers that other services use.
_KEY = re.compile(r"(?i)(\bbearer\s+|\b(?:x-)?api[-_]?key[\"']?\s*[:=]\s*[\"']?)[^\s\"'\\$<{]+")

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


def read_pasted(text: str) -> Pasted:
    """Read a request out of JSON, a piece of JSON such as ``"extra": {…}``, or a curl command.

    Raises:
        ValueError: the text is none of these; the message says where it stops being one.
    """
    text = text.strip().removeprefix("\ufeff").strip()
    if not text:
        raise ValueError(tr(_EMPTY))
    words = text.lstrip("$ ").lstrip()
    if re.match(r"curl(\.exe)?\s", words):
        text = _data_of_curl(words)
    elif re.match(r'"[^"\n]*"\s*:', text):
        text = "{" + text.rstrip(", \n") + "}"
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            tr(_NO_JSON).format(reason=error.msg.lower(), line=error.lineno, column=error.colno)
        ) from None
    except RecursionError:
        raise ValueError(tr(_NO_OBJECT)) from None
    if not isinstance(body, Mapping):
        raise ValueError(tr(_NO_OBJECT))
    return read_body(body)


def read_body(body: Mapping[str, Any]) -> Pasted:
    """The inverse of ``Contract202604.encode``, for JSON that anybody wrote."""
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    shots: dict[int, dict[str, Any]] = {}

    def take(name: str, value: Any, known: tuple[str, ...], where: str) -> None:
        shot = _SHOT.fullmatch(name) if where else None
        if value is None and (name in known or shot):
            return
        if shot and isinstance(value, str if shot[2] == "prompt" else int) and not isinstance(value, bool):
            shots.setdefault(int(shot[1]), {})[shot[2]] = value
        elif name in known and _fits(name, value):
            fields[name] = value
        else:
            unknown.append(f"{where}{name}: {_short(value)}")

    for name, value in body.items():
        if name == "extra" and isinstance(value, Mapping):
            for inner, inner_value in value.items():
                take(str(inner), inner_value, _EXTRA, "extra.")
        else:
            take(str(name), value, _TOP, "")
    if shots:
        fields["shots"] = _listed(shots, unknown)
    return Pasted(VideoRequest(**fields), frozenset(fields), tuple(unknown))


def without_secrets(text: str) -> str:
    """The text with a key that stands in a curl command's header taken out."""
    return _KEY.sub(r"\1…", text)


def _listed(shots: dict[int, dict[str, Any]], unknown: list[str]) -> list[dict[str, Any]]:
    """The shots in order. Half a shot is kept too: the form shows what it lacks."""
    numbers = sorted(shots)
    told = tr("extra.shot_{number}_…: more than {most} shots")
    unknown += [told.format(number=number, most=SHOTS_LIMIT[1]) for number in numbers[20:]]
    return [{"prompt": "", "duration": 0} | shots[number] for number in numbers[:20]]


def _fits(name: str, value: Any) -> bool:
    types = _TYPES.get(name, (str,))
    if isinstance(value, bool) and bool not in types:
        return False
    if name == "image_urls" and isinstance(value, list):
        return all(isinstance(url, str) for url in value)
    return isinstance(value, types)


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
