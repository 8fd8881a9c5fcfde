"""The images and videos that the fields of a form refer to: URLs, reports, files that the sandbox serves."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...i18n import N_, tr
from ...service.contract.contracts import CONTRACTS
from ...service.contract.kinds import KINDS
from ...service.contract.labels import label
from ...service.contract.problem import Problem, numbered
from ...service.contract.schema import Models, Parameter
from ...service.contract.urls import is_private_host, is_web_url
from ...service.credentials import find_base_url
from ...service.http.image_probe import ImageReport
from ...tasks.background.image_checks import image_reports
from .form_fields import FormFields
from .mask_files import served_again

__all__ = [
    "fields_with",
    "first_image",
    "known_issues",
    "line_names",
    "needs_approval",
    "pictures_of",
    "publish_files",
    "service_of",
    "source_of",
    "urls_of",
    "with_urls",
]


_FIRST, _LAST = N_("First frame"), N_("Last frame")


def fields_with(models: Models, *media: str) -> tuple[str, ...]:
    """Return the fields whose URLs refer to media of these kinds: ``image``, ``mask``, ``video``."""
    return tuple(name for name, parameter in models.parameters.items() if parameter.media in media)


def with_urls(parameter: Parameter, value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the value of a field with ``change`` applied to each URL of a file in it."""
    return KINDS[parameter.type].with_urls(value, change) if parameter.media else value


def urls_of(form: FormFields, field: str) -> tuple[str, ...]:
    """Return the URLs in a field from which an image or video can be fetched."""
    value = getattr(form, field)
    values = KINDS[form.models.parameters[field].type].urls(value)
    return tuple(url for url in values if isinstance(url, str) and is_web_url(url))


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
        pairs = [(url, _name_of(item, parameter)) for item in value for url in kind.urls((item,))]
    else:
        pairs = [(url, label(parameter)) for url in urls_of(form, field)]
    return [(url, name) for url, name in pairs if isinstance(url, str) and is_web_url(url)]


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
    """Return the name of an object in a list: its role, or its own name."""
    for key, member in parameter.members.items():
        value = item.get(key) if isinstance(item, Mapping) else None
        if member.type == "choice" and isinstance(value, str):
            return tr(member.labels[value]) if value in member.labels else value
        if member.type == "text" and isinstance(value, str):
            return f"@{value}"
    return label(parameter)


def needs_approval(form: FormFields, url: str) -> bool:
    """Return True if the URL came from a preset, draft or task, and neither kernel nor page has loaded it."""
    return url in form.unapproved and image_reports.get(url, service_of(form)) is None


def service_of(form: FormFields) -> str:
    """Return the base URL of the service that will fetch the images."""
    manager = form.manager
    return find_base_url(CONTRACTS[form.models.contract]) if manager is None else manager.client.base_url


def known_issues(form: FormFields) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return problems and warnings of the images probed so far. Fetches nothing.

    Masks are not included, because they are drawn in their editor.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for field in fields_with(form.models, "image"):
        for number, url in _numbered_urls(form, field):
            report = image_reports.get(url, service_of(form))
            where = numbered(field, number) if number else field
            if report is not None and report.problem:
                problems.append(Problem(field, f"{where}: {report.problem}", number))
            elif report is not None and report.warning:
                warnings.append(Problem(field, f"{where}: {report.warning}", number))
    return tuple(problems), tuple(warnings)


def _numbered_urls(form: FormFields, field: str) -> Iterator[tuple[int, str]]:
    """Yield the URLs in a field, with the number of its line or object; 0 for the only one of a field."""
    value, kind = getattr(form, field), KINDS[form.models.parameters[field].type]
    parts = value if kind.is_list and isinstance(value, tuple) else (value,)
    for number, part in enumerate(parts, 1):
        for url in kind.urls((part,) if kind.is_list else part):
            if isinstance(url, str) and is_web_url(url):
                yield (number if len(parts) > 1 or isinstance(part, Mapping) else 0), url


def publish_files(form: FormFields, parameter: Parameter, value: object) -> object:
    """Return the value with file paths replaced by the URLs at which the sandbox serves the files."""
    sandbox = None if form.manager is None else form.manager.sandbox
    if sandbox is None or not parameter.media:
        return value

    def again(url: object) -> object:
        return served_again(form, url.strip()) if parameter.media == "mask" and isinstance(url, str) else url

    def url_of(url: object) -> object:
        if not isinstance(url, str) or not url.strip() or is_web_url(url.split()[0]):
            return again(url)
        return image_reports.publish(url.strip(), sandbox) or again(url)

    if parameter.type == "urls" and isinstance(value, tuple):
        return tuple(_published(value, url_of))
    return with_urls(parameter, value, url_of)


def _published(parts: tuple[Any, ...], url_of: Callable[[object], object]) -> Iterator[Any]:
    """Yield the URLs of a list; a path may have spaces, which a field of URLs reads as separators."""
    while parts:
        for count in range(len(parts), 0, -1):
            path = " ".join(map(str, parts[:count])) if count > 1 else parts[0]
            if (url := url_of(path)) != path or count == 1:
                yield url
                parts = parts[count:]
                break


def source_of(report: ImageReport) -> str:
    """Return the URL from which the page loads the image.

    The page fetches a public image by itself. An image that only the kernel's machine can reach is sent from
    the kernel's memory, so that a page on another machine can show it.
    """
    if report.content and report.size is not None and is_private_host(report.url):
        data = base64.b64encode(report.content).decode("ascii")
        return f"data:image/{report.size.format.lower()};base64,{data}"
    return report.url
