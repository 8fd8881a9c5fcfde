"""Previews of the images of a request, probed before Generate and shown below their control."""

from __future__ import annotations

from ...i18n import N_, tr
from ...library.file_names import given_name
from ...service.contract.labels import label
from ...service.contract.urls import is_web_url
from ...service.http.image_probe import ImageReport
from ...tasks.background.image_checks import image_reports
from ..base import html as markup
from ..base.html import Markup
from .image_fields import (
    check_image,
    needs_approval,
    pictures_of,
    report_of,
    service_of,
    source_of,
)
from .preview import Preview

__all__ = ["ImagePreview", "picture_html"]

_LOOKING = N_("Checking the image…")
_UNASKED = N_("The image on {host} is not loaded yet, because its URL was filled in, not typed.")
_LOOK = N_("Show the image")
_LOOK_HELP = N_("Loads the image to show and check it. A server that has it sees your IP address.")
_FACTS = N_("{format}, {width} × {height} pixels. The video will be {shape}.")
_LAST_FACTS = N_("{format}, {width} × {height} pixels, {shape}.")
_SHORT_FACTS = N_("{format}, {width} × {height}")
_OF_FILE = N_("{label}: {text}")
_ALT = {"image_urls": N_("The first frame"), "last_frame": N_("The last frame")}
_PICTURES = "display: flex; flex-wrap: wrap; gap: 4px 12px"
_PICTURE = "max-width: min(200px, calc(50% - 6px)); overflow-wrap: anywhere"
_STYLE = (
    "display: block; max-width: 100%; width: auto; height: auto; max-height: 160px; border-radius: 3px; "
    "margin: 2px 0 4px; outline: 1px solid #8886; outline-offset: -1px"
)


def picture_html(report: ImageReport, alt: str, css_class: str | None = None) -> Markup:
    """Return the image as HTML. Its server does not receive the address of the page."""
    return markup.tag(
        "img",
        src=source_of(report),
        alt=alt,
        style=_STYLE,
        referrerpolicy="no-referrer",
        loading="lazy",
        class_=css_class,
    )


def _with_file(place: str, facts: str) -> str:
    """Return facts about an image; those of a file of this machine with its name."""
    return facts if is_web_url(place) else tr(_OF_FILE).format(label=given_name(place), text=facts)


class ImagePreview(Preview):
    """The preview of the images of one field, probed before Generate, with their formats and sizes."""

    look = _LOOK
    look_help = _LOOK_HELP
    unasked = _UNASKED

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs in the field, in their order."""
        return tuple(url for url, _ in pictures_of(self.form, self._field))

    def needs_approval(self, url: str) -> bool:
        """Return True if the image must not be fetched before the user has allowed it."""
        return needs_approval(self.form, url)

    def is_outdated(self, url: str) -> bool:
        """Return True also if the last check failed a while ago: its server may answer now."""
        return super().is_outdated(url) or (
            is_web_url(url) and image_reports.is_due(url, service_of(self.form))
        )

    def fetch(self, urls: tuple[str, ...]) -> None:
        """Probe these images."""
        for url in urls:
            check_image(self.form, self._field, url, self._on_report)

    def status_html(self) -> Markup:
        """Return the images and their facts, as far as they are known."""
        pictures = pictures_of(self.form, self._field)
        if not self._is_list:
            return markup.join(self._single_html(url) for url, _ in pictures[:1])
        drawn = [self._picture_html(url, name) for url, name in pictures]
        return markup.tag("div", *drawn, style=_PICTURES) if drawn else Markup()

    @property
    def _is_list(self) -> bool:
        parameter = self.form.parameter(self._field)
        return parameter.type != "url" and (parameter.most != 1 or len(self.urls) > 1)

    def _single_html(self, url: str) -> Markup:
        report = report_of(self.form, self._field, url)
        if report is None:
            return self._waiting_html(url)
        if report.size is None or report.problem:
            return Markup()  # shown with the other problems of the field
        template = tr(_FACTS) if self._field == "image_urls" else tr(_LAST_FACTS)
        size, name = report.size, label(self.form.parameter(self._field))
        facts = template.format(format=size.format, width=size.width, height=size.height, shape=report.shape)
        details = markup.note(_with_file(url, facts))
        alt = tr(_ALT[self._field]) if self._field in _ALT else name
        # The motion brush shows the first frame too, and hides it here while it is open.
        css_class = "qingbo-first-frame" if self._field == "image_urls" else None
        return picture_html(report, alt, css_class) + details

    def _picture_html(self, url: str, name: str) -> Markup:
        """Return one of several images, with its name."""
        report = report_of(self.form, self._field, url)
        caption = markup.tag("div", markup.text(name))
        if report is None:
            return markup.tag("div", caption, self._waiting_html(url), style=_PICTURE)
        if report.size is None or report.problem:
            return Markup()  # shown with the other problems of the field
        size = report.size
        facts = tr(_SHORT_FACTS).format(format=size.format, width=size.width, height=size.height)
        details = markup.note(_with_file(url, facts))
        return markup.tag("div", caption, picture_html(report, name), details, style=_PICTURE)

    def _waiting_html(self, url: str) -> Markup:
        return self.unasked_html(url) if self.needs_approval(url) else markup.note(tr(_LOOKING))
