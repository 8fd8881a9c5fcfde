"""The images of a request: looked at before Generate, and shown below their field."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.problem import Problem
from ...service.contract.urls import is_private_host, is_web_url
from ...service.contract.values import DynamicMask
from ...service.credentials import find_base_url
from ...service.http.image_probe import ImageReport
from ...tasks.background.image_checks import pictures
from ..base import html as markup
from ..base.build import made
from ..base.sync import lazy, refresher, update
from .panels import Editor, indented

if TYPE_CHECKING:
    from .request_form import RequestForm

__all__ = [
    "FIELDS_WITH_FILES",
    "FIELDS_WITH_IMAGES",
    "ImagePreview",
    "found",
    "is_unasked",
    "picture_html",
    "published",
    "source_of",
]

#: The fields whose images are looked at. The masks' are drawn where they are edited.
FIELDS_WITH_IMAGES = ("image_urls", "last_frame")
#: Fields in which a path may stand as long as the sandbox answers.
FIELDS_WITH_FILES = (*FIELDS_WITH_IMAGES, "static_mask", "dynamic_masks")
#: Seconds without a change after which an address counts as typed.
_TYPED = 0.5

_LOOKING = N_("Looking at the image…")
_UNASKED = N_("The address was filled in. The image is on {host}, and was not fetched yet.")
_LOOK = N_("Look at the image")
_LOOK_HELP = N_("Fetches the image, to show and check it. Its server learns your network address.")
_FACTS = N_("{format}, {width} × {height} pixels. The video comes out {shape}.")
_LAST_FACTS = N_("{format}, {width} × {height} pixels, {shape}.")
_SERVED = N_("The sandbox serves {path} at this address. The service itself takes public URLs only.")
_ALT = {"image_urls": N_("The first frame"), "last_frame": N_("The last frame")}
_STYLE = (
    "display: block; max-width: 100%; width: auto; height: auto; max-height: 160px; border-radius: 3px; "
    "margin: 2px 0 4px"
)


def urls_of(form: RequestForm, field: str) -> tuple[str, ...]:
    """The addresses in a field that can be looked at."""
    value = getattr(form, field)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(url for url in values if isinstance(url, str) and is_web_url(url))


def is_unasked(form: RequestForm, url: str) -> bool:
    """Return whether the address came from elsewhere, and neither kernel nor page has loaded it yet."""
    return url in form.unasked and pictures.known(url, service_of(form)) is None


def service_of(form: RequestForm) -> str:
    """The address of the service that is to fetch the images."""
    return form.manager.client.base_url if form.manager is not None else find_base_url()


def found(form: RequestForm) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Problems and warnings of the images that have been looked at. Nothing is fetched here."""
    problems, warnings = [], []
    for field in FIELDS_WITH_IMAGES:
        for url in urls_of(form, field):
            report = pictures.known(url, service_of(form))
            if report is not None and report.problem:
                problems.append(Problem(field, f"{field}: {report.problem}"))
            elif report is not None and report.warning:
                warnings.append(Problem(field, f"{field}: {report.warning}"))
    return tuple(problems), tuple(warnings)


def published(form: RequestForm, field: str, value: object) -> object:
    """The value, or in place of a file's path the URL at which the sandbox serves the file."""
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


def _with_published_masks(form: RequestForm, value: object) -> object:
    if not isinstance(value, tuple) or not all(isinstance(mask, DynamicMask) for mask in value):
        return value
    urls = [published(form, "static_mask", mask.mask_url) for mask in value]
    return tuple(dataclasses.replace(mask, mask_url=str(url)) for mask, url in zip(value, urls, strict=True))


def source_of(report: ImageReport) -> str:
    """What the page loads to show the image.

    The page fetches a public image by itself. One that only the kernel's machine can reach comes out of the
    kernel's memory, so that it is shown on a page that runs elsewhere.
    """
    if report.content and report.size is not None and is_private_host(report.url):
        data = base64.b64encode(report.content).decode("ascii")
        return f"data:image/{report.size.format.lower()};base64,{data}"
    return report.url


def picture_html(report: ImageReport, alt: str) -> str:
    """The image as HTML. Its server is not told where it is shown."""
    return markup.tag(
        "img", src=source_of(report), alt=alt, style=_STYLE, referrerpolicy="no-referrer", loading="lazy"
    ).removesuffix("</img>")


class ImagePreview(Editor):
    """The image of one field, with what is known of it.

    Args:
        form: the form.
        field: ``image_urls`` or ``last_frame``.
    """

    def __init__(self, form: RequestForm, field: str) -> None:
        super().__init__(form)
        self._field = field
        self._asked = ""
        self._html = ipywidgets.HTML()
        self._html.add_class("qingbo-note")
        self.children = (self._html,)

    @lazy
    def look_button(self) -> Any:
        """Lets an image that was filled in be looked at."""
        button = made(ipywidgets.Button, tr(_LOOK_HELP), description=tr(_LOOK), layout={"width": "auto"})
        button.on_click(lambda _: self.form.ask_for([self.url]))
        return button

    @lazy
    def _row(self) -> Any:
        return indented(self.look_button)

    @property
    def url(self) -> str:
        """The first address in the field; empty where there is none."""
        return next(iter(urls_of(self.form, self._field)), "")

    def follow(self, problems: tuple[Problem, ...], warnings: tuple[Problem, ...]) -> None:  # noqa: ARG002
        """Show the image, and look at it once nobody types any more."""
        wanted = "" if self._is_unasked else self.url
        if wanted != self._asked:
            self._asked = wanted
            if wanted:
                refresher.later(_TYPED, self._ask)
        self.draw()

    def draw(self) -> None:
        """Show what is known. May be called on any thread."""
        parts = (self._html, *([self._row] if self._is_unasked else []))
        with update(self, self._html):
            self._html.value = self._told()
            if self.children != parts:
                self.children = parts

    @property
    def _is_unasked(self) -> bool:
        return is_unasked(self.form, self.url)

    def _ask(self) -> None:
        if self.comm is not None and self.url and self.url == self._asked:
            pictures.ask(self.url, service_of(self.form), self._learn)

    def _learn(self) -> None:
        if self.comm is not None:
            self.draw()
            self.form.learn()

    def _told(self) -> str:
        url = self.url
        if not url:
            return ""
        report = pictures.known(url, service_of(self.form))
        if report is None:
            host = urlsplit(url).hostname
            return markup.note(tr(_UNASKED).format(host=host) if self._is_unasked else tr(_LOOKING))
        if report.size is None or report.problem:
            return ""  # said with the other problems of the field
        words = tr(_FACTS) if self._field == "image_urls" else tr(_LAST_FACTS)
        size = report.size
        told = markup.note(
            words.format(format=size.format, width=size.width, height=size.height, shape=report.shape)
        )
        path = pictures.path_of(url)
        if path != url:
            told += markup.note(tr(_SERVED).format(path=path))
        return picture_html(report, tr(_ALT[self._field])) + told
