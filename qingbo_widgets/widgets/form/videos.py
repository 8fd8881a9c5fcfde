"""The preview of an input video: a player, and its length against what the model takes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import ipywidgets

from ...i18n import N_, tr
from ...tasks.background.image_checks import image_reports
from ..base import html as markup
from ..base.build import button
from ..base.html import Markup
from ..base.sync import lazy, refresher, update
from .image_fields import urls_of
from .panels import Editor, indented
from .state import FormState, Problems

__all__ = ["VideoPreview"]

#: Seconds without a change after which the user is assumed to have finished typing a URL.
_TYPED = 0.5

_UNASKED = N_("The address was filled in. The video is on {host}, and was not fetched yet.")
_LOOK = N_("Look at the video")
_LOOK_HELP = N_("Fetches the video, to show it. Its server learns your network address.")
_FACTS = N_("{length} s, {width} × {height} pixels")
_TAKES = N_("The model takes {shortest} to {longest} s.")
_UNPLAYABLE = N_("The page cannot play this video. The service needs the address of an MP4 or WebM file.")
_SERVED = N_("The sandbox serves {path} at this address. The service itself takes public URLs only.")
_PLAYER = N_("The input video")
_STYLE = (
    "display: block; max-width: 100%; max-height: 200px; background: #000; border-radius: 3px; "
    "margin: 2px 0 4px"
)

#: The page's own player knows the length of a video that the kernel never fetches.
_ON_METADATA = (
    "const [facts,takes,least,most]={texts},v=this,n=v.nextElementSibling,s=v.duration;"
    "n.textContent=facts.replace('{{length}}',Math.round(s*10)/10).replace('{{width}}',v.videoWidth)"
    ".replace('{{height}}',v.videoHeight);"
    "if(isFinite(s)&&most&&(Math.floor(s)<least||Math.floor(s)>most))"
    "{{n.textContent+='. '+takes;n.className='qingbo-alarm'}}"
)
_ON_ERROR = "const n=this.nextElementSibling;n.textContent={text};n.className='qingbo-hint'"


class VideoPreview(Editor):
    """The preview of the video of one field. The page loads it, the kernel does not.

    Args:
        form: the form.
        field: the name of the field, such as ``video_urls``.
    """

    def __init__(self, form: FormState, field: str) -> None:
        super().__init__(form)
        self._field, self._shown, self._wanted = field, "", ""
        self._html = ipywidgets.HTML()
        self._html.add_class("qingbo-note")
        self.children = (self._html,)

    @lazy
    def look_button(self) -> Any:
        """The button that allows loading a video whose URL came from a preset, draft or task."""
        return button(tr(_LOOK), tr(_LOOK_HELP), lambda: self.form.approve([self.url]))

    @lazy
    def _row(self) -> Any:
        return indented(self.look_button)

    @property
    def url(self) -> str:
        """The first URL in the field; empty if there is none."""
        return next(iter(urls_of(self.form, self._field)), "")

    def refresh(self, problems: Problems, warnings: Problems) -> None:  # noqa: ARG002
        """Show the player, once the user has stopped typing."""
        url = "" if self._needs_approval else self.url
        if url != self._wanted:
            self._wanted, self._shown = url, ""
            if url:
                refresher.later(_TYPED, self._show_player)
        self.draw()

    def draw(self) -> None:
        """Show the player, or the question whether to load the video. May be called on any thread."""
        parts = (self._html, *([self._row] if self._needs_approval else []))
        with update(self, self._html):
            self._html.value = self._status_html()
            if self.children != parts:
                self.children = parts

    @property
    def _needs_approval(self) -> bool:
        return self.url in self.form.unapproved

    def _show_player(self) -> None:
        if self.comm is not None and self._wanted == self.url:
            self._shown = self._wanted
            self.draw()

    def _status_html(self) -> Markup:
        if self._needs_approval:
            return markup.note(tr(_UNASKED).format(host=urlsplit(self.url).hostname))
        if not self._shown:
            return Markup()
        path = image_reports.path_of(self._shown)
        served = markup.note(tr(_SERVED).format(path=path)) if path != self._shown else Markup()
        return self._player(self._shown) + served

    def _player(self, url: str) -> Markup:
        least, most = self.form.parameter(self._field).limits.get("seconds") or (0, 0)
        texts = [tr(_FACTS), tr(_TAKES).format(shortest=least, longest=most), least, most]
        player = markup.tag(
            "video",
            src=url,
            controls="",
            muted="",
            preload="metadata",
            aria_label=tr(_PLAYER),
            style=_STYLE,
            onloadedmetadata=_ON_METADATA.format(texts=json.dumps(texts)),
            onerror=_ON_ERROR.format(text=json.dumps(tr(_UNPLAYABLE))),
        )
        return player + markup.tag("div", class_="qingbo-dim", role="status")
