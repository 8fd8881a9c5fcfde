"""Painted masks on their way: from the page to a file, into the form, and back to the page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from traitlets import TraitError

from ...i18n import N_, tr
from ...service.contract.urls import is_web_url
from ...service.contract.values import DynamicMask
from ...service.http.image_probe import probe_image, size_of
from ...system.files import reason_of
from ...tasks.background.pool import DaemonPool
from ..base import html as markup
from ..base.html import Markup
from ..base.sync import Echo, safely, update
from .approval import is_unapproved
from .image_fields import first_image, report_of, service_of
from .mask_files import LARGEST, content_of, files_of
from .mask_png import is_painted, runs_in
from .state import FormState

__all__ = ["STATIC", "MaskPainting", "Masks", "why_not_painted"]

logger = logging.getLogger("qingbo_widgets")

Masks = tuple[DynamicMask, ...]

_NOT_SAVED = N_("The painted mask could not be saved: {reason}.")
_OTHER_SIZE = N_(
    "The mask is {width} × {height} pixels, the image {across} × {down}. Paint on the mask to"
    " give it the image's size."
)
_ELSEWHERE = N_("This mask is not loaded yet. Show it to edit it, or paint to replace it.")
_NOT_SHOWN = N_("This mask could not be loaded: {reason}")
_NO_IMAGE = N_("it is not an image.")
_NOT_CONNECTED = N_("Connect first to paint masks.")
_NO_UPLOAD = N_(
    'To paint masks, connect with a place to upload them: qw.connect(upload="s3://bucket/folder"). Without '
    "one, enter the URLs of masks below."
)
#: The number of the static mask; those of the dynamic masks begin at 1.
STATIC = 0
#: Loads masks from their servers.
_pool = DaemonPool(1, "qingbo-mask", grows=True)


def why_not_painted(form: FormState) -> str:
    """Return the reason why no mask can be painted, as a sentence; empty if masks can be."""
    manager = form.manager
    if manager is None:
        return tr(_NOT_CONNECTED)
    return "" if manager.inputs.uploader else tr(_NO_UPLOAD)


class MaskPainting:
    """The contents of the masks of a form.

    Args:
        form: the form.
        masks: returns the dynamic masks.
        change: called with new dynamic masks.
        send: sends the page a message with buffers.
    """

    def __init__(
        self,
        form: FormState,
        masks: Callable[[], Masks],
        change: Callable[[Masks], None],
        send: Callable[[dict[str, Any], list[bytes]], None],
    ) -> None:
        self._form, self._masks, self._change, self._send = form, masks, change, send
        self._echo = Echo()
        #: The URL of each mask whose content the page has, as far as it can be had.
        self._seen: dict[int, str] = {}
        #: The masks whose content only the page has, because it could not be saved.
        self._unsaved: frozenset[int] = frozenset()
        #: Contents of masks at other servers, by URL: those that the user wanted to see.
        self._fetched: dict[str, bytes] = {}
        self._compared: tuple[int, int] | None = None
        #: Remarks on masks, by number.
        self.notes: Mapping[int, Markup] = {}
        #: The masks that are not shown yet, because another server has them.
        self.unshown: frozenset[int] = frozenset()

    # ------------------------------------------------------------------ from the page

    def receive(self, content: Mapping[str, Any], buffers: list[Any]) -> None:
        """Handle a message from the page, which is checked like any input."""
        if content.get("kind") == "ready":
            self.send_all()
        elif content.get("kind") == "painted" and buffers and not why_not_painted(self._form):
            number, width, height = (content.get(name) for name in ("mask", "width", "height"))
            if all(type(part) is int for part in (number, width, height)):
                # JupyterLab may deliver a click meanwhile, on another thread: it waits for the mask.
                with update():
                    self._save(number, width, height, bytes(buffers[0]))  # type: ignore[arg-type]  # see above

    def _save(self, number: int, width: int, height: int, data: bytes) -> None:
        """Save a mask from the page, and put it into the form."""
        try:
            runs = runs_in(data, width, height)
        except ValueError as error:
            logger.warning("The page sent no mask: %s", error)
            return
        most = self._form.parameter("dynamic_masks").most
        if number not in range(min(len(self._masks()) + 1, most) + 1) or self._has_other_size(width, height):
            self._send_one(number)  # painted on what the form has no longer
            return
        self._note_unsaved(without_one(self._form.unsaved_masks, number))
        if is_painted(runs):
            self._put(number, runs, width, height)
        else:
            self._clear(number)

    def _put(self, number: int, runs: tuple[int, ...], width: int, height: int) -> None:
        """Save a painted mask; it is uploaded with the request."""
        files = files_of(self._form)
        assert files is not None, "a form without a manager paints no masks"
        try:
            self._set(number, str(files.save(runs, width, height)))
        except OSError as error:
            reason = tr(_NOT_SAVED).format(reason=reason_of(error, Path()))
            self._note_unsaved({**self._form.unsaved_masks, number: reason})
            self._form.show_problems()

    def _note_unsaved(self, reasons: Mapping[int, str]) -> None:
        self._form.unsaved_masks, self._unsaved = reasons, frozenset(reasons)

    def _has_other_size(self, width: int, height: int) -> bool:
        size = self._picture_size()
        return size is not None and size != (width, height)

    def _clear(self, number: int) -> None:
        """Take an empty mask from the form; one with a path, or before others, loses only its URL."""
        self._set(number, "")
        masks = self._masks()
        if 0 < number == len(masks) and masks[-1] == DynamicMask("", ()):
            with self._echo:
                self._change(masks[:-1])
            self._seen = self._urls()

    def _set(self, number: int, url: str) -> None:
        """Set the URL of a mask in the form, whose content the page has."""
        masks = self._masks()
        with self._echo, suppress(TraitError):  # fixed in this form
            if number == STATIC:
                self._form.static_mask = url or None
            elif number <= len(masks):
                self._change(
                    tuple(
                        replace(mask, mask_url=url) if at == number else mask
                        for at, mask in enumerate(masks, 1)
                    )
                )
            else:
                self._change((*masks, DynamicMask(url, ())))
        self._seen = {**self._seen, **self._urls()}
        self._check_sizes()

    # ------------------------------------------------------------------ to the page

    def follow(self) -> None:
        """Send the page each mask that was changed in the form, and not by painting."""
        if self._echo:
            return
        urls = self._urls()
        dropped = self._unsaved - self._form.unsaved_masks.keys()
        changed = dropped | {
            number for number in {*urls, *self._seen} if urls.get(number, "") != self._seen.get(number, "")
        }
        self._note_unsaved(without_one(self._form.unsaved_masks, *changed))
        self._seen = urls
        for number in changed:
            self._send_one(number)
        if changed:
            self._check_sizes()

    def send_all(self) -> None:
        """Send the page every mask: it has just loaded the picture."""
        self._seen = self._urls()
        for number in self._seen:
            self._send_one(number)
        self._check_sizes()

    def remove(self, number: int) -> None:
        """Remove a dynamic mask; the later ones get the numbers before theirs."""
        masks = self._masks()
        self._seen = without(self._seen, number)
        self._note_unsaved(without(self._form.unsaved_masks, number))
        with self._echo:
            self._change((*masks[: number - 1], *masks[number:]))
        for at in range(number, len(masks) + 1):
            self._send_one(at)
        self._check_sizes()

    def show(self, number: int) -> None:
        """Show a mask on the picture that is at another server, or whose path was filled in."""
        url = self._urls().get(number, "")
        if is_web_url(url):
            _pool.submit(safely, partial(self._fetch, number, url))
            return
        self._form.approve([url])
        for same in [number for number, other in self._urls().items() if other == url]:
            self._send_one(same)
        self._check_sizes()

    def _fetch(self, number: int, url: str) -> None:
        report = probe_image(url, service_of(self._form), keep=LARGEST)
        if report.content:
            self._fetched[url] = report.content
        if self._urls().get(number) == url:
            self._send_one(number)
            self._check_sizes()
            if not report.content:
                text = tr(_NOT_SHOWN).format(reason=report.problem or report.doubt or tr(_NO_IMAGE))
                self.notes = {**self.notes, number: markup.note(text, "hint")}
            self._form.show_problems()

    def _send_one(self, number: int) -> None:
        content = self._content(number)
        self._send({"kind": "mask", "mask": number}, [] if content is None else [content])

    def _content(self, number: int) -> bytes | None:
        """Return the image of a mask; ``None`` if it is empty, or only its server has it."""
        url = self._urls().get(number, "")
        return (self._fetched.get(url) or content_of(self._form, url)) if url else None

    def check_picture(self) -> None:
        """Compare the masks with the picture, if its size has become known."""
        if self._picture_size() != self._compared:
            self._check_sizes()

    def _check_sizes(self) -> None:
        """Note which masks have another size than the picture, and which are at another server."""
        notes, unshown, picture = dict[int, Markup](), set[int](), self._picture_size()
        self._compared = picture
        for number, url in self._urls().items():
            content = self._content(number) if url else b""
            size = size_of(content) if content else None
            if content is None and (is_web_url(url) or is_unapproved(self._form, url)):
                unshown.add(number)
                notes[number] = markup.note(tr(_ELSEWHERE))
            elif size is not None and picture is not None and (size.width, size.height) != picture:
                text = tr(_OTHER_SIZE).format(
                    width=size.width, height=size.height, across=picture[0], down=picture[1]
                )
                notes[number] = markup.note(text, "hint")
        if notes != self.notes or unshown != self.unshown:
            self.notes, self.unshown = notes, frozenset(unshown)
            self._form.show_problems()

    # ------------------------------------------------------------------ the form

    def _urls(self) -> dict[int, str]:
        """Return the URL or path of each mask of the form, by its number; empty if it has none."""
        dynamic = {number: mask.mask_url for number, mask in enumerate(self._masks(), 1)}
        urls: dict[int, Any] = {STATIC: self._form.static_mask, **dynamic}
        return {number: url if isinstance(url, str) else "" for number, url in urls.items()}

    def _picture_size(self) -> tuple[int, int] | None:
        """Return width and height of the picture in pixels, if this machine could find out."""
        url = first_image(self._form)
        report = report_of(self._form, "image_urls", url) if url else None
        return None if report is None or report.size is None else (report.size.width, report.size.height)


def without(values: Mapping[int, str], number: int) -> dict[int, str]:
    """Return the values without that of a removed mask; the later ones get the numbers before theirs."""
    return {at - (at > number): value for at, value in values.items() if at != number}


def without_one(values: Mapping[int, str], *numbers: int) -> dict[int, str]:
    """Return the values without those of some masks."""
    return {at: value for at, value in values.items() if at not in numbers}
