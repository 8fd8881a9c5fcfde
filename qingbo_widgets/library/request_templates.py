"""Columns of many requests: requests that differ only in their texts and URLs are resolved once.

Resolving one request takes as long as reading a hundred rows, and a library has thousands of requests of few
kinds. What a contract makes of a request never depends on the content of a free text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..service.contract.values import Item, Shot
from .entry import Entry

__all__ = ["RequestColumns"]

#: The fields with any text or URL, and the field with the text of each shot.
_FREE = frozenset(
    ("prompt", "negative_prompt", "image_urls", "video_urls", "last_frame", "static_mask", "callback_url")
)
_SHOTS, _SHOT_TEXT = ("shots", "multi_prompt"), "prompt"
#: The ends of a stand-in for a text; from Unicode's area for private use, so in hardly any prompt.
_MARK = "\ue0f0\ue0f1"
#: The maximum number of kinds to remember.
_MOST = 10_000


class RequestColumns:
    """The columns of the requests of entries.

    Args:
        columns_of: returns the columns of one entry's request.
    """

    def __init__(self, columns_of: Callable[[Entry], Mapping[str, Any]]) -> None:
        self._columns_of = columns_of
        #: The columns of each kind, with the names of those that have a stand-in.
        self._known: dict[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {}

    def of(self, entry: Entry) -> Mapping[str, Any]:
        """Return the columns of an entry's request."""
        texts: dict[str, str] = {}
        kind = {name: _without_texts(name, value, texts) for name, value in (entry.request or {}).items()}
        name = repr((entry.contract, entry.model, kind))  # unlike equality, it keeps 5, 5.0 and True apart
        if any(_MARK in text for text in texts):
            return self._columns_of(entry)
        originals = {stand_in: text for text, stand_in in texts.items()}
        known = self._known.get(name)
        if known is None:
            columns = self._columns_of(replace(entry, request=None if entry.request is None else kind))
            changed = (name for name, value in columns.items() if _filled(value, originals) != value)
            known = columns, tuple(changed)
            if len(self._known) < _MOST:
                self._known[name] = known
        columns, filled = known
        if not filled:
            return columns
        return {**columns, **{name: _filled(columns[name], originals) for name in filled}}


def _without_texts(name: str, value: Any, texts: dict[str, str]) -> Any:
    """Return a field with a stand-in for each text in it, the same one for the same text."""
    if name in _FREE:
        if isinstance(value, str) and value:
            return texts.setdefault(value, f"{_MARK}{len(texts)}{_MARK}")
        if isinstance(value, list):
            return [_without_texts(name, item, texts) for item in value]
    if name in _SHOTS and isinstance(value, list):
        return [
            {
                key: _without_texts(key, item, texts) if key == _SHOT_TEXT else item
                for key, item in shot.items()
            }
            if isinstance(shot, dict)
            else shot
            for shot in value
        ]
    return value


def _filled(value: Any, originals: Mapping[str, str]) -> Any:
    """Return a value with the texts in place of their stand-ins."""
    if isinstance(value, str):
        if _MARK not in value:
            return value
        for stand_in, text in originals.items():
            value = value.replace(stand_in, text)
        return value
    if isinstance(value, tuple):
        return tuple(_filled(item, originals) for item in value)
    if isinstance(value, Shot):
        return replace(value, prompt=_filled(value.prompt, originals))
    if isinstance(value, Item):
        return Item({name: _filled(item, originals) for name, item in value.items()})
    return value
