"""The images and videos that the fields of a form refer to: URLs, local files, and reports on them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ...i18n import N_, tr
from ...media.unusable import UnusableMedia
from ...service.contract.contracts import CONTRACTS
from ...service.contract.kinds import KINDS
from ...service.contract.labels import label
from ...service.contract.media import Medium, media_of, with_each
from ...service.contract.media import media_in as media_of_field
from ...service.contract.problem import Problem, numbered
from ...service.contract.schema import Models, Parameter
from ...service.contract.urls import is_private_host, is_web_url
from ...service.contract.values import LocalMedia
from ...service.credentials import find_base_url
from ...service.http.image_probe import ImageReport, size_of
from ...tasks.background.image_checks import image_reports
from .approval import is_unapproved
from .form_fields import FormFields
from .mask_files import saved_before
from .mask_points import field_of

if TYPE_CHECKING:
    from ...service.contract.request import VideoRequest
    from ...tasks.task import Owner

__all__ = [
    "check_image",
    "fields_with",
    "first_image",
    "foreign_files",
    "has_local_media",
    "is_local",
    "known_issues",
    "line_names",
    "media_in",
    "needs_approval",
    "pictures_of",
    "report_of",
    "service_of",
    "source_of",
    "unready_files",
    "urls_of",
    "with_saved",
]

_UNASKED = N_(
    "The path of this file on your machine was filled in, not typed. It is neither read nor sent before you "
    "click {button}."
)
#: The button that shows a file, by the use of its field.
_BUTTONS = {"image": N_("Show the image"), "video": N_("Show the video"), "mask": N_("Show on the image")}
_FIRST, _LAST = N_("First frame"), N_("Last frame")
#: Why pictures in memory cannot be used.
_refusals: WeakKeyDictionary[LocalMedia, str] = WeakKeyDictionary()


def fields_with(models: Models, *media: str) -> tuple[str, ...]:
    """Return the fields whose URLs refer to media of these kinds: ``image``, ``mask``, ``video``."""
    return tuple(name for name, parameter in models.parameters.items() if parameter.media in media)


def media_in(form: FormFields, field: str) -> tuple[Medium, ...]:
    """Return the pictures or videos in a field that can be shown: at a URL, or on this machine."""
    parameter = form.parameter(field)
    media = media_of_field(parameter, getattr(form, field)) if parameter.media else ()
    return tuple(medium for medium in media if is_web_url(medium.value) or is_local(form, medium.value))


def is_local(form: FormFields, value: object) -> bool:
    """Return True if a value is the path of a file on this machine, or a picture in memory."""
    return form.manager is not None and form.manager.inputs.saver.place_of(value) is not None


def urls_of(form: FormFields, field: str) -> tuple[str, ...]:
    """Return the URLs and paths in a field from which an image or video can be read."""
    return tuple(medium.value for medium in media_in(form, field) if isinstance(medium.value, str))


def report_of(form: FormFields, field: str, url: str) -> ImageReport | None:
    """Return what is known about an image or video in a field; ``None`` if it was not read yet."""
    if form.manager is not None and not is_web_url(url):
        return form.manager.inputs.reports.get(Medium(form.parameter(field), url))
    return image_reports.get(url, service_of(form))


def check_image(form: FormFields, field: str, url: str, callback: Callable[[], object]) -> None:
    """Read an image or video, then call back: at once, or later on another thread."""
    if form.manager is not None and not is_web_url(url):
        form.manager.inputs.reports.check(Medium(form.parameter(field), url), callback)
    else:
        image_reports.check(url, service_of(form), callback)


def first_image(form: FormFields) -> str:
    """Return the URL of the first input image; empty if there is none."""
    return next(iter(urls_of(form, "image_urls")), "")


def pictures_of(form: FormFields, field: str) -> list[tuple[str, str]]:
    """Return the URLs in a field from which a file can be fetched, each with the name of its part."""
    value, parameter = getattr(form, field), form.parameter(field)
    if parameter.type == "urls" and isinstance(value, tuple):
        pairs = list(zip(value, line_names(form, field, len(value)), strict=True))
    elif parameter.type == "objects" and isinstance(value, tuple):
        kind = KINDS[parameter.type]
        pairs = [
            (url, _name_of(item, parameter) or _label_of(parameter, number, part))
            for number, item in enumerate(value, 1)
            for part, url in enumerate(kind.urls((item,)), 1)
        ]
    else:
        pairs = [(url, label(parameter)) for url in urls_of(form, field)]
    shown = urls_of(form, field)
    return [(url, name) for url, name in pairs if url in shown]


def line_names(form: FormFields, field: str, count: int) -> tuple[str, ...]:
    """Return the name of each URL in a list: its frame, the name that a prompt has for it, or its number."""
    model, text = form.models.of(form.model), label(form.parameter(field))
    numbered_names = [f"{text} {number}" for number in range(1, count + 1)] if count > 1 else [text] * count
    names = numbered_names
    if model.frames == field:
        names = [tr(_FIRST), tr(_LAST)]
    elif "named_images_exist" in model.rules and field == "image_urls":
        names = [f"<<<image_{number}>>>" for number in range(1, count + 1)]
    return (*names[:count], *numbered_names[len(names) : count])


def _name_of(item: Any, parameter: Parameter) -> str:
    """Return the name of an object in a list: its role, or its own name; empty if it has none yet."""
    for key, member in parameter.members.items():
        value = item.get(key) if isinstance(item, Mapping) else None
        if member.type == "choice" and isinstance(value, str):
            return tr(member.labels[value]) if value in member.labels else value
        if member.type == "text" and isinstance(value, str):
            return f"@{value}"
    return ""


def _label_of(parameter: Parameter, number: int, part: int) -> str:
    """Return the label of the control for a picture of an object in a list, such as "Pictures 1.2"."""
    urls = next(member for member in parameter.members.values() if member.type in ("url", "urls"))
    return f"{label(urls)} {number}.{part}" if urls.type == "urls" else f"{label(urls)} {number}"


def needs_approval(form: FormFields, url: str) -> bool:
    """Return True if the URL or path came from a preset, draft or task, and nothing has been read of it."""
    return is_unapproved(form, url) and (
        not is_web_url(url) or image_reports.get(url, service_of(form)) is None
    )


def unready_files(form: FormFields) -> tuple[Problem, ...]:
    """Return the problems that no request may be submitted with, and only a form knows."""
    return _unasked_files(form) + _unsaved_masks(form)


def _unsaved_masks(form: FormFields) -> tuple[Problem, ...]:
    """Return the problems of painted masks that could not be saved."""
    problems = []
    for number, reason in form.unsaved_masks.items():
        name = field_of(number)
        where = numbered(name, number) if number else name
        problems += [Problem(name, f"{where}: {reason}", number)] if form.counts(name) else []
    return tuple(problems)


def _unasked_files(form: FormFields) -> tuple[Problem, ...]:
    """Return a problem for each file of this machine whose path was filled in, not typed."""
    return tuple(
        Problem(medium.field, f"{medium.where}: {_unasked(medium)}", medium.number)
        for field in fields_with(form.models, "image", "mask", "video")
        if form.counts(field)
        for medium in media_in(form, field)
        if is_unapproved(form, medium.value) and not is_web_url(medium.value)
    )


def _unasked(medium: Medium) -> str:
    return tr(_UNASKED).format(button=tr(_BUTTONS[medium.parameter.media]))


def foreign_files(manager: Owner, request: VideoRequest) -> tuple[Medium, ...]:
    """Return the media of a request that are on this machine, but no files of the library.

    A request that was submitted here has none, so it comes from the library of another user.
    """
    inputs = manager.inputs
    return tuple(
        medium
        for medium in media_of(request)
        if (place := inputs.saver.place_of(medium.value)) is not None
        and not (isinstance(place, Path) and inputs.files.own(str(place)) == place)
    )


def service_of(form: FormFields) -> str:
    """Return the base URL of the service that will fetch the images."""
    manager = form.manager
    return find_base_url(CONTRACTS[form.models.contract]) if manager is None else manager.client.base_url


def known_issues(form: FormFields) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return problems and warnings of the images probed so far. Fetches nothing.

    Reports on masks are not included, because they are drawn in their editor.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for field in fields_with(form.models, "image", "video", "mask"):
        for medium in media_in(form, field):
            if isinstance(medium.value, LocalMedia):
                reason = _refusals.get(medium.value, "")
                problems.append(Problem(field, f"{medium.where}: {reason}", medium.number))
                continue
            report = None if medium.parameter.media == "mask" else report_of(form, field, medium.value)
            if report is not None and report.problem:
                problems.append(Problem(field, f"{medium.where}: {report.problem}", medium.number))
            elif report is not None and report.warning:
                warnings.append(Problem(field, f"{medium.where}: {report.warning}", medium.number))
    return tuple(problems), tuple(warnings)


def has_local_media(value: object) -> bool:
    """Return True if a value is a picture in memory, or has one in it."""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ()
    return isinstance(value, LocalMedia) or any(map(has_local_media, parts))


def with_saved(form: FormFields, parameter: Parameter, value: object) -> object:
    """Return the value of a field with the paths of saved files in place of pictures in memory.

    A picture that cannot be used stays as it is; ``known_issues`` returns the reason.
    """
    if form.manager is None or not parameter.media:
        return value
    inputs = form.manager.inputs

    def saved(medium: Medium) -> object:
        if isinstance(medium.value, str):
            return saved_before(form, medium.value) if parameter.media == "mask" else medium.value
        try:
            file = inputs.saver.file_of(medium)
        except (UnusableMedia, ImportError, OSError) as error:
            _refusals[medium.value] = str(error)
            return medium.value
        return medium.value if file is None else str(file.path)

    return with_each(parameter, value, saved)


def source_of(report: ImageReport) -> str:
    """Return the URL from which the page loads the image.

    The page fetches a public image by itself. An image that only the kernel's machine can reach is sent from
    the kernel's memory, so that a page on another machine can show it.
    """
    is_own = not is_web_url(report.url) or is_private_host(report.url)
    if report.content and is_own and (size := size_of(report.content)) is not None:
        data = base64.b64encode(report.content).decode("ascii")
        return f"data:image/{size.format.lower()};base64,{data}"
    return report.url if is_web_url(report.url) else ""
