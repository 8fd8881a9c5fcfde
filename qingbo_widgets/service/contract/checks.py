"""What the service would refuse (``check``), and what to know before sending (``advise``).

A value of a wrong type is a problem like any other; nothing here raises.
"""

from __future__ import annotations

import dataclasses
import math
import reprlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ..secrets.known_keys import HIDDEN, hide_in, holds_key, texts_in
from . import catalog
from .catalog import Problem, spec_of, takes
from .urls import is_private_host, is_web_url, why_not_public
from .values import CameraControl, DynamicMask, Shot, is_integer, is_pair, is_set

if TYPE_CHECKING:
    from .request import VideoRequest

__all__ = ["advise", "check"]

#: Characters that Kling itself allows in the prompt of a shot.
_SHOT_PROMPT_LIMIT = 512
_EXAMPLE_URL = "https://example.com/"
_EXAMPLE_PROMPT = N_("A koi in a clear pond")
_EXAMPLE_SHOT = N_("A koi in a pond")
_EXAMPLE_POINTS = [(0, 0), (10, 10)]
_EXAMPLE_MASK = f"DynamicMask(mask_url, {_EXAMPLE_POINTS})"
#: The end of a sentence that names the value.
_NOT_ONE_OF = N_("is not one of {values}")
_NO_NUMBER = N_("is not a number from {low:g} to {high:g}")

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


def check(request: VideoRequest) -> tuple[Problem, ...]:
    """The reasons for which the service would refuse the request."""
    return tuple(_problems(request))


def advise(request: VideoRequest, *, local_service: bool = False) -> tuple[Problem, ...]:
    """What may not work out as meant, although the service takes it.

    Args:
        request: the request.
        local_service: whether a server on this machine answers, which reaches private addresses too.
    """
    private = () if local_service else _unreachable(request)
    return (*_warnings(request), *private, *_kling_wishes(request))


def _problems(request: VideoRequest) -> Iterator[Problem]:
    yield from _keys(request)
    yield from _names(request)
    yield from _not_taken(request)
    yield from _multi_shot(request) if request.is_multi_shot else _single_shot(request)
    yield from _images(request)
    yield from _controls(request)


def _keys(request: VideoRequest) -> Iterator[Problem]:
    """The key belongs into the header alone; a prompt stays at the service, and in the library."""
    for field in dataclasses.fields(request):
        value = getattr(request, field.name)
        if holds_key(value):
            text = tr("{field}: the API key stands in it. Take it out; the request is not sent with it.")
            yield Problem(field.name, text.format(field=field.name))
        elif any(HIDDEN in text for text in texts_in(value)):
            text = tr("{field}: {hidden} stands where an API key was taken out. Put there what is meant.")
            yield Problem(field.name, text.format(field=field.name, hidden=HIDDEN))


def _names(request: VideoRequest) -> Iterator[Problem]:
    if _is_blank(request.model):
        yield _problem("model", request.model, tr("is not a model's name"), "kling-v3")
    if _is_blank(request.action):
        yield _problem("action", request.action, tr("is not the name of an operation"), "generate")
    if not _is_one_of(request.mode, catalog.MODES):
        limit = tr(_NOT_ONE_OF).format(values=_listed(catalog.MODES))
        yield _problem("mode", request.mode, limit, "std")
    # With an input image the image decides, and the field is not sent.
    if not request.is_image_to_video and not _is_one_of(request.aspect_ratio, catalog.ASPECT_RATIOS):
        limit = tr(_NOT_ONE_OF).format(values=_listed(catalog.ASPECT_RATIOS))
        yield _problem("aspect_ratio", request.aspect_ratio, limit, "16:9")


def _not_taken(request: VideoRequest) -> Iterator[Problem]:
    for field in (
        "negative_prompt",
        "cfg_scale",
        "enable_audio",
        "camera_control",
        "static_mask",
        "dynamic_masks",
        "shots",
    ):
        if is_set(getattr(request, field)) and not takes(request.model, field):
            models = tr(" and ").join(catalog.models_taking(field))
            told = tr(
                "{field}: {value} is given, and {model} does not take it ({models} would); leave {field} out."
            )
            value = _shown(getattr(request, field))
            told = told.format(field=field, value=value, model=request.model, models=models)
            yield Problem(field, told)


def _single_shot(request: VideoRequest) -> Iterator[Problem]:
    if _says_nothing(request.prompt):
        yield _problem("prompt", request.prompt, tr("says nothing of the video"), tr(_EXAMPLE_PROMPT))
    else:
        yield from _length("prompt", request.prompt)
    spec = spec_of(request.model)
    if spec is None:
        if not is_integer(request.duration) or request.duration < 1:
            yield _problem("duration", request.duration, tr("is not a whole number of seconds"), 5)
    elif not is_integer(request.duration) or request.duration not in spec.durations:
        limit = tr("is not one of {values} (whole seconds) that {model} renders")
        limit = limit.format(values=_listed(spec.durations), model=spec.name)
        yield _problem("duration", request.duration, limit, 5)


def _multi_shot(request: VideoRequest) -> Iterator[Problem]:
    if not isinstance(request.shots, tuple):
        yield _problem("shots", request.shots, tr("is not a list of shots"), [(tr(_EXAMPLE_SHOT), 5)])
        return
    if is_set(request.prompt) and not _is_blank(request.prompt):
        limit = tr("would not be sent, because the shots stand instead of it")
        yield _problem("prompt", request.prompt, limit, "")
    for number, shot in enumerate(request.shots, 1):
        yield from _numbered(number, _shot(shot, _where("shots", number)))
    if spec_of(request.model) is None:
        return
    fewest, most = catalog.SHOTS_LIMIT
    if not fewest <= len(request.shots) <= most:
        told = tr("shots: {count} given, the service takes {fewest} to {most}; {example} would do.")
        example = fewest if len(request.shots) < fewest else most
        told = told.format(count=len(request.shots), fewest=fewest, most=most, example=example)
        yield Problem("shots", told)
    shortest, longest = catalog.SHOTS_SECONDS
    whole = all(isinstance(shot, Shot) and _is_length(shot.duration) for shot in request.shots)
    if whole and not shortest <= request.seconds <= longest:
        limit = tr("seconds is the sum of the durations, and the service renders {shortest} to {longest}")
        limit = limit.format(shortest=shortest, longest=longest)
        yield _problem("shots", request.seconds, limit, tr("5 for each of 2 shots"))


def _shot(shot: object, where: str) -> Iterator[Problem]:
    if not isinstance(shot, Shot):
        limit = tr("is not a prompt and a duration")
        yield _problem("shots", shot, limit, (tr(_EXAMPLE_SHOT), 5), where)
        return
    if _says_nothing(shot.prompt):
        yield _problem("shots", shot.prompt, tr("is a prompt that says nothing"), tr(_EXAMPLE_SHOT), where)
    else:
        yield from _length("shots", shot.prompt, where)
    if not _is_length(shot.duration):
        limit = tr("is not a whole number of seconds, at least 1")
        yield _problem("shots", shot.duration, limit, 5, where)


def _images(request: VideoRequest) -> Iterator[Problem]:
    if not isinstance(request.image_urls, tuple):
        yield _problem("image_urls", request.image_urls, tr("is not a URL"), _EXAMPLE_URL + "first.png")
    else:
        for url in request.image_urls:
            yield from _public("image_urls", url, "first.png")
        spec = spec_of(request.model)
        if spec is not None and len(request.image_urls) > spec.max_images:
            told = tr(
                "image_urls: {count} given, and {model} takes {most}, the first frame; a last frame goes "
                "into last_frame."
            )
            count = len(request.image_urls)
            yield Problem("image_urls", told.format(count=count, model=spec.name, most=spec.max_images))
    for field, example in (("last_frame", "last.png"), ("static_mask", "still.png")):
        value = getattr(request, field)
        if is_set(value):
            yield from _public(field, value, example)
            yield from _needs_image(request, field)
    if is_set(request.callback_url):
        yield from _public("callback_url", request.callback_url, "hook")
    if is_set(request.dynamic_masks):
        yield from _dynamic_masks(request)
        yield from _needs_image(request, "dynamic_masks")


def _dynamic_masks(request: VideoRequest) -> Iterator[Problem]:
    masks, most = request.dynamic_masks, catalog.DYNAMIC_MASKS_LIMIT
    if not isinstance(masks, tuple):
        told = tr("dynamic_masks: {value} is not a list of DynamicMask; {example} would do.")
        yield Problem("dynamic_masks", told.format(value=_shown(masks), example=f"[{_EXAMPLE_MASK}]"))
        return
    if len(masks) > most:
        told = tr("dynamic_masks: {count} given, and the service takes at most {most}; {most} would do.")
        yield Problem("dynamic_masks", told.format(count=len(masks), most=most))
    for number, mask in enumerate(masks, 1):
        yield from _numbered(number, _dynamic_mask(mask, _where("dynamic_masks", number)))


def _dynamic_mask(mask: object, where: str) -> Iterator[Problem]:
    if not isinstance(mask, DynamicMask):
        told = tr("{where}: {value} is not a DynamicMask; {example} would do.")
        yield Problem("dynamic_masks", told.format(where=where, value=_shown(mask), example=_EXAMPLE_MASK))
        return
    yield from _public("dynamic_masks", mask.mask_url, "moves.png", where)
    fewest, most = catalog.TRAJECTORY_POINTS
    points = mask.trajectories if isinstance(mask.trajectories, tuple) else ()
    if not fewest <= len(points) <= most:
        told = tr("{where}: {count} points, and a trajectory has {fewest} to {most}; {example} would do.")
        example = _EXAMPLE_POINTS if len(points) < fewest else most
        told = told.format(where=where, count=len(points), fewest=fewest, most=most, example=example)
        yield Problem("dynamic_masks", told)
    for point in points:
        if not is_pair(point) or not all(_is_finite(coordinate) for coordinate in point):
            yield _problem("dynamic_masks", point, tr("is not a point (x, y)"), (10, 20), where)


def _controls(request: VideoRequest) -> Iterator[Problem]:
    if is_set(request.negative_prompt):
        yield from _length("negative_prompt", request.negative_prompt)
    low, high = catalog.CFG_SCALE_RANGE
    if is_set(request.cfg_scale) and not _is_within(request.cfg_scale, low, high):
        limit = tr(_NO_NUMBER).format(low=low, high=high)
        yield _problem("cfg_scale", request.cfg_scale, limit, 0.5)
    if is_set(request.enable_audio) and not isinstance(request.enable_audio, bool):
        yield _problem("enable_audio", request.enable_audio, tr("is neither True nor False"), True)
    if is_set(request.camera_control):
        yield from _camera(request.camera_control)


def _camera(camera: object) -> Iterator[Problem]:
    if not isinstance(camera, CameraControl):
        yield _problem("camera_control", camera, tr("is not a camera movement"), "forward_up")
    elif not _is_one_of(camera.type, catalog.CAMERA_TYPES):
        limit = tr(_NOT_ONE_OF).format(values=_listed(catalog.CAMERA_TYPES))
        yield _problem("camera_control", camera.type, limit, "forward_up")
    elif camera.type != "simple":
        if camera.config is not None:
            limit = tr("is a config, and {type} is a preset that takes none").format(type=camera.type)
            yield _problem("camera_control", camera.config, limit, CameraControl(camera.type))
    elif not isinstance(camera.config, dict):
        limit = tr("is no config, and simple needs one with some of {axes}")
        limit = limit.format(axes=_listed(tuple(catalog.CAMERA_AXES)))
        yield _problem("camera_control", camera.config, limit, {"zoom": 5})
    else:
        low, high = catalog.CAMERA_AXIS_RANGE
        for axis, value in camera.config.items():
            if axis not in catalog.CAMERA_AXES:
                limit = tr("is not an axis ({axes})").format(axes=_listed(tuple(catalog.CAMERA_AXES)))
                yield _problem("camera_control", axis, limit, "zoom")
            elif not _is_within(value, low, high):
                limit = tr(_NO_NUMBER).format(low=low, high=high)
                yield _problem("camera_control", value, limit, 5, f"camera_control, {axis}")


def _warnings(request: VideoRequest) -> Iterator[Problem]:
    if isinstance(request.model, str) and spec_of(request.model) is None and request.model.strip():
        told = tr("model: {value} is not in this catalogue; sent as it is.")
        told = told.format(value=_shown(request.model))
        if meant := catalog.closest_model(request.model):
            told += " " + tr("Did you mean {model}?").format(model=meant)
        yield Problem("model", told)
    if not _is_one_of(request.action, ("generate",)):
        told = tr("action: {value} is not documented; generate is.")
        yield Problem("action", told.format(value=_shown(request.action)))
    if request.is_image_to_video and not _is_one_of(request.aspect_ratio, ("16:9",)):
        yield Problem("aspect_ratio", tr("aspect_ratio: it is not sent, the input image decides."))
    if request.is_multi_shot and not (is_integer(request.duration) and request.duration == 5):
        yield Problem("duration", tr("duration: it is not sent, the durations of the shots decide."))


def _unreachable(request: VideoRequest) -> Iterator[Problem]:
    images = request.image_urls if isinstance(request.image_urls, tuple) else ()
    named = [("image_urls", url) for url in images]
    named += [
        (field, getattr(request, field))
        for field in ("last_frame", "static_mask", "callback_url")
        if is_set(getattr(request, field))
    ]
    for field, url in named:
        if is_web_url(url) and is_private_host(url):
            told = tr("{field}: {url} is on a private address that the service cannot reach.")
            yield Problem(field, told.format(field=field, url=_shown(url)))


def _kling_wishes(request: VideoRequest) -> Iterator[Problem]:
    """Limits that Kling documents for what the service passes on to it."""
    shots = request.shots if isinstance(request.shots, tuple) else ()
    for number, shot in enumerate(shots, 1):
        if isinstance(shot, Shot) and isinstance(shot.prompt, str) and len(shot.prompt) > _SHOT_PROMPT_LIMIT:
            told = tr("{where}: its prompt has {count} characters, and Kling reads at most {most}.")
            told = told.format(where=_where("shots", number), count=len(shot.prompt), most=_SHOT_PROMPT_LIMIT)
            yield Problem("shots", told, number)
    camera = request.camera_control
    if not isinstance(camera, CameraControl):
        return
    if camera.type == "simple" and isinstance(camera.config, dict):
        moving = [value for value in camera.config.values() if isinstance(value, (int, float)) and value != 0]
        if len(moving) != 1:
            told = tr("camera_control: {count} axes differ from zero, and Kling wants exactly one.")
            yield Problem("camera_control", told.format(count=len(moving)))
    for field in ("last_frame", "static_mask", "dynamic_masks"):
        if is_set(getattr(request, field)):
            told = tr("camera_control: Kling does not combine it with {field}.")
            yield Problem("camera_control", told.format(field=field))


def _length(field: str, text: object, where: str = "") -> Iterator[Problem]:
    if not isinstance(text, str):
        yield _problem(field, text, tr("is not text"), tr(_EXAMPLE_PROMPT), where)
    elif len(text) > catalog.PROMPT_LIMIT:
        told = tr(
            "{where}: {value} has {count} characters, and the service takes at most {most}; leave out "
            "{excess}."
        )
        count, most = len(text), catalog.PROMPT_LIMIT
        told = told.format(
            where=where or field, value=_shown(text), count=count, most=most, excess=count - most
        )
        yield Problem(field, told)


def _public(field: str, url: object, example: str, where: str = "") -> Iterator[Problem]:
    reason = why_not_public(url)
    if reason is not None:
        yield _problem(field, url, reason, _EXAMPLE_URL + example, where)


def _needs_image(request: VideoRequest, field: str) -> Iterator[Problem]:
    if not request.is_image_to_video:
        told = tr(
            "{field}: {value} needs an input image; put one into image_urls ({example} would do), or leave "
            "{field} out."
        )
        value, example = _shown(getattr(request, field)), _shown(_EXAMPLE_URL + "first.png")
        yield Problem(field, told.format(field=field, value=value, example=example))


def _problem(field: str, value: object, limit: str, would_do: object, where: str = "") -> Problem:
    told = tr("{where}: {value} {limit}; {example} would do.")
    return Problem(
        field,
        told.format(where=where or field, value=_shown(value), limit=limit, example=_shown(would_do)),
    )


def _where(field: str, number: int) -> str:
    return tr("{field}, number {number}").format(field=field, number=number)


def _numbered(number: int, problems: Iterator[Problem]) -> Iterator[Problem]:
    return (dataclasses.replace(problem, number=number) for problem in problems)


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**60:  # Python prints no integer of thousands of digits
        return f"<{type(value).__name__}>"
    try:
        return _short.repr(hide_in(value))  # before it is cut, or half a key would remain
    except Exception:  # a foreign __repr__
        return f"<{type(value).__name__}>"


def _listed(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values)


def _is_length(value: object) -> bool:
    return isinstance(value, int) and is_integer(value) and value >= 1


def _is_one_of(value: object, words: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value in words


def _is_blank(text: object) -> bool:
    return not isinstance(text, str) or not text.strip()


def _says_nothing(prompt: object) -> bool:
    return not is_set(prompt) or (isinstance(prompt, str) and not prompt.strip())


def _is_finite(value: object) -> bool:
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def _is_within(value: object, low: float, high: float) -> bool:
    # NaN compares false with everything, so it is outside too.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
