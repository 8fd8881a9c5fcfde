"""Substitution of variables in a text by their plain names: ``{name}``.

A prompt may come from anywhere. Python's own formatting follows attributes and indices, so a copied prompt
could reach the API key.
"""

from __future__ import annotations

import json
import numbers
import re
import string
from collections.abc import Mapping
from typing import Any

from ..i18n import N_, tr

__all__ = ["filled", "filled_json", "filled_option"]

#: A variable in JSON, which has braces of its own.
_NAME = re.compile(r"\{([^\W\d]\w*)\}")
#: JSON with every brace doubled.
_DOUBLED = re.compile(r'\{\{\s*(?:"|\}\})')
#: A variable, as IPython writes it in a line.
_DOLLAR = re.compile(r"\$([^\W\d]\w*)")

_BROKEN = N_("{reason}. {{name}} inserts a variable, {{{{ a brace.")
_NO_PLAIN_NAME = N_(
    "{field} is not a variable name. Attributes, indices and formats are not read: assign the value first, "
    "text = …, and write {{text}}. {{{{ is a brace."
)
_NO_VARIABLE = N_("{field}: the variable {name!r} is not defined. {{name}} inserts a variable, {{{{ a brace.")
_NO_PLAIN_VALUE = N_(
    "{field} is a {kind}, not text or a number. Assign its text first, text = …, and write {{text}}."
)


def filled(text: str, names: Mapping[str, Any]) -> str:
    """Return the text with each ``{name}`` replaced by the text or number of that name.

    Raises:
        ValueError: a placeholder is anything else; the message names it and the remedy.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(tr(_BROKEN).format(reason=error)) from None
    return "".join(
        literal + ("" if name is None else _value(name, spec, conversion, names))
        for literal, name, spec, conversion in parts
    )


def filled_option(word: str, names: Mapping[str, Any]) -> str:
    """Return a word of a line with its variables filled in, also ``$name`` as in IPython.

    Raises:
        ValueError: as in ``filled``.
    """

    def value(match: re.Match[str]) -> str:
        value = names.get(match[1])
        return str(value) if _is_plain(value) else match[0]

    return filled(word, names) if "{" in word else _DOLLAR.sub(value, word)


def filled_json(text: str, names: Mapping[str, Any]) -> str:
    """Return JSON with each ``{name}`` filled in, a text as a part of a JSON text; other braces are JSON's.

    A single ``{name}`` stands for the whole JSON. Braces may also be doubled, as in any other option.

    Raises:
        ValueError: as in ``filled``.
    """
    if "{" not in text or _NAME.fullmatch(text) or _DOUBLED.search(text):
        return filled_option(text, names)

    def part(match: re.Match[str]) -> str:
        value = _value(match[1], None, None, names)
        return json.dumps(value, ensure_ascii=False)[1:-1]

    return _NAME.sub(part, text)


def _value(name: str, spec: str | None, conversion: str | None, names: Mapping[str, Any]) -> str:
    field = "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
    if spec or conversion or not name.isidentifier():
        raise ValueError(tr(_NO_PLAIN_NAME).format(field=field))
    if name not in names:
        raise ValueError(tr(_NO_VARIABLE).format(field=field, name=name))
    value = names[name]
    if not _is_plain(value):
        raise ValueError(tr(_NO_PLAIN_VALUE).format(field=field, kind=type(value).__name__))
    return str(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | numbers.Number)
