"""Generate, clicked before the painted masks are uploaded: the request is submitted after the upload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ...i18n import N_
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ..base.sync import update
from .form_fields import FormFields
from .mask_uploads import MaskUploads, field_of, with_mask_urls
from .wording import ends_by_itself

__all__ = ["UPLOADING", "LateSubmission"]

#: The label of Generate while a request waits.
UPLOADING = N_("Uploading the mask…")

Submit = Callable[[VideoRequest], object]


class LateSubmission:
    """The request that waits until its masks are uploaded, as it was at the click; at most one.

    It is cancelled when an upload fails, when the form is filled in anew, and when the form is closed.

    Args:
        form: the form.
        uploads: the masks of the form that are not published yet.

    Attributes:
        on_change: called when a request begins to wait, and when it no longer does; on any thread.
    """

    def __init__(self, form: FormFields, uploads: MaskUploads) -> None:
        self._form, self._uploads = form, uploads
        self._request = VideoRequest()
        self._files: Mapping[int, Path] = {}
        self._urls: dict[Path, str] = {}
        self._submit: Submit | None = None
        self.on_change: Callable[[], object] = lambda: None
        uploads.on_end = self._on_upload

    @property
    def is_waiting(self) -> bool:
        """True while a request waits."""
        return self._submit is not None

    def start(self, request: VideoRequest, problems: Iterable[Problem], submit: Submit) -> bool:
        """Submit a request as soon as its masks are uploaded, if nothing else is missing.

        Args:
            request: the request.
            problems: its problems, with those of the uploads.
            submit: called once with the complete request, in the thread of the kernel's event loop.

        Returns:
            True if a request waits, this one or an earlier one.
        """
        with update():
            if self.is_waiting:
                return True
            files = self._uploads.under_way
            if not files or not all(ends_by_itself(self._form, problem) for problem in problems):
                return False
            self._request, self._files, self._urls, self._submit = request, files, {}, submit
            self._uploads.wanted = frozenset(files.values())
            self._uploads.publish()  # before another thread saves the next stroke, whose file is not wanted
        self.on_change()
        return True

    def cancel(self) -> None:
        """Submit nothing after the upload."""
        if self._end() is not None:
            self.on_change()

    def _end(self) -> Submit | None:
        """End waiting; return the function that was to be called, if any."""
        with update():
            submit, self._submit = self._submit, None
            self._uploads.wanted = ()
        return submit

    def _on_upload(self, file: Path, url: str) -> None:
        """Handle the end of an upload; the URL is empty if it failed."""
        with update():
            if file not in self._files.values() or not self.is_waiting:
                return
            self._urls[file] = url
            missing = {*self._files.values()} - self._urls.keys()
        if not url:
            self.cancel()
        elif not missing and (submit := self._end()) is not None:
            submit(self._complete())
            self.on_change()

    def _complete(self) -> VideoRequest:
        """Return the request with the URLs of its masks."""
        urls = {number: self._urls[file] for number, file in self._files.items()}
        changes: dict[str, Any] = {field_of(number): urls[number] for number in urls}
        if "dynamic_masks" in changes:
            changes["dynamic_masks"] = with_mask_urls(self._request.dynamic_masks, urls)
        return self._request.replace(**changes)
