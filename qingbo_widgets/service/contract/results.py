"""``results_in``: the finished videos in the object of a task, wherever a service puts them.

The documented place is searched first, ``result.videos[].url``; only if it has no video, the places of other
services. Members outside the lists below are never searched: an answer may repeat the request, and the links
in that are the user's own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ...system.video_files import played_type
from .envelope import has_id
from .snapshot import Video
from .text import plain_line, shorten
from .times import read_time
from .urls import web_link, without_query

__all__ = ["Results", "is_large", "results_in", "without_data"]

_PICTURES = (".gif", ".jpeg", ".jpg", ".png", ".webp")
#: Members that hold results, in lower case without underscores.
_HOLDERS = frozenset(
    {
        *("assets", "content", "creations", "data", "file", "files", "generatedsamples", "generatedvideos"),
        *("generatevideoresponse", "generations", "items", "output", "outputs", "resource", "resp"),
        *("response", "result", "results", "samples", "task", "taskresult", "video", "videoresult", "videos"),
        *("work", "works"),
    }
)
#: The holders that never repeat the request, not even beside its prompt.
_OUTPUTS = frozenset(
    {
        *("creations", "data", "generatedsamples", "generatedvideos", "generatevideoresponse", "generations"),
        *("output", "outputs", "resp", "response", "result", "results", "samples", "taskresult"),
        *("videoresult", "work", "works"),
    }
)
#: Kinds of pictures and sounds: ``image``, ``image_url``, ``image/png``. "image_to_video" is a kind of task.
_NO_VIDEO = re.compile(r"(?:image|audio)(?:_?urls?|/.*)?", re.IGNORECASE)
#: Roles of media in a request.
_INPUT = re.compile(r"(?:reference|first|last|input|source|base|feature)", re.IGNORECASE)
#: Members that are a link. ``video_urls`` counts only inside a holder: at the root it repeats the request.
_LINKS = frozenset({"downloadurl", "fileurl", "uri", "url", "videouri", "videourl"})
_LISTS_OF_LINKS = frozenset({"videourls", "urls"})
_CONTENTS = frozenset({"b64json", "videobase64", "base64", "b64", "videob64", "bytesbase64encoded"})
_DATA_URL = re.compile(r"data:(?:[\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,", re.IGNORECASE)
#: Base64, in one line or in lines of a usual length.
_BASE64 = re.compile(r"(?:[\w+/-]{60,}\s{1,2})*[\w+/-]*={0,2}\s?", re.ASCII)
#: Characters of a video in base64, as many as an answer may have bytes.
_LONGEST_CONTENT = 48 * 1024**2
#: Shorter text cannot be a video.
_SHORTEST_CONTENT = 64
#: Bytes that tell the contents of two videos apart.
_MOST_COMPARED = 65536
#: The entry of the links in the object of the task itself.
_ROOT = object()
_DEEPEST, _MOST_ITEMS = 7, 2000
_LONGEST_SHOWN, _LONGEST_KEPT = 80, 4096


class Results(NamedTuple):
    """The results of a task.

    Attributes:
        videos: the finished videos.
        number: the number of different videos; several links in one entry lead to the same one.
        unusable: text that is in the place of a link and is none, shortened; empty if there is none.
    """

    videos: tuple[Video, ...] = ()
    number: int = 0
    unusable: str = ""


class _Found(NamedTuple):
    """Text in the place of a link or of a video.

    Attributes:
        text: the text.
        expires_at: the expiry beside it.
        entry: the entry that it is in; the links of one entry lead to the same video.
        is_content: whether it is in the place of a video.
        is_doubtful: whether it is beside the prompt, where the request's own videos may be repeated.
    """

    text: str
    expires_at: datetime | None
    entry: object
    is_content: bool = False
    is_doubtful: bool = False


def results_in(
    body: Mapping[str, Any], task_id: str = "", searched: Mapping[str, Any] | None = None
) -> Results:
    """Return the videos of a task: those in the documented place, or else those in any place.

    Only web links and the content of videos get through, so that later code never handles a script or a path.

    Args:
        body: the object of the task, or the response around it.
        task_id: the id of the task.
        searched: the object of the task, if it was searched before.
    """
    unusable = ""
    elsewhere = list(_Search(task_id, searched).anywhere(body))
    certain = [one for one in elsewhere if not one.is_doubtful]
    for found in (list(_documented(body)), certain, elsewhere, list(_at_the_root(body))):
        videos = [(video, one.entry) for one in found if (video := _video(one)) is not None]
        if videos:
            # Pictures beside the video are no videos: the last frame, or a GIF, both on request. The name of
            # the only link says less: what is behind it was paid for.
            numbered = _numbered([one for one in videos if not _is_picture(one[0].url)] or videos)
            return Results(numbered, len({video.number for video in numbered}))
        unusable = unusable or next((_shown(one.text) for one in found if one.text.strip()), "")
    return Results(unusable=unusable)


def _numbered(videos: list[tuple[Video, object]]) -> tuple[Video, ...]:
    """Return each link once, with the number of its video: one for each entry, if it shares no link.

    Args:
        videos: the links and contents, each with its entry.
    """
    entries: dict[object, list[Video]] = {}
    for video, entry in videos:
        entries.setdefault(entry, []).append(video)
    numbered: dict[str | bytes, Video] = {}
    count = 0
    for links in entries.values():
        named = {video.url or video.content[:_MOST_COMPARED]: video for video in reversed(links)}
        number = next((numbered[name].number for name in named if name in numbered), count)
        count = max(count, number + 1)
        for name, video in reversed(named.items()):
            numbered.setdefault(name, replace(video, number=number))
    return tuple(numbered.values())


def without_data(value: Any) -> Any:
    """Return a JSON value in which long texts, such as a video in base64, are cut to their beginning."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_KEPT else f"{value[:_LONGEST_SHOWN]}… ({len(value)})"
    if isinstance(value, list):
        return [without_data(item) for item in value]
    if isinstance(value, Mapping):
        return {name: without_data(item) for name, item in value.items()}
    return value


def is_large(value: Any, most: int) -> bool:
    """Return whether a JSON value has more characters and items than ``most``, without videos in base64."""
    size, waiting = 0, [value]
    while waiting and size <= most:
        part, size = waiting.pop(), size + 1
        if isinstance(part, str):
            prefix = _DATA_URL.match(part)
            is_content = len(part) > _LONGEST_KEPT and _BASE64.fullmatch(part, prefix.end() if prefix else 0)
            size += 0 if is_content else len(part)
        elif isinstance(part, list):
            waiting += part[: most + 1]
        elif isinstance(part, Mapping):
            waiting += [*part, *part.values()]
    return size > most


def _documented(task: Mapping[str, Any]) -> Iterator[_Found]:
    result = task.get("result")
    entries = result.get("videos") if isinstance(result, Mapping) else None
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        fields = entry if isinstance(entry, Mapping) else {"url": entry}
        url = fields.get("url")
        for text in url if isinstance(url, list) else [url]:
            if isinstance(text, str):
                yield _Found(text, read_time(fields.get("expires_at")), number)


def _at_the_root(task: Mapping[str, Any]) -> Iterator[_Found]:
    for name, value in task.items():
        if _plain(name) in _LINKS:
            yield from _texts(value, read_time(task.get("expires_at")), _ROOT, "")


class _Search:
    """A search of the members that hold results at other services.

    Args:
        task_id: the id of the task; entries of other tasks in a list are not searched.
        task: the object of the task, if it was searched before; it is not searched again.
    """

    def __init__(self, task_id: str, task: Mapping[str, Any] | None) -> None:
        self._task_id, self._task = task_id, task
        self._left = 0

    def anywhere(self, body: Mapping[str, Any]) -> Iterator[_Found]:
        """Yield what is in members that hold results, and as ``video_url``."""
        for name, value in body.items():
            plain = _plain(name)
            is_doubtful = _may_be_input(plain, body)
            if plain in _HOLDERS:
                self._left = _MOST_ITEMS
                yield from self._walk(value, None, 1, is_doubtful=is_doubtful)
            elif plain in ("videourl", *_CONTENTS):
                yield from _texts(
                    value, read_time(body.get("expires_at")), _ROOT, plain, is_doubtful=is_doubtful
                )

    def _walk(
        self, value: object, expires_at: datetime | None, depth: int, *, is_doubtful: bool
    ) -> Iterator[_Found]:
        """Yield the links and contents below a member that holds results.

        Args:
            value: the member.
            expires_at: the expiry in the object around it.
            depth: the number of objects around it.
            is_doubtful: whether it may repeat the request.
        """
        self._left -= 1
        if depth > _DEEPEST or self._left < 0 or value is self._task:
            return
        if isinstance(value, str):
            # Any other text may be a name or a message.
            if web_link(value) is not None or _DATA_URL.match(value):
                yield _Found(value, expires_at, value, is_doubtful=is_doubtful)
        elif isinstance(value, list):
            for item in self._own(value):
                yield from self._walk(item, expires_at, depth + 1, is_doubtful=is_doubtful)
        elif isinstance(value, Mapping) and not _is_no_video(value):
            expires_at = read_time(value.get("expires_at")) or expires_at
            entry = object()
            for name, item in value.items():
                plain = _plain(name)
                is_beside = is_doubtful or _may_be_input(plain, value)
                is_link = plain in _LINKS or (plain in _LISTS_OF_LINKS and "prompt" not in value)
                if plain in _CONTENTS or (is_link and not isinstance(item, Mapping)):
                    yield from _texts(item, expires_at, entry, plain, is_doubtful=is_beside)
                elif plain in _HOLDERS or plain in _LINKS:
                    yield from self._walk(item, expires_at, depth + 1, is_doubtful=is_beside)

    def _own(self, entries: list[Any]) -> list[Any]:
        """Return the entries of the task if a list has some; all entries otherwise."""
        looked_at = entries[:_MOST_ITEMS]
        if any(isinstance(entry, Mapping) and entry.get("type") == "text" for entry in looked_at):
            return []  # a request: its prompt, and the media that it refers to
        own = [entry for entry in looked_at if isinstance(entry, Mapping) and has_id(entry, self._task_id)]
        return own or looked_at


def _texts(
    value: object, expires_at: datetime | None, entry: object, plain: str, *, is_doubtful: bool = False
) -> Iterator[_Found]:
    """Yield the text of a member, or those of its list, which are entries of their own.

    Args:
        value: the member.
        expires_at: the expiry in the object around it.
        entry: that object, of which all links lead to the same video.
        plain: the name of the member.
        is_doubtful: whether it may repeat the request.
    """
    is_content = plain in _CONTENTS
    if isinstance(value, str):
        yield _Found(value, expires_at, entry, is_content, is_doubtful)
    for text in value[:_MOST_ITEMS] if isinstance(value, list) else ():
        if isinstance(text, str):
            yield _Found(text, expires_at, text, is_content, is_doubtful)


def _may_be_input(plain: str, fields: Mapping[str, Any]) -> bool:
    """Return whether a member may repeat the request, because the prompt is beside it."""
    return "prompt" in fields and plain not in _OUTPUTS


def _plain(name: object) -> str:
    return str(name).replace("_", "").lower()


def _is_no_video(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a picture, a sound, or an input of the request, which has a role there."""
    kinds = (entry.get(name) for name in ("type", "mime_type", "content_type", "mimeType"))
    is_other = any(isinstance(kind, str) and _NO_VIDEO.fullmatch(kind) for kind in kinds)
    role = entry.get("role")
    return is_other or (isinstance(role, str) and _INPUT.match(role) is not None)


def _is_picture(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(_PICTURES)


def _video(found: _Found) -> Video | None:
    prefix = _DATA_URL.match(found.text)
    if prefix is not None or found.is_content:
        content = _decoded(found.text[prefix.end() :] if prefix else found.text)
        return Video("", found.expires_at, content) if content else None
    link = web_link(found.text)
    return None if link is None else Video(link, found.expires_at)


def _decoded(text: str) -> bytes:
    """Return the video in a base64 text; empty if it is none, or too large."""
    if not _SHORTEST_CONTENT <= len(text) <= _LONGEST_CONTENT:
        return b""
    try:
        content = base64.b64decode(text.translate(_URL_SAFE) + "===")
    except (binascii.Error, ValueError):
        return b""
    return content if played_type(content) else b""


_URL_SAFE = str.maketrans("-_", "+/", "=\r\n\t ")


def _shown(text: str) -> str:
    """Return text that is no usable link, as it may be shown: short, and without a signature."""
    line = plain_line(text[:_LONGEST_KEPT])
    line = without_query(line) if "?" in line and not _DATA_URL.match(line) else line
    return shorten(line, _LONGEST_SHOWN)
