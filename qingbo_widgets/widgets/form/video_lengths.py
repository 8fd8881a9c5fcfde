"""The lengths of input videos that are files of this machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...i18n import N_, tr
from ...service.contract.problem import Problem
from ...service.contract.urls import is_web_url
from .form_fields import FormFields
from .image_fields import fields_with, urls_of

__all__ = ["length_of", "length_problems"]

_LENGTH = N_("{field}: the video is {length} s long; {model} takes {shortest} to {longest} s.")


def length_problems(form: FormFields) -> tuple[Problem, ...]:
    """Return the problems of input videos that are shorter or longer than the model takes.

    The service counts whole seconds of a video. The lengths of videos elsewhere are not known here.
    """
    problems = []
    for field in fields_with(form.models, "video"):
        limits = form.parameter(field).limits.get("seconds") if form.takes(field) else None
        for url in urls_of(form, field) if limits else ():
            length = length_of(url) if url not in form.unapproved else None
            if length is not None and limits and not limits[0] <= int(length) <= limits[1]:
                text = tr(_LENGTH).format(
                    field=field, length=f"{length:g}", model=form.model, shortest=limits[0], longest=limits[1]
                )
                problems.append(Problem(field, text))
    return tuple(problems)


@cache
def length_of(path: str) -> float | None:
    """Return the length of a video file in seconds, to a tenth; ``None`` if it is a URL or cannot be read."""
    if is_web_url(path):
        return None
    from ...exceptions import QingboError
    from ...media.clips import clip_length

    try:
        return clip_length(Path(path).expanduser())
    except (ImportError, OSError, QingboError):
        return None
