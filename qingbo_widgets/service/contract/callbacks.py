"""The sentence that names where the service sends the results of a request, for all that submits one.

A callback URL may come with a preset, a draft, a pasted text or a folder of another user. The receiver of
the result gets the link to the video, so it is named wherever a request can be submitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...i18n import N_, tr
from .text import plain_line
from .values import is_set

if TYPE_CHECKING:
    from .request import VideoRequest

__all__ = ["callback_note"]

#: Callback URLs that are named; a table may have one in each row.
_MOST = 3
_LONGEST = 160
_SENT = N_("When the task ends, the service sends its result, with the link to the video, to {place}.")
_ALL_SENT = N_("When a task ends, the service sends its result, with the link to the video, to {places}.")


def callback_note(*requests: VideoRequest) -> str:
    """Return where the service sends the results, as a sentence; empty where it sends none."""
    urls = dict.fromkeys(str(one.callback_url) for one in requests if is_set(one.callback_url))
    if not urls:
        return ""
    places = list(map(_place, urls))
    if len(places) == 1:
        return tr(_SENT).format(place=places[0])
    return tr(_ALL_SENT).format(places=_listed(places))


def _place(url: str) -> str:
    """Name the host first: in the middle of a long address it would be overlooked."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        host = ""
    line = plain_line(url)
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    return tr("{host} ({url})").format(host=plain_line(host), url=line) if host else line


def _listed(places: Iterable[str]) -> str:
    first = list(places)
    named = "; ".join(first[:_MOST])
    rest = len(first) - _MOST
    return tr("{places} and {count} more").format(places=named, count=rest) if rest > 0 else named
