"""The API keys that this process knows, to keep them out of everything that is written, shown or sent.

A key is known as long as a client, or a field that holds it, is alive; those of the environment always are.
It is found in whatever spelling ``echoes`` reads.
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
    "Searched",
    "hide",
    "hide_in",
    "holds_key",
    "remember",
    "texts_in",
]

#: Asked in this order; the second and third are those of the service's own documentation.
API_KEY_VARIABLES = ("QINGBO_API_KEY", "WAVE_API_KEY", "WAVEAPI_API_KEY")
#: Levels of lists and dictionaries that are searched; a request has four. A list may contain itself.
_DEEPEST = 12

_remembered: weakref.WeakValueDictionary[int, Secret] = weakref.WeakValueDictionary()


class Searched:
    """An object of named values in which keys are looked for, as in a dataclass."""

    __slots__ = ()

    @property
    def given(self) -> Mapping[str, Any]:
        """The values by name."""
        raise NotImplementedError

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some values changed."""
        raise NotImplementedError


class _Hider(logging.Filter):
    """Hides known keys in our own log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that holds a key; log every record."""
        message = record.getMessage()
        if (hidden := hide(message)) != message:
            record.msg, record.args = hidden, None
        return True


_hider = _Hider()


def remember(key: Secret) -> Secret:
    """Hide this key from now on, for as long as anything holds it. Return the key."""
    _remembered[id(key)] = key
    logging.getLogger("qingbo_widgets").addFilter(_hider)
    return key


def hide(text: str) -> str:
    """Return the text with every known key replaced by ``HIDDEN``."""
    # One key may begin with another, and the rest of it would stay.
    for reveal in sorted(_known(), key=lambda reveal: len(reveal()), reverse=True):
        if len(reveal()) >= SHORTEST and reveal() not in HIDDEN:
            text = echoes.hide(reveal, text, HIDDEN)
    return text


def hide_in(value: Any, depth: int = _DEEPEST) -> Any:
    """Return the value with the keys hidden in every text inside it, as ``texts_in`` finds them."""
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
    if isinstance(value, Searched):
        return value.replace(**{name: inner(item) for name, item in value.given.items()})
    fields = [field.name for field in dataclasses.fields(value)]
    return dataclasses.replace(value, **{name: inner(getattr(value, name)) for name in fields})


def holds_key(value: object) -> bool:
    """Return whether a known key stands in a text inside the value."""
    return any(hide(text) != text for text in texts_in(value))


def texts_in(value: object, depth: int = _DEEPEST) -> Iterator[str]:
    """Yield every text inside a value: in lists, sets, dictionaries, dataclasses and what is ``Searched``."""
    inner: list[object] = []
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    elif isinstance(value, Mapping):
        inner = [*value, *value.values()]
    elif isinstance(value, Searched):
        inner = list(value.given.values())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    for item in inner if depth else ():
        yield from texts_in(item, depth - 1)


def _known() -> Iterator[Callable[[], str]]:
    """Yield what reveals each key: no key stands in a local variable, for tracebacks print those."""
    for reference in _remembered.valuerefs():
        if (key := reference()) is not None:
            yield key.reveal
    for variable in API_KEY_VARIABLES:
        yield partial(_in_environment, variable)


def _in_environment(variable: str) -> str:
    return os.environ.get(variable, "").strip()
