"""Columns of many requests: requests that differ only in their texts and URLs are resolved once.

Resolving one request takes as long as reading a hundred rows, and a library has thousands of requests of few
kinds. What a contract makes of a request never depends on the content of a free text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
_FIRST_STAND_IN = f"{_MARK}0{_MARK}"
#: The maximum number of kinds to recognise.
_MOST = 10_000


@dataclass(frozen=True)
class _Kind:
    """A kind of request: the requests that differ only in their texts and URLs.

    Attributes:
        number: its place in the order of first appearance.
        columns: the columns of such a request, with stand-ins for the texts.
        filled: the names of the columns that have a stand-in.
    """

    number: int
    columns: Mapping[str, Any]
    filled: frozenset[str]


class RequestColumns:
    """The columns of the requests of many tasks, in the order in which the tasks are added.

    Args:
        columns_of: returns the columns of one entry's request, from its model, contract and request.
        without: the names of columns that are not needed.

    Attributes:
        numbers: for each task the number of its kind, by which ``kinds`` has its values.
    """

    def __init__(
        self, columns_of: Callable[[Entry], Mapping[str, Any]], without: frozenset[str] = frozenset()
    ) -> None:
        self._columns_of, self._without = columns_of, without
        self.numbers: list[int] = []
        self._kinds: list[_Kind] = []
        self._texts: dict[int, dict[str, str]] = {}  # of the tasks of which a column has a stand-in
        self._known: dict[str, _Kind] = {}
        self._known_plain: dict[tuple[object, ...], _Kind] = {}
        self._places: dict[tuple[str, ...], int | None] = {}

    def add(self, model: str, contract: str, request: Mapping[str, Any] | None) -> None:
        """Add the request of the next task."""
        names = tuple(request or ())
        if names not in self._places:
            self._places[names] = _place_of_prompt(names)
        place = self._places[names]
        if request is None or place is None:
            return self._add(model, contract, request)
        values = [*request.values()]
        prompt = values[place]
        if type(prompt) is not str or not prompt or _MARK in prompt:
            return self._add(model, contract, request)
        values[place] = None
        name = (model, contract, names, repr(values))
        kind = self._known_plain.get(name)
        if kind is None:
            self._add(model, contract, request)
            if len(self._known_plain) < _MOST:
                self._known_plain[name] = self._kinds[self.numbers[-1]]
            return None
        if kind.filled:
            self._texts[len(self.numbers)] = {_FIRST_STAND_IN: prompt}
        return self.numbers.append(kind.number)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order of their first appearance."""
        return list(dict.fromkeys(name for kind in self._kinds for name in kind.columns))

    def kinds(self, name: str) -> list[Any] | None:
        """Return a column's value for each kind; ``None`` if tasks of one kind differ in it."""
        if any(name in kind.filled for kind in self._kinds):
            return None
        return [kind.columns.get(name, math.nan) for kind in self._kinds]

    def values(self, name: str) -> list[Any]:
        """Return a column's value for each task; NaN for a task that lacks it."""
        of_kinds = [kind.columns.get(name, math.nan) for kind in self._kinds]
        values = [of_kinds[number] for number in self.numbers]
        for place, texts in self._texts.items():
            if name in self._kinds[self.numbers[place]].filled:
                values[place] = _filled(values[place], texts)
        return values

    def _add(self, model: str, contract: str, request: Mapping[str, Any] | None) -> None:
        """Add any request."""
        texts: dict[str, str] = {}
        fields = {name: _without_texts(name, value, texts) for name, value in (request or {}).items()}
        name = repr((contract, model, fields))  # unlike equality, it keeps 5, 5.0 and True apart
        entry = Entry("", "", model=model, contract=contract, request=request)
        if any(_MARK in text for text in texts):
            kind = self._new_kind(self._columns_of(entry), {})
            return self.numbers.append(kind.number)
        originals = {stand_in: text for text, stand_in in texts.items()}
        known = self._known.get(name)
        if known is None:
            as_kind = replace(entry, request=None if request is None else fields)
            known = self._new_kind(self._columns_of(as_kind), originals)
            if len(self._known) < _MOST:
                self._known[name] = known
        if known.filled:
            self._texts[len(self.numbers)] = originals
        return self.numbers.append(known.number)

    def _new_kind(self, columns: Mapping[str, Any], originals: Mapping[str, str]) -> _Kind:
        columns = {name: value for name, value in columns.items() if name not in self._without}
        filled = (name for name, value in columns.items() if _filled(value, originals) != value)
        kind = _Kind(len(self._kinds), columns, frozenset(filled))
        self._kinds.append(kind)
        return kind


def _place_of_prompt(names: tuple[str, ...]) -> int | None:
    """Return the place of the prompt among the fields of a request, if no other field has free texts."""
    if _FREE.intersection(names) != {"prompt"} or not {*_SHOTS}.isdisjoint(names):
        return None
    return names.index("prompt")


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
