"""The preview of an input video: a player, and its length against what the model takes."""

from __future__ import annotations

import json

from ...i18n import N_, tr
from ...service.contract.urls import is_web_url
from ...tasks.inputs.reports import InputReport
from ..base import html as markup
from ..base.html import Markup
from .image_fields import check_image, report_of, urls_of
from .images import picture_html
from .preview import Preview
from .state import FormState

__all__ = ["VideoPreview"]

_UNASKED = N_("The video on {host} is not loaded yet, because its URL was filled in, not typed.")
_LOOK = N_("Show the video")
_LOOK_HELP = N_("Loads the video to show it. A server that has it sees your IP address.")
_FACTS = N_("{length} s, {width} × {height} pixels")
_TAKES = N_("The model takes {shortest} to {longest} s.")
_UNPLAYABLE = N_("The page cannot play this video. The service needs the URL of an MP4 or WebM file.")
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


class VideoPreview(Preview):
    """The preview of the video of one field. The page loads it from a URL; the kernel reads only a file."""

    look = _LOOK
    look_help = _LOOK_HELP
    unasked = _UNASKED

    def __init__(self, form: FormState, field: str) -> None:
        self._shown: tuple[str, ...] = ()
        super().__init__(form, field)

    @property
    def urls(self) -> tuple[str, ...]:
        """The first URL in the field: no model takes two videos."""
        return urls_of(self.form, self._field)[:1]

    def fetch(self, urls: tuple[str, ...]) -> None:
        """Show the player, with which the page loads the video, or the first frame of a file."""
        self._shown = urls
        for url in urls:
            if not is_web_url(url):
                check_image(self.form, self._field, url, self._on_report)
        self.draw()

    def status_html(self) -> Markup:
        """Return the player, or the question whether to load the video."""
        if self.needs_approval(self.url):
            return self.unasked_html(self.url)
        if self.urls != self._shown or not self._shown:
            return Markup()
        return self._player(self.url) if is_web_url(self.url) else self._frame(self.url)

    def _frame(self, path: str) -> Markup:
        """Return the first frame of a video of this machine, which a page elsewhere cannot play."""
        report = report_of(self.form, self._field, path)
        if not isinstance(report, InputReport) or report.size is None or report.seconds is None:
            return Markup()
        facts = {"length": f"{report.seconds:g}", "width": report.size.width, "height": report.size.height}
        return picture_html(report, tr(_PLAYER)) + markup.note(tr(_FACTS).format(**facts))

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
