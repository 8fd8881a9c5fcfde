"""Captions of videos that are shown together: what each shows, and how it differs from the others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from ...i18n import N_, tr
from ...library.entry import Entry
from ...library.library import Library
from ...library.requests import read_request
from ...library.selection import Selection
from ...service.contract.request import VideoRequest
from ...service.contract.text import shorten
from ...tasks.sweep.grid import differing
from ...tasks.sweep.labels import SEPARATOR, value_text
from . import html as markup
from .clips import Clip, clips_of
from .settings import prompt_of

__all__ = ["captions_of", "differences", "shared_caption", "shared_prompt"]

#: The fields that are named first.
_FIRST = ("prompt", "model", "duration", "mode", "resolution", "aspect_ratio")
#: A URL, and the name of its file.
_URL = re.compile(r"https?://[^\s;,]*/([^/\s?;,]+)[^\s;,]*")
_PLACE = N_("{number} of {count}")


def captions_of(clips: Sequence[Clip]) -> list[str]:
    """Return how each video differs from the others.

    For tasks with the same prompt, these are the parameters in which they differ, such as ``5 s · pro``. All
    others have their prompt and model, and the parameters only where that is the same; files their names.
    Equal requests have the time of their submission or their order, such as ``14:32`` or ``2 of 4``.
    """
    if shared_caption(clips):
        return _differences(clips)
    captions = [_caption_of(clip) for clip in clips]
    for alike in _alike(captions):
        for number, difference in zip(alike, _differences([clips[n] for n in alike]), strict=True):
            captions[number] = ", ".join(filter(None, (captions[number], difference)))
    return captions


def shared_caption(clips: Sequence[Clip]) -> str:
    """Return the prompt that all videos have, if they differ in something else; empty otherwise."""
    if len(clips) < 2 or not all(clip.request for clip in clips):
        return ""
    prompt = shared_prompt(clips)
    return prompt if prompt and len(set(_differences(clips))) == len(clips) else ""


def shared_prompt(clips: Sequence[Clip]) -> str:
    """Return the beginning of the prompt that all videos have; empty if they have none in common."""
    prompts = {prompt_of(clip.request) for clip in clips}
    return shorten(prompts.pop(), 200) if len(prompts) == 1 else ""


def differences(entries: Iterable[Entry], library: Library) -> dict[str, str]:
    """Return how tasks with the same prompt differ, by their keys; a task with its own prompt has no key.

    Args:
        entries: the tasks that are shown together.
        library: their library.
    """
    prompted = [entry for entry in entries if entry.prompt]
    found = {}
    for numbers in _alike([entry.prompt for entry in prompted]):
        group = [prompted[number] for number in numbers]
        for entry, difference in zip(group, _differences(clips_of(group, library)), strict=True):
            found[entry.key] = difference
    return found


def _differences(clips: Sequence[Clip]) -> list[str]:
    """Return for each video the values in which it differs from the others; for files nothing."""
    settings = [_settings_of(clip.request) for clip in clips]
    names = sorted(
        differing(settings), key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)
    )
    columns = [_texts(name, [one.get(name) for one in settings]) for name in names]
    texts = [SEPARATOR.join(texts) for texts in zip(*columns, strict=True)] or [""] * len(clips)
    for alike in _alike(texts):
        for number, time in zip(alike, _submissions([clips[n] for n in alike]), strict=True):
            texts[number] = SEPARATOR.join(filter(None, (texts[number], time)))
    return texts


def _alike(texts: Sequence[str]) -> list[list[int]]:
    """Return the positions of texts that occur several times, text by text."""
    places: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        places.setdefault(text, []).append(number)
    return [numbers for numbers in places.values() if len(numbers) > 1]


def _submissions(clips: Sequence[Clip]) -> list[str]:
    """Return when each of several equal requests was submitted; for files nothing.

    That is the minute, here, unless all have the same. Those of one minute, such as the variations of one
    click, also have their order.
    """
    minutes = [_minute_of(clip) for clip in clips]
    days = {minute.date() for minute in minutes if minute is not None}
    pattern = "%H:%M" if len(days) == 1 else "%Y-%m-%d %H:%M"
    texts = ["" if minute is None else f"{minute:{pattern}}" for minute in minutes]
    if len(set(minutes)) == 1:
        texts = [""] * len(clips)
    for minute in {minute for minute in minutes if minute is not None}:
        numbers = [number for number, other in enumerate(minutes) if other == minute]
        if len(numbers) > 1:
            for number, place in zip(numbers, _places(minute, [clips[n] for n in numbers]), strict=True):
                texts[number] = SEPARATOR.join(filter(None, (texts[number], place)))
    return texts


def _minute_of(clip: Clip) -> datetime | None:
    return clip.submitted_at and clip.submitted_at.astimezone().replace(second=0, microsecond=0)


def _places(minute: datetime, clips: Sequence[Clip]) -> list[str]:
    """Return the order of equal requests of one minute, such as ``2 of 4``.

    All of the library count, shown or not, so that a task has the same number in every view.
    """
    from ...library.search import select  # slow to import, and equal requests are rare

    library, known = clips[0].library, list(clips)
    if library is not None:
        model = clips[0].model or None
        during = Selection(model=model, since=minute, until=minute + timedelta(minutes=1))
        settings = _settings_of(clips[0].request)
        found = [
            entry
            for entry, _ in select(library.journal, during)[1]
            if entry.model == clips[0].model and _is_same(_settings_in(_json_of(entry)), settings)
        ]
        known += clips_of(found, library)
    times = {clip.key: clip.submitted_at for clip in known}
    order = sorted(times, key=lambda key: (times[key], key))
    text = tr(_PLACE)
    return [text.format(number=order.index(clip.key) + 1, count=len(order)) for clip in clips]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two tasks have the same settings."""
    return one == other or not differing([one, other])


def _json_of(entry: Entry) -> str:
    return json.dumps(None if entry.request is None else dict(entry.request), sort_keys=True)


@lru_cache(maxsize=2000)
def _settings_in(fields_text: str) -> Mapping[str, Any]:
    """Return the settings of a request of the library, given as JSON; each drawing needs many again."""
    fields = json.loads(fields_text)
    return _settings_of(None if fields is None else read_request(fields))


def _texts(name: str, values: Sequence[object]) -> list[str]:
    """Return values as texts; URLs by the names of their files, unless that makes different texts equal."""
    texts = [value_text(name, value) for value in values]
    brief = (
        texts if name == "prompt" else [_URL.sub(lambda url: markup.short_name(url[1]), one) for one in texts]
    )
    return brief if len(set(brief)) == len(set(texts)) else texts


def _settings_of(request: VideoRequest | None) -> Mapping[str, Any]:
    if request is None:
        return {}
    values = dict(request.values())
    if request.is_multi_shot:  # the shots are the prompt, and their seconds the duration
        for name in ("shots", "multi_prompt", "multi_shot"):
            values.pop(name, None)
        values["duration"] = request.seconds_as_given
    return {**values, "model": request.model, "prompt": prompt_of(request)}


def _caption_of(clip: Clip) -> str:
    if not clip.key:
        return "" if clip.path is None else clip.path.stem
    return ", ".join(part for part in (shorten(prompt_of(clip.request), 90), clip.model) if part)
