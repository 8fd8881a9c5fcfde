"""The images that the fields of a form name, what is known of them, and files that the sandbox serves."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING, Protocol

from ...service.contract.problem import Problem
from ...service.contract.urls import is_private_host, is_web_url
from ...service.contract.values import DynamicMask
from ...service.credentials import find_base_url
from ...service.http.image_probe import ImageReport
from ...tasks.background.image_checks import pictures

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = [
    "FIELDS_WITH_FILES",
    "FIELDS_WITH_IMAGES",
    "ImageFields",
    "found",
    "is_unasked",
    "published",
    "service_of",
    "source_of",
    "urls_of",
]

#: The fields whose images are looked at. The masks' are drawn where they are edited.
FIELDS_WITH_IMAGES = ("image_urls", "last_frame")
#: Fields in which a path may stand as long as the sandbox answers.
FIELDS_WITH_FILES = (*FIELDS_WITH_IMAGES, "static_mask", "dynamic_masks")


class ImageFields(Protocol):
    """Fields that name images, as attributes."""

    unasked: frozenset[str]

    @property
    def manager(self) -> Owner | None:
        """The manager that the request is submitted to."""


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
    """Return problems and warnings of the images probed so far. Fetches nothing."""
    problems, warnings = [], []
    for field in FIELDS_WITH_IMAGES:
        for url in urls_of(form, field):
            report = pictures.known(url, service_of(form))
            if report is not None and report.problem:
                problems.append(Problem(field, f"{field}: {report.problem}"))
            elif report is not None and report.warning:
                warnings.append(Problem(field, f"{field}: {report.warning}"))
    return tuple(problems), tuple(warnings)


def published(form: ImageFields, field: str, value: object) -> object:
    """Return the value; the path of a file becomes the URL at which the sandbox serves it."""
    if field not in FIELDS_WITH_FILES or form.manager is None or form.manager.sandbox is None:
        return value
    if field == "dynamic_masks":
        return _with_published_masks(form, value)
    # A path may have blanks; an image field reads them as the gaps between URLs.
    path = " ".join(map(str, value)) if isinstance(value, tuple) else value
    if not isinstance(path, str) or not path.strip() or is_web_url(path.split()[0]):
        return value
    url = pictures.publish(path.strip(), form.manager.sandbox)
    if url is None:
        return value
    return (url,) if isinstance(value, tuple) else url


def _with_published_masks(form: ImageFields, value: object) -> object:
    if not isinstance(value, tuple) or not all(isinstance(mask, DynamicMask) for mask in value):
        return value
    urls = [published(form, "static_mask", mask.mask_url) for mask in value]
    return tuple(dataclasses.replace(mask, mask_url=str(url)) for mask, url in zip(value, urls, strict=True))


def source_of(report: ImageReport) -> str:
    """Return the URL from which the page loads the image.

    The page fetches a public image by itself. One that only the kernel's machine can reach comes out of the
    kernel's memory, so that it is shown on a page that runs elsewhere.
    """
    if report.content and report.size is not None and is_private_host(report.url):
        data = base64.b64encode(report.content).decode("ascii")
        return f"data:image/{report.size.format.lower()};base64,{data}"
    return report.url
