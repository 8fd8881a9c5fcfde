"""``advise``: warnings about a request that the service accepts but that may not do what the user intends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...i18n import tr
from .frames import urls_with_role
from .kinds import KINDS
from .models import contracts, models_of
from .problem import Problem, models_in_words, shown
from .resolve import Resolved, resolve
from .rules import named_elements, named_images
from .schema import Model, Models
from .urls import is_private_host, is_web_url
from .values import is_same, is_set

__all__ = ["advise"]

#: The rule of models that read ``<<<image_1>>>`` in a prompt.
_READS_IMAGE_NAMES = "named_images_exist"
#: Names in prompts that have a warning of their own.
_MOST_NAMES = 3


def advise(
    explicit: Mapping[str, Any], models: Models, *, local_service: bool = False
) -> tuple[Problem, ...]:
    """Return warnings about a request that the service accepts but that may not do what the user intends.

    Args:
        explicit: the fields that are set, including the model.
        models: the models of the request's contract.
        local_service: whether the server runs on this machine, where it reaches private addresses too.
    """
    resolved = resolve(explicit, models)
    values, model = resolved.values, resolved.model
    private = () if local_service else _unreachable(values, model)
    warnings = (
        *_unknown(values, models),
        *_replaced_duration(explicit, resolved),
        *_not_sent(values, model),
        *private,
        *_names_that_mean_nothing(resolved),
        *_frames_given_twice(values, model),
        *_avoided(values, model),
    )
    return tuple(resolved.as_given_in(warning) for warning in warnings)


def _unknown(values: Mapping[str, Any], models: Models) -> Iterator[Problem]:
    name, action = values["model"], values["action"]
    if isinstance(name, str) and name not in models and name not in models.retired and name.strip():
        message = tr("model: {value} is not a known model; it is sent unchanged.")
        others = (contract for contract in contracts() if name in models_of(contract))
        if other := next(others, None):
            message = tr(
                "model: {value} is a model of contract {other}, not {contract}; it is sent unchanged."
            )
        message = message.format(value=shown(name), other=other, contract=models.contract)
        if not other and (similar := models.similar(name)):
            meant = tr(" or ").join(similar)
            message = tr("{sentence} Did you mean {model}?").format(sentence=message, model=meant)
        yield Problem("model", message)
    is_open = models.parameters["action"].type == "name"
    if is_open and (not isinstance(action, str) or action != "generate"):
        message = tr("action: {value} is not documented; the documented value is generate.")
        yield Problem("action", message.format(value=shown(action)))


def _replaced_duration(explicit: Mapping[str, Any], resolved: Resolved) -> Iterator[Problem]:
    """Yield a warning if the shots of April replace a duration that the caller set, as they do in April."""
    given, sent = explicit.get("duration"), resolved.values.get("duration")
    has_shots = "shots" in resolved.models.spellings and "shots" in explicit
    if has_shots and is_set(given) and not is_same(given, sent):
        yield Problem("duration", tr("duration: it is not sent, because the shots set the length."))


def _not_sent(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    for constraint in model.active(values):
        for name in constraint.omit:
            if not is_same(values[name], model.default(name)):
                yield Problem(name, tr(constraint.note).format(field=name))


def _unreachable(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    for name, parameter in model.parameters.items():
        for url in KINDS[parameter.type].urls(values.get(name)):
            if is_web_url(url) and is_private_host(url):
                message = tr("{field}: {url} is on a private address that the service cannot reach.")
                yield Problem(name, message.format(field=name, url=shown(url)))


def _names_that_mean_nothing(resolved: Resolved) -> Iterator[Problem]:
    """Yield warnings about names in prompts: of images, for a model that does not read them; of elements.

    A name in several places, such as shots, has one warning.
    """
    values, model = resolved.values, resolved.model
    reading = [other.name for other in resolved.models.values() if _READS_IMAGE_NAMES in other.rules]
    if model.name and reading and model.name not in reading:
        text = tr("{field}: {model} reads '{name}' as plain text. Models that read it as an image: {models}.")
        named = ((field, name) for field, name, _ in named_images(values))
        yield from _for_each_name(text, named, model=model.name, models=models_in_words(reading))
    if "element_list" in model.parameters:
        text = tr("{field}: no element is named '{name}'. To refer to one, add it to element_list.")
        yield from _for_each_name(text, named_elements(values))


def _frames_given_twice(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    """Yield a warning for each frame with an image in ``image_urls`` and another one with its role.

    The documentation does not say which one the service uses, nor that it refuses them: an image that the
    prompt names is a reference.
    """
    images = values.get("image_urls")
    if model.frames != "image_urls" or not isinstance(images, tuple):
        return
    if is_set(values.get("video_urls")) or any(True for _ in named_images(values)):
        return  # they are references
    text = tr(
        "image_with_roles: {url} and {other}, by its place in image_urls, both have the role {role}. Leave "
        "one out: the service does not say which one it uses."
    )
    for role, image in zip(("first_frame", "last_frame"), images, strict=False):
        for url in urls_with_role(role, values.get("image_with_roles"))[:1]:
            if not is_same(url, image):
                message = text.format(url=shown(url), role=role, other=shown(image))
                yield Problem("image_with_roles", message)


def _for_each_name(text: str, named: Iterable[tuple[str, str]], **facts: str) -> Iterator[Problem]:
    """Yield a warning for each of the first names, in its first field, then one for all others."""
    fields: dict[str, str] = {}
    for field, name in named:
        fields.setdefault(name, field)
    first = list(fields.items())[:_MOST_NAMES]
    for name, field in first:
        yield Problem(field, text.format(field=field, name=name, **facts))
    if more := len(fields) - len(first):
        message = tr("{field}: and {count} more names like these.").format(field=first[-1][1], count=more)
        yield Problem(first[-1][1], message)


def _avoided(values: Mapping[str, Any], model: Model) -> Iterator[Problem]:
    """Yield warnings about values and combinations that the description of the model advises against."""
    for name, parameter in model.parameters.items():
        if is_set(values.get(name)):
            yield from KINDS[parameter.type].advise(parameter, values[name])
    for constraint in model.active(values):
        for name in constraint.avoid:
            if is_set(values.get(name)):
                yield Problem(next(iter(constraint.when)), tr(constraint.note).format(field=name))
