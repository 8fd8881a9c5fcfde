"""Completion in IPython of the fields that the chosen model takes, and of their values.

``qw.generate(model="kling-v1", `` offers the fields of this model, ``aspect_ratio="`` its values. Without it,
IPython offers the fields of every model, from the signature. It is installed by the first connection and by
``%load_ext``, since importing the package changes nothing; it needs the matchers of IPython 8.6 and newer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ..service.contract.offered import FieldsSignature, valid_choices
from ..service.contract.schema import Models
from ..system.host import shell

__all__ = ["Cursor", "cursor_in", "install", "suggestions"]

_CALLEE = re.compile(r"([^\W\d][\w.]*)\s*$")
#: Characters of the longest name of a call, with the blanks behind it.
_LONGEST = 500
_NAME = re.compile(r"\s*(\w*)$")
_VALUE = re.compile(r"\s*(\w+)\s*=\s*(\w*)$")
_BEFORE_TEXT = re.compile(r"\s*(\w+)\s*=\s*$")
_MODEL = re.compile(r"""\s*model\s*=\s*(["'])([^"']*)\1\s*""")
_KEYWORD = re.compile(r"\s*(\w+)\s*=(?!=)")
#: A comment, a text, or a sign by itself: a bracket, a comma, or the mark of a text that does not end.
_PART = re.compile(
    r"""(?s)\#[^\n]*|\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|([()\[\]{},"'])"""
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass
class _Open:
    """A bracket that is open at the cursor.

    Attributes:
        sign: the bracket.
        place: its place.
        begins: the place of its current argument.
        arguments: its finished arguments, as written.
    """

    sign: str
    place: int
    begins: int
    arguments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cursor:
    """The place of the cursor in a call.

    Attributes:
        callee: the dotted name of what is called.
        keyword: the argument whose value the cursor is in; empty if a name is being typed.
        typed: what is typed of the name or the value.
        in_text: whether the value is a text whose quotation mark is open.
        given: the names of the finished keyword arguments.
        places: the number of finished positional arguments.
        model: the model that the call names; empty if it names none.
    """

    callee: str
    keyword: str
    typed: str
    in_text: bool
    given: frozenset[str]
    places: int
    model: str


def cursor_in(code: str, offset: int) -> Cursor | None:
    """Return the place of the cursor if it is directly in the arguments of a call, else ``None``."""
    after, code = code[offset:], _without_comments(code[:offset])
    opened, text_at = _scan(code)
    call = opened[-1] if opened and opened[-1].sign == "(" else None
    # Only this bracket's, and from near by: a cell with a table of numbers has thousands of brackets.
    found = None if call is None else _CALLEE.search(code[max(0, call.place - _LONGEST) : call.place])
    if call is None or found is None:
        return None
    end = offset if text_at is None else text_at
    argument = code[call.begins : end]
    keyword, typed, in_text = "", "", text_at is not None
    if text_at is not None:
        if (match := _BEFORE_TEXT.fullmatch(argument)) is None:
            return None
        keyword, typed = match[1], code[text_at + 1 : offset]
    elif (match := _VALUE.fullmatch(argument)) is not None:
        keyword, typed = match[1], match[2]
    elif (match := _NAME.fullmatch(argument)) is not None:
        typed = match[1]
    else:
        return None
    given = [match[1] for one in call.arguments if (match := _KEYWORD.match(one))]
    places = len(call.arguments) - len(given)
    others = (*call.arguments, *after.partition(")")[0].split(","))
    model = next((match[2] for one in others if (match := _MODEL.fullmatch(one))), "")
    return Cursor(found[1], keyword, typed, in_text, frozenset(given), places, model)


def suggestions(cursor: Cursor, models: Models, written: Sequence[str] = ()) -> list[str]:
    """Return what can stand at the cursor: names with their ``=``, or values.

    Args:
        cursor: the place of the cursor.
        models: the models whose fields the call takes.
        written: the names of the parameters that the call declares itself, in their order.
    """
    model = models.of(cursor.model or models.parameters["model"].default)
    if not cursor.keyword:
        used = cursor.given.union(written[: cursor.places])
        names = (name for name in dict.fromkeys((*model.parameters, *written)) if name not in used)
        return [f"{name}=" for name in names if name.startswith(cursor.typed)]
    if (parameter := models.parameters.get(cursor.keyword)) is None:
        return []
    values: tuple[Any, ...] = valid_choices(model, parameter)
    if cursor.keyword == "model":
        values = tuple(models)
    elif parameter.type == "boolean":
        values = (True, False)
    texts = [_shown(value, in_text=cursor.in_text) for value in values]
    return [text for text in texts if text is not None and text.startswith(cursor.typed)]


def install(running: Any = None) -> None:
    """Add the completion to an IPython, once; do nothing where it has no matchers.

    Args:
        running: the shell; by default the one that runs this code.
    """
    completer = getattr(running or shell(), "Completer", None)
    matchers = getattr(completer, "custom_matchers", None)
    if not isinstance(matchers, list) or any(getattr(one, "is_of_qingbo", False) for one in matchers):
        return
    try:
        from IPython.core.completer import context_matcher
    except ImportError:  # IPython before 8.6
        return
    matcher: Any = context_matcher(identifier="qingbo_widgets.fields")(_match)
    matcher.is_of_qingbo = True
    matchers.append(matcher)


def _match(context: Any) -> dict[str, Any]:
    """Return the completions at the cursor, in the form of IPython's matchers."""
    from IPython.core.completer import SimpleCompletion

    lines = context.full_text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
    cursor = cursor_in(context.full_text, offset)
    call = None if cursor is None else _offered(cursor.callee, getattr(shell(), "user_ns", {}))
    if cursor is None or call is None:
        return {"completions": []}
    found = suggestions(cursor, *call)
    # No positional argument may follow a keyword, and no file name is the value of a listed choice.
    is_alone = bool(found) and bool(cursor.keyword or cursor.given)
    return {
        "completions": [SimpleCompletion(text=text, type="param") for text in found],
        "matched_fragment": cursor.typed,
        "ordered": True,
        "suppress": is_alone,
    }


def _offered(callee: str, names: Mapping[str, Any]) -> tuple[Models, tuple[str, ...]] | None:
    """Return the models whose fields a call takes, and the names of its own parameters.

    ``None`` for any other call. No property is read.
    """
    first, *others = callee.split(".")
    owner, found = None, names.get(first)
    for name in others:
        owner = found
        if isinstance(owner, ModuleType):
            found = getattr(owner, name, None)
        else:
            found = inspect.getattr_static(owner if isinstance(owner, type) else type(owner), name, None)
    signature = inspect.getattr_static(found, "__signature__", None) if found is not None else None
    if isinstance(found, type) and signature is not None:
        signature = found.__signature__  # type: ignore[attr-defined]  # a descriptor makes that of a request
    if not isinstance(signature, FieldsSignature):
        return None
    contract = getattr(vars(owner).get("client"), "contract", None) if hasattr(owner, "__dict__") else None
    models = getattr(contract, "models", None)
    written = tuple(name for name in signature.written if name != "self")
    return (models if isinstance(models, Models) else signature.models()), written


def _scan(code: str) -> tuple[list[_Open], int | None]:
    """Return the brackets that are open at the end of some code, and the place of an open quotation mark."""
    opened: list[_Open] = []
    for sign, place in _signs(code):
        if sign in "\"'":
            return opened, place
        if sign in _PAIRS:
            opened.append(_Open(sign, place, place + 1))
        elif sign == ",":
            if opened:
                opened[-1].arguments.append(code[opened[-1].begins : place])
                opened[-1].begins = place + 1
        elif opened and _PAIRS[opened[-1].sign] == sign:
            opened.pop()
    return opened, None


def _signs(code: str) -> Iterator[tuple[str, int]]:
    """Yield brackets and commas outside texts, and the mark of a text that does not end."""
    for match in _PART.finditer(code):
        if match[1]:
            yield match[1], match.start()


def _without_comments(code: str) -> str:
    """Return code with blanks in the place of its comments."""
    return _PART.sub(lambda match: " " * len(match[0]) if match[0].startswith("#") else match[0], code)


def _shown(value: Any, *, in_text: bool) -> str | None:
    """Return a value as it is typed; ``None`` if it cannot stand in a text."""
    if isinstance(value, str):
        return value if in_text else f'"{value}"'
    return None if in_text else str(value)
