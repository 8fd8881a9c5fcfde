"""The API keys in use in this process, and their removal from everything that is written, shown or sent.

A key is known as long as a client or a field that holds it is alive; keys of the environment are always
known. A key is found in every encoding that ``echoes`` decodes.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Self

from . import echoes
from .secret import HIDDEN, SHORTEST, Secret

__all__ = [
    "API_KEY_VARIABLES",
    "HIDDEN",
    "Searchable",
    "hide",
    "hide_in",
    "holds_key",
    "remember",
    "texts_in",
]

#: Read in this order. The second and third are those of the service's own documentation.
API_KEY_VARIABLES = ("QINGBO_API_KEY", "WAVE_API_KEY", "WAVEAPI_API_KEY")
#: Levels of lists and dictionaries to search. A request has four; a list may contain itself.
_DEEPEST = 12

_remembered: weakref.WeakValueDictionary[int, Secret] = weakref.WeakValueDictionary()


class Searchable:
    """A base class of objects whose named values are searched for keys, like a dataclass's fields."""

    __slots__ = ()

    @property
    def given(self) -> Mapping[str, Any]:
        """The values by name."""
        raise NotImplementedError

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some values changed."""
        raise NotImplementedError


class _KeyFilter(logging.Filter):
    """A log filter that hides known keys in our own log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that holds a key; log every record."""
        message = record.getMessage()
        if (hidden := hide(message)) != message:
            record.msg, record.args = hidden, None
        return True


_key_filter = _KeyFilter()


def remember(key: Secret) -> Secret:
    """Hide this key from now on, as long as it is referenced. Return the key."""
    _remembered[id(key)] = key
    logging.getLogger("qingbo_widgets").addFilter(_key_filter)
    return key


def hide(text: str) -> str:
    """Return the text with every known key replaced by ``HIDDEN``."""
    # Longest first: one key may begin with another, and its remainder would stay.
    for reveal in sorted(_known(), key=lambda reveal: len(reveal()), reverse=True):
        if len(reveal()) >= SHORTEST and reveal() not in HIDDEN:
            text = echoes.hide(reveal, text, HIDDEN)
    return text


def hide_in(value: Any, depth: int = _DEEPEST) -> Any:
    """Return the value with the keys hidden in every text that ``texts_in`` finds in it."""
    if isinstance(value, str):
        return hide(value)
    if not depth or not any(hide(text) != text for text in texts_in(value, depth)):
        return value

    def inner(item: Any) -> Any:
        return hide_in(item, depth - 1)

    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return kind(map(inner, value))
    if isinstance(value, Mapping):
        return {inner(name): inner(item) for name, item in value.items()}
    if isinstance(value, Searchable):
        return value.replace(**{name: inner(item) for name, item in value.given.items()})
    fields = [field.name for field in dataclasses.fields(value)]
    return dataclasses.replace(value, **{name: inner(getattr(value, name)) for name in fields})


def holds_key(value: object) -> bool:
    """Return whether a text inside the value contains a known key."""
    return any(hide(text) != text for text in texts_in(value))


def texts_in(value: object, depth: int = _DEEPEST) -> Iterator[str]:
    """Yield every text inside a value: in containers, dataclasses and ``Searchable`` objects."""
    inner: list[object] = []
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    elif isinstance(value, Mapping):
        inner = [*value, *value.values()]
    elif isinstance(value, Searchable):
        inner = list(value.given.values())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    for item in inner if depth else ():
        yield from texts_in(item, depth - 1)


def _known() -> Iterator[Callable[[], str]]:
    """Yield a function that reveals each key. Local variables hold no key, because tracebacks print them."""
    for reference in _remembered.valuerefs():
        if (key := reference()) is not None:
            yield key.reveal
    for variable in API_KEY_VARIABLES:
        yield partial(_in_environment, variable)


def _in_environment(variable: str) -> str:
    return os.environ.get(variable, "").strip()
