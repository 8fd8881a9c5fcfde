"""The checks of compound values: shots, camera movements, moving masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...i18n import N_, tr
from .limits import (
    EXAMPLE_SECONDS,
    EXAMPLE_URL,
    NOT_IN_RANGE,
    NOT_ONE_OF,
    check_public_url,
    check_text,
    is_blank_prompt,
    is_duration,
    is_finite,
    is_within,
)
from .problem import Problem, listed, numbered, part_of, refused, shown
from .schema import Model, Parameter
from .values import CameraControl, DynamicMask, Item, Shot, is_pair, is_url_member

__all__ = [
    "advise_camera",
    "advise_shots",
    "check_camera",
    "check_masks",
    "check_shots",
    "item_urls",
    "mask_urls",
    "with_item_urls",
    "with_mask_urls",
    "with_urls",
]

_TOTAL = N_(
    "{field}: the shots add up to {total} s; the service renders {shortest} to {longest} s. Try {example}."
)

_EXAMPLE_SHOT = N_("A koi in a pond")
_EXAMPLE_POINTS = [(0, 0), (10, 10)]
_EXAMPLE_MASK = f"DynamicMask('{EXAMPLE_URL}moves.png', {_EXAMPLE_POINTS})"


def check_shots(parameter: Parameter, shots: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a list of shots: of each shot, of their number, of the sum of their seconds."""
    del model
    name = parameter.name
    if not isinstance(shots, tuple):
        yield refused(name, shots, tr("is not a list of shots"), [(tr(_EXAMPLE_SHOT), EXAMPLE_SECONDS)])
        return
    for number, shot in enumerate(shots, 1):
        for problem in _shot(parameter, shot, numbered(name, number)):
            yield replace(problem, number=number)
    if limits := parameter.limits.get("count"):
        fewest, most = limits
        if not fewest <= len(shots) <= most:
            message = tr("{field}: {count} given, but the service takes {fewest} to {most}; try {example}.")
            example = fewest if len(shots) < fewest else most
            message = message.format(field=name, count=len(shots), fewest=fewest, most=most, example=example)
            yield Problem(name, message)
    if limits := parameter.limits.get("seconds"):
        shortest, longest = limits
        durations = [shot.duration for shot in shots if isinstance(shot, Shot) and is_duration(shot.duration)]
        if len(durations) == len(shots) and not shortest <= sum(durations) <= longest:
            message = tr(_TOTAL).format(
                field=name,
                total=sum(durations),
                shortest=shortest,
                longest=longest,
                example=tr("5 for each of 2 shots"),
            )
            yield Problem(name, message)


def advise_shots(parameter: Parameter, shots: Any) -> Iterator[Problem]:
    """Yield a warning for each prompt that is longer than Kling reads."""
    (most,) = parameter.limits.get("advised", (0,))
    for number, shot in enumerate(shots if most and isinstance(shots, tuple) else (), 1):
        if isinstance(shot, Shot) and isinstance(shot.prompt, str) and len(shot.prompt) > most:
            message = tr("{where}: the prompt has {count} characters, but Kling reads at most {most}.")
            message = message.format(
                where=numbered(parameter.name, number), count=len(shot.prompt), most=most
            )
            yield Problem(parameter.name, message, number)


def _shot(parameter: Parameter, shot: object, where: str) -> Iterator[Problem]:
    name = parameter.name
    if not isinstance(shot, Shot):
        limit = tr("is not a prompt and a duration")
        yield refused(name, shot, limit, (tr(_EXAMPLE_SHOT), EXAMPLE_SECONDS), where)
        return
    if is_blank_prompt(shot.prompt):
        yield refused(name, shot.prompt, tr("is an empty prompt"), tr(_EXAMPLE_SHOT), where)
    else:
        yield from check_text(name, shot.prompt, parameter.most, where)
    if not is_duration(shot.duration):
        limit = tr("is not a whole number of seconds, at least 1")
        yield refused(name, shot.duration, limit, EXAMPLE_SECONDS, where)


def check_camera(parameter: Parameter, camera: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a camera movement: its type, and the axes of its config."""
    del model
    name, axes = parameter.name, [name for name in parameter.labels if name not in parameter.choices]
    example = parameter.example or next(iter(parameter.choices), "")
    if not isinstance(camera, CameraControl):
        yield refused(name, camera, tr("is not a camera movement"), example)
    elif not isinstance(camera.type, str) or camera.type not in parameter.choices:
        limit = tr(NOT_ONE_OF).format(values=listed(parameter.choices))
        yield refused(name, camera.type, limit, example)
    elif camera.type != "simple":
        if camera.config is not None:
            limit = tr("is not allowed, because the preset {type} takes no config").format(type=camera.type)
            yield refused(name, camera.config, limit, CameraControl(camera.type))
    elif not isinstance(camera.config, dict):
        limit = tr("is not a config; simple needs one with an axis ({axes})").format(axes=listed(axes))
        yield refused(name, camera.config, limit, {"zoom": 5})
    else:
        low, high = parameter.range or (-math.inf, math.inf)
        for axis, value in camera.config.items():
            if axis not in axes:
                limit = tr("is not an axis ({axes})").format(axes=listed(axes))
                yield refused(name, axis, limit, "zoom")
            elif not is_within(value, low, high):
                limit = tr(NOT_IN_RANGE).format(low=low, high=high)
                yield refused(name, value, limit, 5, part_of(name, axis))


def advise_camera(parameter: Parameter, camera: object) -> Iterator[Problem]:
    """Yield a warning unless exactly one axis moves, as Kling's own documentation requires."""
    if isinstance(camera, CameraControl) and camera.type == "simple" and isinstance(camera.config, dict):
        moving = [value for value in camera.config.values() if isinstance(value, (int, float)) and value != 0]
        if len(moving) != 1:
            several = tr("{field}: {count} axes are set; set exactly one.")
            message = several if moving else tr("{field}: no axis is set; set exactly one.")
            yield Problem(parameter.name, message.format(field=parameter.name, count=len(moving)))


def check_masks(parameter: Parameter, masks: object, model: Model) -> Iterator[Problem]:
    """Yield the problems of a list of moving masks: of their number and of each mask."""
    del model
    name, most = parameter.name, parameter.most
    if not isinstance(masks, tuple):
        message = tr("{field}: {value} is not a list of DynamicMask; try {example}.")
        yield Problem(name, message.format(field=name, value=shown(masks), example=f"[{_EXAMPLE_MASK}]"))
        return
    if 0 < most < len(masks):
        message = tr("{field}: {count} given, but the service takes at most {most}; try {most}.")
        yield Problem(name, message.format(field=name, count=len(masks), most=most))
    for number, mask in enumerate(masks, 1):
        for problem in _mask(parameter, mask, numbered(name, number)):
            yield replace(problem, number=number)


def _mask(parameter: Parameter, mask: object, where: str) -> Iterator[Problem]:
    name = parameter.name
    if not isinstance(mask, DynamicMask):
        message = tr("{where}: {value} is not a DynamicMask; try {example}.")
        yield Problem(name, message.format(where=where, value=shown(mask), example=_EXAMPLE_MASK))
        return
    yield from check_public_url(name, mask.mask_url, "moves.png", where)
    fewest, most = parameter.limits.get("points", (0, math.inf))
    points = mask.trajectories if isinstance(mask.trajectories, tuple) else ()
    if not fewest <= len(points) <= most:
        message = tr("{where}: {count} points, but a trajectory has {fewest} to {most}; try {example}.")
        example = _EXAMPLE_POINTS if len(points) < fewest else most
        message = message.format(where=where, count=len(points), fewest=fewest, most=most, example=example)
        yield Problem(name, message)
    for point in points:
        if not is_pair(point) or not all(is_finite(coordinate) for coordinate in point):
            yield refused(name, point, tr("is not a point (x, y)"), (10, 20), where)


def mask_urls(masks: Any) -> tuple[Any, ...]:
    """Return the URLs of the masks."""
    parts = masks if isinstance(masks, tuple) else ()
    return tuple(mask.mask_url for mask in parts if isinstance(mask, DynamicMask))


def with_urls(urls: Any, change: Callable[[Any], Any]) -> Any:
    """Return a tuple of URLs with each URL changed; any other value unchanged."""
    return tuple(map(change, urls)) if isinstance(urls, tuple) else urls


def with_mask_urls(masks: Any, change: Callable[[Any], Any]) -> Any:
    """Return the masks with the URL of each changed; any other value unchanged."""
    if not isinstance(masks, tuple):
        return masks
    return tuple(
        replace(mask, mask_url=change(mask.mask_url)) if isinstance(mask, DynamicMask) else mask
        for mask in masks
    )


def item_urls(items: Any) -> tuple[Any, ...]:
    """Return the URLs in the objects of a list: in the members whose name ends in ``url`` or ``urls``."""
    urls: list[Any] = []
    for item in items if isinstance(items, tuple) else ():
        for key, value in item.items() if isinstance(item, Mapping) else ():
            if is_url_member(key):
                urls += value if isinstance(value, tuple) else [value]
    return tuple(urls)


def with_item_urls(items: Any, change: Callable[[Any], Any]) -> Any:
    """Return the objects of a list with each URL changed; any other value unchanged."""

    def changed(key: str, value: Any) -> Any:
        if not is_url_member(key):
            return value
        return tuple(map(change, value)) if isinstance(value, tuple) else change(value)

    if not isinstance(items, tuple):
        return items
    return tuple(
        Item({key: changed(key, value) for key, value in item.items()}) if isinstance(item, Mapping) else item
        for item in items
    )
