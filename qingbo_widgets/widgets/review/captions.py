"""Captions of the videos of a comparison: what each shows, and what tells it from the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...tasks.sweep.grid import differing
from ...tasks.task import Task
from ..base import html as markup
from ..sweep.table import label

__all__ = ["captions_of"]


def captions_of(videos: Sequence[Task | str | Path]) -> list[str]:
    """Return the prompt and model of each task, or the name of each file.

    Tasks with the same prompt and model get the parameters in which they differ, such as ``duration 10``.
    """
    captions = [_caption_of(video) for video in videos]
    settings = [_settings_of(video) for video in videos]
    for caption in {one for one in captions if captions.count(one) > 1}:
        alike = [number for number, one in enumerate(captions) if one == caption]
        names = differing([settings[number] for number in alike])
        for number in alike:
            difference = label({name: settings[number].get(name) for name in names})
            captions[number] = ", ".join(filter(None, (caption, difference)))
    return captions


def _caption_of(video: Task | str | Path) -> str:
    if not isinstance(video, Task):
        return Path(video).stem
    prompt = "" if video.request is None else " / ".join(video.request.prompts)
    return ", ".join(part for part in (markup.shorten(prompt, 90), video.model) if part)


def _settings_of(video: Task | str | Path) -> dict[str, object]:
    if not isinstance(video, Task) or video.request is None:
        return {}
    return video.request.values()
