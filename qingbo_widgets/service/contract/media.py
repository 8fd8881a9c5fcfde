"""The pictures and videos that a request refers to, in whichever fields they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .kinds import KINDS
from .models import declared
from .problem import numbered
from .request import VideoRequest
from .schema import Models, Parameter

__all__ = ["Medium", "media_in", "media_of", "with_each", "with_media"]


@dataclass(frozen=True)
class Medium:
    """A picture or video in a request.

    Attributes:
        parameter: the field that it is in.
        value: its URL or path as text, or a ``LocalMedia``; any other value is a mistake.
        number: the number of the part of the field that it is in, counted from 1; 0 if that has only one.
    """

    parameter: Parameter
    value: Any
    number: int = 0

    @property
    def field(self) -> str:
        """The name of the field."""
        return self.parameter.name

    @property
    def where(self) -> str:
        """The name of the field with the number of the part."""
        return numbered(self.field, self.number) if self.number else self.field


def media_of(request: VideoRequest) -> tuple[Medium, ...]:
    """Return the pictures and videos of a request in the order of its fields."""
    noted = _Noted()
    with_media(request, noted.note)
    return tuple(noted.media)


def media_in(parameter: Parameter, value: Any) -> tuple[Medium, ...]:
    """Return the pictures and videos in the value of one field."""
    noted = _Noted()
    with_each(parameter, value, noted.note)
    return tuple(noted.media)


class _Noted:
    """The pictures and videos that were met."""

    def __init__(self) -> None:
        self.media: list[Medium] = []

    def note(self, medium: Medium) -> Any:
        """Note one, and leave it as it is."""
        self.media.append(medium)
        return medium.value


def with_media(
    request: VideoRequest, change: Callable[[Medium], Any], models: Models | None = None
) -> VideoRequest:
    """Return a copy of a request in which each picture and video is what ``change`` returns for it.

    Args:
        request: the request.
        change: called with each picture and video.
        models: the models of a contract, of which the request's has limits of its own.
    """
    known, own, changes = dict(declared()), dict[str, Parameter](), dict[str, Any]()
    names = [name for name in request.given if name in known and known[name].media]
    if models is not None and names:
        model = models.of(request.model)
        own = {**model.parameters, **model.limited(request.values(models))}
    for name in names:
        changes[name] = with_each(own.get(name, known[name]), request.given[name], change)
    return request.replace(**changes) if changes else request


def with_each(parameter: Parameter, value: Any, change: Callable[[Medium], Any]) -> Any:
    """Return the value of one field, each picture and video in it as ``change`` returns it."""
    kind = KINDS[parameter.type]
    if not kind.is_list or not isinstance(value, tuple):
        return kind.with_urls(value, lambda one: change(Medium(parameter, one)))
    is_numbered = len(value) > 1 or parameter.type != "urls"

    def changed(part: Any, number: int) -> Any:
        return kind.with_urls((part,), lambda one: change(Medium(parameter, one, number)))

    parts = (changed(part, number if is_numbered else 0) for number, part in enumerate(value, 1))
    return tuple(one for part in parts for one in part)
