"""Previews of the images of a request, probed before Generate and shown below their control."""

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
from .image_fields import needs_approval, pictures_of, service_of, source_of
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
_SHORT_FACTS = N_("{format}, {width} × {height}")
_SERVED = N_("The sandbox serves {path} at this address. The service itself takes public URLs only.")
_ALT = {"image_urls": N_("The first frame"), "last_frame": N_("The last frame")}
_PICTURES = "display: flex; flex-wrap: wrap; gap: 4px 12px"
_PICTURE = "max-width: 200px; overflow-wrap: anywhere"
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
    """The preview of the images of one field, with their formats and sizes.

    Args:
        form: the form.
        field: the name of the field, such as ``image_urls``.
    """

    def __init__(self, form: FormState, field: str) -> None:
        super().__init__(form)
        self._field = field
        self._requested: frozenset[str] = frozenset()
        self._html = ipywidgets.HTML()
        self._html.add_class("qingbo-note")
        self.children = (self._html,)

    @lazy
    def look_button(self) -> Any:
        """The button that allows fetching images whose URLs came from a preset, draft or task."""
        return button(tr(_LOOK), tr(_LOOK_HELP), lambda: self.form.approve(self.urls))

    @lazy
    def _row(self) -> Any:
        return indented(self.look_button)

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs in the field, in their order."""
        return tuple(url for url, _ in pictures_of(self.form, self._field))

    @property
    def url(self) -> str:
        """The first URL in the field; empty if there is none."""
        return next(iter(self.urls), "")

    def refresh(self, problems: Problems, warnings: Problems) -> None:  # noqa: ARG002
        """Show the images, and probe them once the user has stopped typing."""
        urls = frozenset(url for url in self.urls if not needs_approval(self.form, url))
        if urls - self._requested:
            refresher.later(_TYPED, self._request_reports)
        self._requested = urls
        self.draw()

    def draw(self) -> None:
        """Show the images and their facts, as far as they are known. May be called on any thread."""
        parts = (self._html, *([self._row] if self._needs_approval else []))
        with update(self, self._html):
            self._html.value = self._status_html()
            if self.children != parts:
                self.children = parts

    @property
    def _needs_approval(self) -> bool:
        return any(needs_approval(self.form, url) for url in self.urls)

    def _request_reports(self) -> None:
        if self.comm is None:
            return
        for url in self.urls:
            if url in self._requested:
                image_reports.check(url, service_of(self.form), self._on_report)

    def _on_report(self) -> None:
        if self.comm is not None:
            self.draw()
            self.form.show_problems()

    def _status_html(self) -> Markup:
        pictures = pictures_of(self.form, self._field)
        if not self._is_list:
            return markup.join(self._single_html(url) for url, _ in pictures[:1])
        drawn = [self._picture_html(url, name) for url, name in pictures]
        return markup.tag("div", *drawn, style=_PICTURES) if drawn else Markup()

    @property
    def _is_list(self) -> bool:
        parameter = self.form.parameter(self._field)
        return parameter.type != "url" and parameter.most != 1

    def _single_html(self, url: str) -> Markup:
        report = image_reports.get(url, service_of(self.form))
        if report is None:
            return markup.note(self._waiting_text(url))
        if report.size is None or report.problem:
            return Markup()  # shown with the other problems of the field
        template = tr(_FACTS) if self._field == "image_urls" else tr(_LAST_FACTS)
        size, name = report.size, label(self.form.parameter(self._field))
        details = markup.note(
            template.format(format=size.format, width=size.width, height=size.height, shape=report.shape)
        )
        alt = tr(_ALT[self._field]) if self._field in _ALT else name
        return picture_html(report, alt) + details + self._served_html(url)

    def _picture_html(self, url: str, name: str) -> Markup:
        """Return one of several images, with its name."""
        report = image_reports.get(url, service_of(self.form))
        caption = markup.tag("div", markup.escape(name))
        if report is None:
            return markup.tag("div", caption, markup.note(self._waiting_text(url)), style=_PICTURE)
        if report.size is None or report.problem:
            return markup.tag("div", caption, style=_PICTURE)
        size = report.size
        facts = tr(_SHORT_FACTS).format(format=size.format, width=size.width, height=size.height)
        details = markup.note(facts) + self._served_html(url)
        return markup.tag("div", caption, picture_html(report, name), details, style=_PICTURE)

    def _waiting_text(self, url: str) -> str:
        host = urlsplit(url).hostname
        return tr(_UNASKED).format(host=host) if needs_approval(self.form, url) else tr(_LOOKING)

    def _served_html(self, url: str) -> Markup:
        path = image_reports.path_of(url)
        return markup.note(tr(_SERVED).format(path=path)) if path != url else Markup()
