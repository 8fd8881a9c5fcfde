"""Captions of videos that are shown together: what each shows, and how it differs from the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...service.contract.request import VideoRequest
from ...tasks.sweep.grid import differing
from ...tasks.sweep.labels import SEPARATOR, value_text
from ..base import html as markup
from ..base.settings import prompt_of
from ..form.labels import short_name
from .clips import Clip

__all__ = ["captions_of", "differences", "shared_caption", "shared_prompt"]

#: The fields that are named first.
_FIRST = ("prompt", "model", "duration", "mode", "resolution", "aspect_ratio")
#: A URL, and the name of its file.
_URL = re.compile(r"https?://[^\s;,]*/([^/\s?;,]+)[^\s;,]*")


def captions_of(clips: Sequence[Clip]) -> list[str]:
    """Return how each video differs from the others.

    For tasks with the same prompt, these are the parameters in which they differ, such as ``5 s · pro``. All
    others have their prompt and model, and the parameters only where that is the same; files their names.
    """
    if shared_caption(clips):
        return differences([clip.request for clip in clips])
    captions = [_caption_of(clip) for clip in clips]
    for caption in {one for one in captions if captions.count(one) > 1}:
        alike = [number for number, one in enumerate(captions) if one == caption]
        for number, difference in zip(alike, differences([clips[n].request for n in alike]), strict=True):
            captions[number] = ", ".join(filter(None, (caption, difference)))
    return captions


def shared_caption(clips: Sequence[Clip]) -> str:
    """Return the prompt that all videos have, if they differ in something else; empty otherwise."""
    if len(clips) < 2 or not all(clip.request for clip in clips):
        return ""
    all_differ = len(set(differences([clip.request for clip in clips]))) == len(clips)
    return shared_prompt(clips) if all_differ else ""


def shared_prompt(clips: Sequence[Clip]) -> str:
    """Return the beginning of the prompt that all videos have; empty if they have none in common."""
    prompts = {prompt_of(clip.request) for clip in clips}
    return markup.shorten(prompts.pop(), 200) if len(prompts) == 1 else ""


def differences(requests: Sequence[VideoRequest | None]) -> list[str]:
    """Return for each request the values in which it differs from the others; empty if nothing differs."""
    settings = [{} if request is None else _settings_of(request) for request in requests]
    names = sorted(
        differing(settings), key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)
    )
    columns = [_texts(name, [one.get(name) for one in settings]) for name in names]
    return [SEPARATOR.join(texts) for texts in zip(*columns, strict=True)] or [""] * len(settings)


def _texts(name: str, values: Sequence[object]) -> list[str]:
    """Return values as texts; URLs by the names of their files, unless that makes different texts equal."""
    texts = [value_text(name, value) for value in values]
    brief = texts if name == "prompt" else [_URL.sub(lambda url: short_name(url[1]), one) for one in texts]
    return brief if len(set(brief)) == len(set(texts)) else texts


def _settings_of(request: VideoRequest) -> Mapping[str, Any]:
    values = dict(request.values())
    if request.is_multi_shot:  # the shots are the prompt, and their seconds the duration
        for name in ("shots", "multi_prompt", "multi_shot"):
            values.pop(name, None)
        values["duration"] = request.seconds_as_given
    return {**values, "model": request.model, "prompt": prompt_of(request)}


def _caption_of(clip: Clip) -> str:
    if not clip.key:
        return "" if clip.path is None else clip.path.stem
    return ", ".join(part for part in (markup.shorten(prompt_of(clip.request), 90), clip.model) if part)
