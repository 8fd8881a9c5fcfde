"""The frame of a preview: the files of a field, shown below its control once the user stops typing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import ipywidgets

from ...i18n import N_, tr
from ...library.file_names import given_name
from ...service.contract.urls import is_web_url
from ..base import html as markup
from ..base.build import button
from ..base.html import Markup
from ..base.sync import lazy, refresher, update, weakly
from .approval import is_unapproved
from .image_fields import report_of
from .panels import Editor, indented
from .state import FormState, Problems

__all__ = ["Preview"]

#: Seconds without a change after which the user is assumed to have finished typing a URL.
_TYPED = 0.5

_UNASKED_FILE = N_("{file} is not shown yet, because its path was filled in, not chosen.")
_ON_THIS_MACHINE = N_("The sandbox reads it on this machine.")


class Preview(Editor):
    """The preview of the files of one field. Those that were filled in are fetched after a click only.

    Args:
        form: the form.
        field: the name of the field, such as ``image_urls``.
    """

    #: The label and the tooltip of the button that allows fetching, and the line above it.
    look: str
    look_help: str
    unasked: str

    def __init__(self, form: FormState, field: str) -> None:
        super().__init__(form)
        self._field = field
        self._wanted: frozenset[str] = frozenset()
        self._html = ipywidgets.HTML()
        self._html.add_class("qingbo-note")
        self.children = (self._html,)

    @lazy
    def look_button(self) -> Any:
        """The button that allows fetching files whose URLs came from a preset, draft or task."""
        return button(tr(self.look), tr(self.look_help), lambda: self.form.approve(self.urls))

    @lazy
    def _row(self) -> Any:
        return indented(self.look_button)

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs in the field that are previewed, in their order."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """The first URL in the field; empty if there is none."""
        return next(iter(self.urls), "")

    def refresh(self, problems: Problems, warnings: Problems) -> None:  # noqa: ARG002
        """Show the files, and fetch those that may be, once the user has stopped typing."""
        urls = frozenset(url for url in self.urls if not self.needs_approval(url))
        if urls - self._wanted or any(map(self.is_outdated, urls)):
            refresher.later(_TYPED, weakly(self, "_fetch_if_open"))
        self._wanted = urls
        self.draw()

    def draw(self) -> None:
        """Show what is known, or the question whether to fetch it. May be called on any thread."""
        is_asking = any(map(self.needs_approval, self.urls))
        with update(self, self._html):
            parts = (self._html, self._row) if is_asking else (self._html,)
            self._html.value = self.status_html() + self._destination_html()
            if self.children != parts:
                self.children = parts

    def needs_approval(self, url: str) -> bool:
        """Return True if the file must not be fetched before the user has allowed it."""
        return is_unapproved(self.form, url)

    def is_outdated(self, url: str) -> bool:
        """Return True if a file is to be fetched again: it is another one now, or has other limits."""
        return not is_web_url(url) and report_of(self.form, self._field, url) is None

    def fetch(self, urls: tuple[str, ...]) -> None:
        """Fetch these files, which are still in the field. Called on the refresher's thread."""
        raise NotImplementedError

    def _on_report(self) -> None:
        """Show a new report on one of the files. Called on any thread."""
        if self.comm is not None:
            self.draw()
            self.form.show_problems()

    def status_html(self) -> Markup:
        """Return the files and what is known about them, safe for HTML."""
        raise NotImplementedError

    def unasked_html(self, url: str) -> Markup:
        """Return the line about a file that was not fetched yet."""
        if not is_web_url(url):
            return markup.note(tr(_UNASKED_FILE).format(file=given_name(url)))
        return markup.note(tr(self.unasked).format(host=urlsplit(url).hostname))

    def _destination_html(self) -> Markup:
        """Return the line about where the files of this machine will go; empty if there are none."""
        inputs = None if self.form.manager is None else self.form.manager.inputs
        if inputs is None or inputs.uploader is None or not any(map(self._is_sent, self.urls)):
            return Markup()
        return markup.note(inputs.notice or tr(_ON_THIS_MACHINE))

    def _is_sent(self, url: str) -> bool:
        """Return True if this is a file of this machine, and nothing is known that is wrong with it."""
        report = report_of(self.form, self._field, url)
        return not is_web_url(url) and (report is None or not report.problem)

    def _fetch_if_open(self) -> None:
        if self.comm is not None:
            self.fetch(tuple(url for url in self.urls if url in self._wanted))
