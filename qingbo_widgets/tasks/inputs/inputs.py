"""``Inputs``: the pictures and videos of a manager's requests, from this machine to a link."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...exceptions import InvalidRequest, UploadFailed
from ...i18n import N_, tr
from ...library.inputs import InputFiles
from ...service.contract.frames import IMAGE, IMAGES
from ...service.contract.limits import EXAMPLE_URL
from ...service.contract.media import Medium, media_of, with_media
from ...service.contract.models import declared, models_of
from ...service.contract.problem import Problem, listed
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models
from ...service.contract.urls import is_web_url
from ...system.files import reason_of
from ...system.host import warn
from ..uploading.choice import uploader_of
from ..uploading.uploader import Uploader
from .advice import explained
from .masks import shape_problems
from .publisher import Publisher
from .reports import InputReports
from .saving import InputSaver, Saved, name_of

if TYPE_CHECKING:
    from ...library.library import Library
    from ...sandbox import Sandbox
    from ..uploading.choice import Upload

__all__ = ["Inputs"]

logger = logging.getLogger("qingbo_widgets")

_NO_UPLOADER = N_(
    "{where}: {name} is on this machine, but the service reads public URLs only. Pass a URL, or connect with "
    'a place to upload it, such as qw.connect(upload="s3://bucket/folder").'
)
_NO_USE = N_("use={use!r:.40} is not one of {uses}")
#: A field for each use of a picture or video.
_FIELDS = {"image": "image_urls", "mask": "static_mask", "video": "video_urls"}
_SENT = N_("Local files are uploaded to {place}. Anyone with the link can see them.")
_SENT_FOR_AN_HOUR = N_("Local files are uploaded to {place}. Anyone with the link can see them for 1 hour.")
_SENT_FOR = N_("Local files are uploaded to {place}. Anyone with the link can see them for {hours:g} hours.")
_NOT_SAVED = N_("{field}: the picture could not be saved in {folder}: {reason}.")


class Inputs:
    """The pictures and videos of a manager's requests that are on this machine. Thread-safe.

    Args:
        library: the library in which they are saved.
        sandbox: the sandbox that reads them; ``None`` for the service.
        is_local: whether the service runs on this machine, and reaches links that are not public.
    """

    def __init__(self, library: Library, sandbox: Sandbox | None, *, is_local: bool) -> None:
        self._library, self._folder = library, library.folder
        self._sandbox, self._is_local = sandbox, is_local
        self.files = InputFiles(library.folder)
        self.saver = InputSaver(self.files)
        #: What forms show of files.
        self.reports = InputReports(self.saver)
        self._upload: Upload | None = None
        self._publisher: Publisher | None = None
        self._lock = threading.Lock()
        self._has_told = False
        #: The tasks of this kernel that still need each file at its place.
        self._users: defaultdict[Path, set[str]] = defaultdict(set)
        self.upload = None

    @property
    def upload(self) -> Upload | None:
        """The argument of ``connect(upload=…)``: an address, a ``Storage`` or a function."""
        return self._upload

    @upload.setter
    def upload(self, upload: Upload | None) -> None:
        uploader = uploader_of(upload, self._sandbox, local_service=self._is_local)
        with self._lock:
            before, after = (one and one.destination for one in (self.uploader, uploader))
            self._upload, self._has_told = upload, self._has_told and before == after
            self._publisher = None if uploader is None else Publisher(self.files, uploader)

    @property
    def uploader(self) -> Uploader | None:
        """Carries files to a place where the service can read them; ``None`` if there is none."""
        return None if self._publisher is None else self._publisher.uploader

    # ------------------------------------------------------------------ before a task

    def saved(self, request: VideoRequest, models: Models | None = None) -> Saved:
        """Save the local pictures and videos of a request; its problems say which cannot be used.

        Without an uploader, none is saved, because none can be used.

        Args:
            request: the request.
            models: the models of the contract, for the limits of videos.

        Raises:
            ImportError: a picture must be converted, and the extra ``[upload]`` is not installed.
        """
        if refusals := self.refusals(request):
            return Saved(request, refusals)
        try:
            return self.saver.save(request, models)
        except OSError as error:
            return Saved(request, (self._not_saved(self._local(request)[0].field, error),))

    def checked(self, request: VideoRequest, contract: str) -> Saved:
        """Save the local pictures and videos of a request, and find all of its problems.

        Raises:
            ImportError: as in ``saved``.
        """
        saved = self.saved(request, models_of(contract))
        others = (*shape_problems(saved.request, self.files), *self.other_problems(request, contract))
        return dataclasses.replace(saved, problems=(*saved.problems, *others))

    def other_problems(self, request: VideoRequest, contract: str) -> tuple[Problem, ...]:
        """Return the problems of a request that are not about the contents of local pictures and videos."""
        stands_for: dict[str, str] = {}

        def linked(medium: Medium) -> Any:
            if self.saver.place_of(medium.value) is None:
                return medium.value
            stand_in = f"{EXAMPLE_URL}file-{len(stands_for) + 1}."
            stands_for[stand_in] = name_of(medium.value)
            return stand_in

        problems = with_media(request, linked).problems(contract)
        return tuple(_with_names(problem, stands_for) for problem in explained(problems, request))

    def refusals(self, request: VideoRequest) -> tuple[Problem, ...]:
        """Return a problem for each local picture and video, if there is no uploader."""
        if self._publisher is not None:
            return ()
        return tuple(map(self._without_uploader, self._local(request)))

    def publish(self, picture: object, use: str) -> str:
        """Return a link to a picture or video; see ``TaskManager.publish``."""
        if use not in _FIELDS:
            raise ValueError(tr(_NO_USE).format(use=use, uses=listed(_FIELDS)))
        field = _FIELDS[use]
        fields: dict[str, Any] = {field: picture}
        saved = self.saved(VideoRequest(**fields))
        if saved.problems:
            raise InvalidRequest(saved.problems)
        if not (files := self.files_in(saved.request)):
            problems = (one for one in saved.request.problems() if one.field == field)
            raise InvalidRequest(explained(tuple(problems), saved.request))
        self.tell(saved.request)
        return self.link(files[0], _ignore)

    def saved_fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields, each with one value or lists of values, with the paths of saved files.

        Raises:
            InvalidRequest: a picture or video cannot be used.
            ImportError: as in ``saved``.
        """
        if self._publisher is None:
            return dict(fields)
        return {name: self._saved_value(name, value) for name, value in fields.items()}

    def _saved_value(self, name: str, value: Any) -> Any:
        parameter = declared().get(IMAGES if name == IMAGE else name)
        if parameter is None or not parameter.media:
            return value
        try:
            return self.saver.save_value(parameter, value)
        except OSError as error:
            raise InvalidRequest((self._not_saved(name, error),)) from None

    def tell(self, *requests: VideoRequest) -> None:
        """Warn before the first upload of a session who will be able to see the files."""
        if self._has_told or not any(map(self.files_in, requests)):
            return
        with self._lock:
            has_told, self._has_told = self._has_told, True
        if not has_told and (text := self.notice):
            warn(text)

    @property
    def notice(self) -> str:
        """A sentence about where pictures go and who can see them; empty if they stay on this machine."""
        uploader = self.uploader
        if uploader is None or (self._sandbox is not None and self._upload is None):
            return ""
        hours = uploader.lifetime / timedelta(hours=1) if uploader.lifetime else 0
        text = _SENT_FOR if hours else _SENT
        return tr(_SENT_FOR_AN_HOUR if hours == 1 else text).format(place=uploader.destination, hours=hours)

    # ------------------------------------------------------------------ for the follower of a task

    def files_in(self, request: VideoRequest) -> tuple[Path, ...]:
        """Return the files of the library that a request refers to, each once.

        Only these are uploaded: the request may come from a library of another user.
        """
        return tuple(dict.fromkeys(filter(None, (self._own(medium) for medium in media_of(request)))))

    def with_links(self, request: VideoRequest, links: Mapping[Path, str]) -> VideoRequest:
        """Return a request with links in place of the files of the library."""

        def linked(medium: Medium) -> Any:
            file = self._own(medium)
            return medium.value if file is None else links.get(file, medium.value)

        return with_media(request, linked)

    def as_sent(self, request: VideoRequest, key: str = "") -> VideoRequest:
        """Return a request with the links that its files had when it was sent, as far as they are known."""
        links, publisher = dict[Path, str](), self._publisher
        files = self.files_in(request)
        sent = self.files.sent_links(key) if files else {}
        for file in files:
            if file.name in sent:
                links[file] = sent[file.name]
            elif publisher is not None and (known := publisher.known(file)) is not None:
                links[file] = known.url
        return self.with_links(request, links)

    def sent(self, key: str) -> dict[str, str]:
        """Return the links of a task as it was sent, by the names of its files, if the place is the same."""
        uploader = self.uploader
        if uploader is None or not uploader.lasts:
            return {}
        return self.files.sent_links(key, uploader.destination)

    def remember_sent(self, key: str, links: Mapping[Path, str]) -> None:
        """Note the links with which a task is about to be sent."""
        if links and (uploader := self.uploader) is not None:
            self.files.remember_sent(key, uploader.destination, links)

    def left_in(self, request: VideoRequest) -> str:
        """Return a picture or video in a request that is no URL, as an error names it; empty if all are."""
        values = (medium.value for medium in media_of(request))
        return next(
            (
                name_of(value)
                for value in values
                if isinstance(value, str) and value and not is_web_url(value)
            ),
            "",
        )

    def use(self, file: Path, key: str) -> None:
        """Note that a task needs a file at its place."""
        with self._lock:
            self._users[file].add(key)

    def release(self, files: Iterable[Path], key: str, has_failed: bool) -> None:
        """Note that a task needs its files no more, which may remove them at their place. Never raises."""
        self.files.forget_sent(key)
        for file in files:
            with self._lock:
                self._users[file].discard(key)
            if (publisher := self._publisher) is not None:
                if has_failed:
                    self.files.forget(file, publisher.uploader.destination)
                self._remove(publisher, file, key)

    def _remove(self, publisher: Publisher, file: Path, key: str) -> None:
        try:
            publisher.release(file, lambda: self._is_needed(file, key))
        except UploadFailed as error:
            logger.warning("%s was not removed: %s", file.name, error)

    def link(self, file: Path, on_progress: Callable[[int, int], object]) -> str:
        """Return a link at which the service reads a file; see ``Publisher.link``.

        Raises:
            UploadFailed: there is no uploader, or it failed.
        """
        if self._publisher is None:
            raise UploadFailed(tr(_NO_UPLOADER).format(where="upload", name=file.name))
        return self._publisher.link(file, on_progress)

    # ------------------------------------------------------------------ parts

    def _local(self, request: VideoRequest) -> list[Medium]:
        return [one for one in media_of(request) if self.saver.place_of(one.value) is not None]

    def _is_needed(self, file: Path, key: str) -> bool:
        """Return whether another task than this one needs a file at its place, also one of another kernel."""
        if self._users[file]:
            return True
        try:
            # While a task uploads its files, its row says that it failed, and its kernel holds it.
            rows = (*self._library.entries(unfinished=True), *self._library.entries(status="failed"))
            return any(
                file.name in json.dumps(row.request, ensure_ascii=False)
                and (row.status != "failed" or self._library.current_hold(row.key) is not None)
                for row in rows
                if row.key != key
            )
        except Exception:  # without the journal, that is unknown
            return True

    def _own(self, medium: Medium) -> Path | None:
        is_path = isinstance(medium.value, str) and not is_web_url(medium.value)
        return self.files.own(medium.value) if is_path else None

    def _not_saved(self, field: str, error: OSError) -> Problem:
        reason = reason_of(error, self._folder)
        return Problem(field, tr(_NOT_SAVED).format(field=field, folder=self._folder, reason=reason))

    def _without_uploader(self, medium: Medium) -> Problem:
        message = tr(_NO_UPLOADER).format(where=medium.where, name=name_of(medium.value))
        return Problem(medium.field, message, medium.number)


def _with_names(problem: Problem, names: Mapping[str, str]) -> Problem:
    """Return a problem with the names of files in place of the links that stand for them."""
    message = problem.message
    for link, name in names.items():
        message = message.replace(link, name)
    return dataclasses.replace(problem, message=message)


def _ignore(sent: int, total: int) -> None:
    """Take no notice of the progress."""
