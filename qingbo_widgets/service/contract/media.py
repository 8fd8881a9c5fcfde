"""The pictures and videos that a request refers to, in whichever fields they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .kinds import KINDS
from .models import declared
from .problem import numbered
from .request import VideoRequest
from .schema import Models, Parameter

__all__ = ["Medium", "media_of", "with_media"]


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


def media_of(request: VideoRequest) -> Iterator[Medium]:
    """Yield the pictures and videos of a request in the order of its fields."""
    media: list[Medium] = []

    def note(medium: Medium) -> Any:
        media.append(medium)
        return medium.value

    with_media(request, note)
    yield from media


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
        changes[name] = _changed(own.get(name, known[name]), request.given[name], change)
    return request.replace(**changes) if changes else request


def _changed(parameter: Parameter, value: Any, change: Callable[[Medium], Any]) -> Any:
    kind = KINDS[parameter.type]
    if not kind.is_list or not isinstance(value, tuple):
        return kind.with_urls(value, lambda one: change(Medium(parameter, one)))
    is_numbered = len(value) > 1 or parameter.type != "urls"
    parts: list[Any] = []
    for number, part in enumerate(value, 1):
        place = number if is_numbered else 0
        parts += kind.with_urls((part,), lambda one, place=place: change(Medium(parameter, one, place)))
    return tuple(parts)
