"""The sentence that names the receiver of a request's results, shown wherever a request can be submitted.

A callback URL may come from a preset, a draft, a pasted text or the folder of another user. Its receiver gets
the link to the video, so the user must see it before submitting.
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

#: The largest number of URLs to name; a table may have one in each row.
_MOST_NAMED = 3
_LONGEST_URL = 160
_SENT = N_("When the task ends, the service sends its result, with the link to the video, to {place}.")
_ALL_SENT = N_("When a task ends, the service sends its result, with the link to the video, to {places}.")


def callback_note(*requests: VideoRequest) -> str:
    """Return a sentence that names the receivers of the results; empty if there is no callback URL."""
    urls = dict.fromkeys(str(request.callback_url) for request in requests if is_set(request.callback_url))
    if not urls:
        return ""
    targets = list(map(_with_host, urls))
    if len(targets) == 1:
        return tr(_SENT).format(place=targets[0])
    return tr(_ALL_SENT).format(places=_listed(targets))


def _with_host(url: str) -> str:
    """Return the URL with its host in front; inside a long URL the user would overlook it."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        host = ""
    line = plain_line(url)
    line = line if len(line) <= _LONGEST_URL else f"{line[: _LONGEST_URL - 1]}…"
    return tr("{host} ({url})").format(host=plain_line(host), url=line) if host else line


def _listed(targets: Iterable[str]) -> str:
    first = list(targets)
    named = "; ".join(first[:_MOST_NAMED])
    rest = len(first) - _MOST_NAMED
    return tr("{places} and {count} more").format(places=named, count=rest) if rest > 0 else named
