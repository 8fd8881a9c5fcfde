"""Generate, clicked before the painted masks are uploaded: the request is submitted after the upload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...i18n import N_, sentences, tr
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ..base.sync import update
from .form_fields import FormFields
from .mask_uploads import MaskUploads, field_of, with_mask_urls
from .wording import ends_by_itself

if TYPE_CHECKING:
    from ...service.client import Client
    from ...tasks.task import Owner, Task

__all__ = ["CLOSED", "RECONNECTED", "REPLACED", "UPLOADING", "LateSubmission"]

#: The label of Generate while a request waits.
UPLOADING = N_("Uploading the mask…")
#: Why a request that waited was not submitted.
CLOSED = N_("The form was closed during the upload of the mask.")
REPLACED = N_("The form was filled in anew during the upload of the mask.")
RECONNECTED = N_(
    "The connection or its key was changed during the upload of the mask. Generate uses the new one."
)
_NOTHING = N_("Nothing was submitted.")

#: Called with a request, and with the function that submits it.
Send = Callable[[VideoRequest, "Callable[[], Task]"], object]


@dataclass(frozen=True)
class _Waiting:
    """A click that waits for uploads.

    Attributes:
        request: the request as it was at the click.
        files: the files of its masks, by their numbers.
        manager: the manager that was to submit it.
        client: the client of that manager at the click, with the key.
        send: the function that submits it.
        urls: the URLs of the files that are uploaded.
    """

    request: VideoRequest
    files: Mapping[int, Path]
    manager: Owner
    client: Client
    send: Send
    urls: dict[Path, str] = field(default_factory=dict)

    def complete(self) -> VideoRequest:
        """Return the request with the URLs of its masks."""
        urls = {number: self.urls[file] for number, file in self.files.items()}
        changes: dict[str, Any] = {field_of(number): urls[number] for number in urls}
        if "dynamic_masks" in changes:
            changes["dynamic_masks"] = with_mask_urls(self.request.dynamic_masks, urls)
        return self.request.replace(**changes)


class LateSubmission:
    """The request that waits until its masks are uploaded, as it was at the click; at most one.

    It is cancelled, with a message, when an upload fails, when the form is filled in anew or closed, and when
    the connection or its key is changed: another account might be charged.

    Args:
        form: the form.
        uploads: the masks of the form that are not published yet.

    Attributes:
        on_change: called when a request begins to wait, and when it no longer does; on any thread.
        problem: why the last click was not submitted after it had waited; empty otherwise.
    """

    def __init__(self, form: FormFields, uploads: MaskUploads) -> None:
        self._form, self._uploads = form, uploads
        self._waiting: _Waiting | None = None
        self.problem = ""
        self.on_change: Callable[[], object] = lambda: None
        uploads.on_upload, uploads.on_failure = self._on_upload, self._on_failure

    @property
    def is_waiting(self) -> bool:
        """True while a request waits."""
        return self._waiting is not None

    def submit(self, send: Send) -> None:
        """Submit the form as it is at a click: at once, or as soon as its masks are uploaded.

        Args:
            send: as in ``wait``. It is also called at once for a form with problems, whose submission raises.
        """
        with update():  # a stroke that is being saved on another thread was painted before the click
            request = self._form.request
            is_waiting = self.wait(request, self._form.problems, send)
        if not is_waiting:
            send(request, self._form.submit)

    def wait(self, request: VideoRequest, problems: Iterable[Problem], send: Send) -> bool:
        """Submit a request as soon as its masks are uploaded, if nothing else is missing.

        Args:
            request: the request.
            problems: its problems, with those of the uploads.
            send: called once with the complete request and the function that submits it, in the thread of the
                kernel's event loop.

        Returns:
            True if a request waits, this one or an earlier one.
        """
        with update():
            if self.is_waiting:
                return True
            self.problem = ""
            files, manager = self._uploads.under_way, self._form.manager
            if not files or not all(ends_by_itself(self._form, problem) for problem in problems):
                return False
            assert manager is not None  # a form without one uploads no masks
            self._waiting = _Waiting(request, files, manager, manager.client, send)
            self._uploads.wanted = frozenset(files.values())
            self._uploads.publish()  # before another thread saves the next stroke, whose file is not wanted
        self.on_change()
        return True

    def cancel(self, reason: str) -> None:
        """Submit nothing after the upload, and show the reason, which is a sentence."""
        with update():
            if self._end() is None:
                return
            self.problem = sentences(tr(_NOTHING), reason)
        self.on_change()

    def _end(self) -> _Waiting | None:
        """End waiting; return what waited, if anything did."""
        with update():
            waiting, self._waiting = self._waiting, None
            self._uploads.wanted = ()
        return waiting

    def _on_upload(self, file: Path, url: str) -> None:
        """Take the URL of a file; after the last one, submit the request."""
        with update():
            waiting = self._waiting
            if waiting is None or file not in waiting.files.values():
                return
            waiting.urls[file] = url
            if {*waiting.files.values()} - waiting.urls.keys():
                return
            manager = self._form.manager
            if manager is not waiting.manager or manager.client is not waiting.client:
                self.cancel(tr(RECONNECTED))
                return
            self._end()
        request = waiting.complete()
        waiting.send(request, lambda: waiting.manager.submit(request))
        self.on_change()

    def _on_failure(self, file: Path, reason: str) -> None:
        """Cancel a request that cannot be submitted without this file."""
        waiting = self._waiting
        if waiting is not None and file in waiting.files.values() and file not in waiting.urls:
            self.cancel(reason)
