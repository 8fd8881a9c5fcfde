"""The images that the fields of a form name, what is known of them, and files that the sandbox serves."""

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
from ...tasks.background.image_checks import pictures

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = [
    "ImageFields",
    "fields_with",
    "found",
    "is_unasked",
    "published",
    "service_of",
    "source_of",
    "urls_of",
    "with_urls",
]


class ImageFields(Protocol):
    """Fields that name images, as attributes."""

    unasked: frozenset[str]

    @property
    def manager(self) -> Owner | None:
        """The manager that the request is submitted to."""


def fields_with(*media: str) -> tuple[str, ...]:
    """Return the fields whose URLs lead to files of these uses, ``image`` or ``mask``."""
    return tuple(name for name, parameter in declared().items() if parameter.media in media)


def with_urls(field: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the value of a field with each URL of an image or a mask in it changed."""
    parameter = declared()[field]
    return KINDS[parameter.type].with_urls(value, change) if parameter.media else value


def urls_of(form: ImageFields, field: str) -> tuple[str, ...]:
    """Return the URLs of a field whose images can be fetched."""
    value = getattr(form, field)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(url for url in values if isinstance(url, str) and is_web_url(url))


def is_unasked(form: ImageFields, url: str) -> bool:
    """Return whether the address came from elsewhere, and neither kernel nor page has loaded it yet."""
    return url in form.unasked and pictures.known(url, service_of(form)) is None


def service_of(form: ImageFields) -> str:
    """Return the base URL of the service that will fetch the images."""
    return form.manager.client.base_url if form.manager is not None else find_base_url()


def found(form: ImageFields) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return problems and warnings of the images probed so far. Fetches nothing.

    Masks are not among them: they are drawn where they are edited.
    """
    problems, warnings = [], []
    for field in fields_with("image"):
        for url in urls_of(form, field):
            report = pictures.known(url, service_of(form))
            if report is not None and report.problem:
                problems.append(Problem(field, f"{field}: {report.problem}"))
            elif report is not None and report.warning:
                warnings.append(Problem(field, f"{field}: {report.warning}"))
    return tuple(problems), tuple(warnings)


def published(form: ImageFields, field: str, value: object) -> object:
    """Return the value; the path of a file becomes the URL at which the sandbox serves it."""
    sandbox = None if form.manager is None else form.manager.sandbox
    if sandbox is None or not declared()[field].media:
        return value

    def served(url: object) -> object:
        if not isinstance(url, str) or not url.strip() or is_web_url(url.split()[0]):
            return url
        return pictures.publish(url.strip(), sandbox) or url

    if declared()[field].type == "urls" and isinstance(value, tuple):
        # A path may have blanks; a field of URLs reads them as the gaps between URLs.
        path = " ".join(map(str, value))
        url = served(path)
        return value if url == path else (url,)
    return with_urls(field, value, served)


def source_of(report: ImageReport) -> str:
    """Return the URL from which the page loads the image.

    The page fetches a public image by itself. One that only the kernel's machine can reach comes out of the
    kernel's memory, so that it is shown on a page that runs elsewhere.
    """
    if report.content and report.size is not None and is_private_host(report.url):
        data = base64.b64encode(report.content).decode("ascii")
        return f"data:image/{report.size.format.lower()};base64,{data}"
    return report.url
