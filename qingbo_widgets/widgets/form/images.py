"""Previews of the images of a request, probed before Generate and shown below their field."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import ipywidgets

from ...i18n import N_, tr
from ...service.http.image_probe import ImageReport
from ...tasks.background.image_checks import image_reports
from ..base import html as markup
from ..base.build import button
from ..base.html import Markup
from ..base.sync import lazy, refresher, update
from .fields import label
from .image_fields import needs_approval, service_of, source_of, urls_of
from .panels import Editor, indented
from .state import FormState, Problems

__all__ = ["ImagePreview", "picture_html"]

#: Seconds without a change after which the user is assumed to have finished typing a URL.
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


def picture_html(report: ImageReport, alt: str) -> Markup:
    """Return the image as HTML. Its server does not receive the address of the page."""
    return markup.tag(
        "img", src=source_of(report), alt=alt, style=_STYLE, referrerpolicy="no-referrer", loading="lazy"
    ).removesuffix("</img>")


class ImagePreview(Editor):
    """The preview of one field's image, with its format and size.

    Args:
        form: the form.
        field: the name of the field: ``image_urls`` or ``last_frame``.
    """

    def __init__(self, form: FormState, field: str) -> None:
        super().__init__(form)
        self._field = field
        self._requested_url = ""
        self._html = ipywidgets.HTML()
        self._html.add_class("qingbo-note")
        self.children = (self._html,)

    @lazy
    def look_button(self) -> Any:
        """The button that allows fetching an image whose URL came from a preset, draft or task."""
        return button(tr(_LOOK), tr(_LOOK_HELP), lambda: self.form.approve([self.url]))

    @lazy
    def _row(self) -> Any:
        return indented(self.look_button)

    @property
    def url(self) -> str:
        """The first URL in the field; empty if there is none."""
        return next(iter(urls_of(self.form, self._field)), "")

    def refresh(self, problems: Problems, warnings: Problems) -> None:  # noqa: ARG002
        """Show the image, and probe it once the user has stopped typing."""
        url = "" if self._needs_approval else self.url
        if url != self._requested_url:
            self._requested_url = url
            if url:
                refresher.later(_TYPED, self._request_report)
        self.draw()

    def draw(self) -> None:
        """Show the image and its facts, as far as they are known. May be called on any thread."""
        parts = (self._html, *([self._row] if self._needs_approval else []))
        with update(self, self._html):
            self._html.value = self._status_html()
            if self.children != parts:
                self.children = parts

    @property
    def _needs_approval(self) -> bool:
        return needs_approval(self.form, self.url)

    def _request_report(self) -> None:
        if self.comm is not None and self.url and self.url == self._requested_url:
            image_reports.check(self.url, service_of(self.form), self._on_report)

    def _on_report(self) -> None:
        if self.comm is not None:
            self.draw()
            self.form.show_problems()

    def _status_html(self) -> Markup:
        url = self.url
        if not url:
            return Markup()
        report = image_reports.get(url, service_of(self.form))
        if report is None:
            host = urlsplit(url).hostname
            return markup.note(tr(_UNASKED).format(host=host) if self._needs_approval else tr(_LOOKING))
        if report.size is None or report.problem:
            return Markup()  # shown with the other problems of the field
        template = tr(_FACTS) if self._field == "image_urls" else tr(_LAST_FACTS)
        size = report.size
        details = markup.note(
            template.format(format=size.format, width=size.width, height=size.height, shape=report.shape)
        )
        path = image_reports.path_of(url)
        if path != url:
            details += markup.note(tr(_SERVED).format(path=path))
        return (
            picture_html(report, tr(_ALT[self._field]) if self._field in _ALT else label(self._field))
            + details
        )
