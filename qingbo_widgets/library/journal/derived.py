"""The columns of a row that are derived from its request, for the filters and orders of the gallery.

JSON is too slow to be read for every row of a large library. A row that an older version has written lacks
these columns until ``text_index`` adds them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ..untrusted import sanitised

__all__ = ["MODES", "derived_from", "folded", "searched_text"]

#: The modes of contract 2026-04 for the resolutions of later ones ("Submit: request").
MODES = {"720p": "std", "1080p": "pro"}
#: Maximum characters of the derived columns, which are part of an index.
_LONGEST_START, _LONGEST_MODE = 60, 40


def derived_from(request: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Return the derived columns of a request's fields.

    ``mode`` is the mode with which the request was given, or the one for its resolution, or the resolution;
    ``prompt_start`` is the beginning of its prompt, by which tasks are sorted.
    """
    fields = request or {}
    mode, resolution, prompt = (_text(fields.get(name)) for name in ("mode", "resolution", "prompt"))
    if mode is None and resolution is not None:
        mode = MODES.get(resolution, resolution)
    return {
        "mode": None if mode is None else mode[:_LONGEST_MODE],
        "prompt_start": None if prompt is None else prompt[:_LONGEST_START],
    }


def searched_text(request: Mapping[str, Any] | None) -> str:
    """Return the text in which a request is found: the prompt and the shots' prompts, ``folded``."""
    return folded("\n".join(_prompts(request or {})))


def folded(text: str) -> str:
    """Return a text in the form in which two spellings of it are equal.

    Upper and lower case are the same in every script, full-width characters are the same as narrow ones, and
    marks are separate characters: ``é`` is found by ``e``, whichever way it is written.
    """
    text = sanitised(text)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _prompts(request: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(prompt := request.get("prompt"), str):
        yield prompt
    shots = request.get("shots") or request.get("multi_prompt")
    for shot in shots if isinstance(shots, list | tuple) else ():
        # A shot may be stored as it was given: as an object, or as a pair of prompt and seconds.
        parts = (shot.get("prompt"),) if isinstance(shot, Mapping) else shot
        if isinstance(parts, list | tuple) and parts and isinstance(parts[0], str):
            yield parts[0]


def _text(value: object) -> str | None:
    return sanitised(value) if isinstance(value, str) else None
