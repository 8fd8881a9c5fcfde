"""The images that the fields of a form refer to: URLs, probe reports, files that the sandbox serves."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ...service.contract.kinds import KINDS
from ...service.contract.models import declared
from ...service.contract.problem import Problem
from ...service.contract.urls import is_private_host, is_web_url
from ...service.credentials import find_base_url
from ...service.http.image_probe import ImageReport
from ...tasks.background.image_checks import image_reports

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = [
    "ImageFields",
    "fields_with",
    "known_issues",
    "needs_approval",
    "publish_files",
    "service_of",
    "source_of",
    "urls_of",
    "with_urls",
]


class ImageFields(Protocol):
    """A form whose attributes are fields, some of which refer to images."""

    unapproved: frozenset[str]

    @property
    def manager(self) -> Owner | None:
        """The manager that submits the request."""


def fields_with(*media: str) -> tuple[str, ...]:
    """Return the fields whose URLs refer to media of these kinds, ``image`` or ``mask``."""
    return tuple(name for name, parameter in declared().items() if parameter.media in media)


def with_urls(field: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the value of a field with ``change`` applied to each URL of an image or mask in it."""
    parameter = declared()[field]
    return KINDS[parameter.type].with_urls(value, change) if parameter.media else value


def urls_of(form: ImageFields, field: str) -> tuple[str, ...]:
    """Return the URLs in a field from which an image can be fetched."""
    value = getattr(form, field)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(url for url in values if isinstance(url, str) and is_web_url(url))


def needs_approval(form: ImageFields, url: str) -> bool:
    """Return True if the URL came from a preset, draft or task, and neither kernel nor page has loaded it."""
    return url in form.unapproved and image_reports.get(url, service_of(form)) is None


def service_of(form: ImageFields) -> str:
    """Return the base URL of the service that will fetch the images."""
    return form.manager.client.base_url if form.manager is not None else find_base_url()


def known_issues(form: ImageFields) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return problems and warnings of the images probed so far. Fetches nothing.

    Masks are not included, because they are drawn in their editor.
    """
    problems, warnings = [], []
    for field in fields_with("image"):
        for url in urls_of(form, field):
            report = image_reports.get(url, service_of(form))
            if report is not None and report.problem:
                problems.append(Problem(field, f"{field}: {report.problem}"))
            elif report is not None and report.warning:
                warnings.append(Problem(field, f"{field}: {report.warning}"))
    return tuple(problems), tuple(warnings)


def publish_files(form: ImageFields, field: str, value: object) -> object:
    """Return the value with file paths replaced by the URLs at which the sandbox serves the files."""
    sandbox = None if form.manager is None else form.manager.sandbox
    if sandbox is None or not declared()[field].media:
        return value

    def url_of(url: object) -> object:
        if not isinstance(url, str) or not url.strip() or is_web_url(url.split()[0]):
            return url
        return image_reports.publish(url.strip(), sandbox) or url

    if declared()[field].type == "urls" and isinstance(value, tuple):
        # A path may have spaces, which a field of URLs reads as separators.
        path = " ".join(map(str, value))
        url = url_of(path)
        return value if url == path else (url,)
    return with_urls(field, value, url_of)


def source_of(report: ImageReport) -> str:
    """Return the URL from which the page loads the image.

    The page fetches a public image by itself. An image that only the kernel's machine can reach is sent from
    the kernel's memory, so that a page on another machine can show it.
    """
    if report.content and report.size is not None and is_private_host(report.url):
        data = base64.b64encode(report.content).decode("ascii")
        return f"data:image/{report.size.format.lower()};base64,{data}"
    return report.url
