"""The URLs of files in an HTML page: found, and replaced, with everything else of the page as it was.

Beside the markup itself, the stored state of widgets is read: a page that draws them puts the outputs in it
into the page as they are, so their URLs are relative to the page, too.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import accumulate

__all__ = ["Replace", "replace_urls"]

#: Returns the URL to write in place of one of the page; ``None`` to leave it. The second argument is whether
#: the page shows the file itself, instead of linking to it.
Replace = Callable[[str, bool], str | None]

_STATE = "widget-state+json"
#: Elements that show a file.
_SHOWING = frozenset({"video", "img", "source", "audio"})
_ONE, _SEVERAL = frozenset({"src", "href", "poster"}), "srcset"
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>][^\s>]*))?""")
#: A candidate of a ``srcset``: the URL, and its width or density.
_CANDIDATE = re.compile(r"([^\s,]\S*[^\s,]|[^\s,])([^,]*,?)")
#: A text in a widget's state that is the URL of a file.
_BARE = re.compile(r"\.{1,2}/[^\s<>\"']+\.[A-Za-z0-9]{2,4}")


def replace_urls(page: str, replace: Replace) -> str:
    """Return a page with the URLs of its elements and of the widgets' state replaced.

    Args:
        page: the markup.
        replace: called for each URL, relative or not, without the escapes of HTML.
    """
    return _replaced(page, replace, has_state=True)


def _replaced(markup: str, replace: Replace, *, has_state: bool) -> str:
    reader = _Reader(markup, replace, has_state)
    reader.feed(markup)
    reader.close()
    parts, at = [], 0
    for start, end, text in reader.changes:
        parts += [markup[at:start], text]
        at = end
    return "".join([*parts, markup[at:]])


class _Reader(HTMLParser):
    """A reader of markup that collects the changes: start, end and text, in the order of the page."""

    def __init__(self, markup: str, replace: Replace, has_state: bool) -> None:
        super().__init__()
        self.changes: list[tuple[int, int, str]] = []
        self._markup = markup
        self._lines = [0, *accumulate(len(line) + 1 for line in markup.split("\n"))]
        self._replace = replace
        self._has_state = has_state
        self._state_from: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        start = self._place()
        for found in _ATTRIBUTE.finditer(text, len(tag) + 1):
            name, value = found[1].lower(), found[2]
            if value and (name in _ONE or name == _SEVERAL):
                new = self._attribute(name, html.unescape(value.strip("\"'")), tag in _SHOWING)
                if new is not None:
                    self.changes.append(
                        (start + found.start(2), start + found.end(2), f'"{html.escape(new)}"')
                    )
        if self._has_state and tag == "script" and _STATE in (dict(attrs).get("type") or ""):
            self._state_from = start + len(text)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._state_from is not None:
            start, end, self._state_from = self._state_from, self._place(), None
            state = _state(self._markup[start:end], self._replace)
            if state is not None:
                self.changes.append((start, end, state))

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _attribute(self, name: str, value: str, is_shown: bool) -> str | None:
        """Return the new value of an attribute; ``None`` if it stays."""
        if name != _SEVERAL:
            return self._replace(value, is_shown)
        new = _CANDIDATE.sub(lambda found: (self._replace(found[1], True) or found[1]) + found[2], value)
        return None if new == value else new


def _state(text: str, replace: Replace) -> str | None:
    """Return the state of the widgets of a page with its URLs replaced; ``None`` if it stays."""

    def visit(value: object) -> object:
        if isinstance(value, dict):
            return {key: visit(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [visit(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if "<" in value:
            return _replaced(value, replace, has_state=False)
        return replace(value, True) or value if _BARE.fullmatch(value) else value

    try:
        state = json.loads(text)
        new = visit(state)
    except (ValueError, RecursionError):
        return None
    # No text of it may end the script.
    return None if new == state else json.dumps(new).replace("<", "\\u003c")
