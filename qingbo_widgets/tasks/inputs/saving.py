"""The local pictures and videos of requests, made into what the service takes and saved in the library."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from ...exceptions import InvalidRequest, QingboError
from ...i18n import N_, tr
from ...library.file_names import given_name
from ...library.inputs import INPUTS, InputFiles
from ...media.clips import check_clip
from ...media.frames import save_frame
from ...media.local_file import open_local, within
from ...media.pictures import PictureRules, prepare
from ...media.pictures.sources import stem_of
from ...media.unusable import UnusableMedia
from ...service.contract.media import Medium, with_media
from ...service.contract.problem import Problem, shown
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models, Parameter
from ...service.contract.urls import is_web_url
from ...service.contract.values import DynamicMask, LocalMedia, as_media_list, is_url_member
from ...service.http.image_probe import LARGEST, SMALLEST_SIDE, WIDEST
from ...system.files import reason_of
from ...system.folder import open_inside
from ...system.notebook import shown_path
from ...system.video_files import HEAD, suffix_of
from ..saved_video import video_of
from .finding import found

__all__ = ["InputSaver", "Saved", "SavedFile", "name_of"]

#: The number of files whose saved copies are remembered.
_MOST_KNOWN = 500
#: What a picture is made into, by the use of the field.
_RULES: Mapping[str, PictureRules] = MappingProxyType(
    {
        "image": PictureRules(largest=LARGEST, shortest_side=SMALLEST_SIDE, widest=WIDEST),
        "mask": PictureRules(largest=LARGEST, exact=True),
    }
)
#: Bytes of an input video; Kling's own limit for a motion video, of which the service says nothing.
_LARGEST_VIDEO = 100_000_000
_REFUSED = N_("{where}: {name}: {reason}")
_NOT_READ = N_("It cannot be read: {reason}.")
_NO_VIDEO = N_("A video must be the path of an MP4, MOV or WebM file.")


@dataclass(frozen=True)
class SavedFile:
    """A file of the library, made from a picture or a video.

    Attributes:
        path: its path.
        notes: sentences about what was changed.
    """

    path: Path
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The file as a request names it: without the folders of this machine, which a page may show."""
        return f"{INPUTS}/{self.path.name}"


@dataclass(frozen=True)
class Saved:
    """A request whose local pictures and videos are files of the library.

    Attributes:
        request: the request, with the paths of these files.
        problems: why some pictures or videos cannot be used; they stay as they were.
        notes: what was changed in the others.
    """

    request: VideoRequest
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


class InputSaver:
    """Saves the local pictures and videos of requests in a library. Thread-safe.

    Args:
        files: the input files of the library.
    """

    def __init__(self, files: InputFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        #: What was made from each file, as it was then, and from each picture in memory.
        self._of_files: OrderedDict[tuple[Any, ...], SavedFile] = OrderedDict()
        #: A lock for each file that something is made from now.
        self._making: dict[tuple[Any, ...], threading.Lock] = {}
        self._of_pictures: WeakKeyDictionary[LocalMedia, dict[str, SavedFile]] = WeakKeyDictionary()

    def place_of(self, value: object) -> Path | LocalMedia | None:
        """Return the file or picture of this machine that a value refers to; ``None`` if it is another value.

        A file of the library is found wherever its folder was before.
        """
        own = self._files.own(value) if isinstance(value, str) and not is_web_url(value) else None
        return own or found(value)

    def save(self, request: VideoRequest, models: Models | None = None) -> Saved:
        """Save the pictures and videos of a request that are on this machine.

        Args:
            request: the request.
            models: the models of the contract, for the limits of videos.

        Raises:
            ImportError: a picture must be converted, and the extra ``[upload]`` is not installed.
            OSError: the library's folder cannot be written.
        """
        problems, notes = list[Problem](), list[Problem]()

        def saved(medium: Medium) -> Any:
            try:
                file = self.file_of(medium)
            except UnusableMedia as error:
                problems.append(_refused(medium, error))
                return medium.value
            if file is None:
                return medium.value
            notes.extend(
                Problem(medium.field, f"{medium.where}: {note}", medium.number) for note in file.notes
            )
            return file.place

        return Saved(with_media(request, saved, models), tuple(problems), tuple(notes))

    def save_value(self, parameter: Parameter, value: Any) -> Any:
        """Return a value of a field, or lists of values, with the paths of saved files.

        Raises:
            InvalidRequest: a picture or video cannot be used.
            ImportError, OSError: as in ``save``.
        """
        value = as_media_list(value)
        if isinstance(value, list | tuple):
            return [self.save_value(parameter, part) for part in value]
        if isinstance(value, DynamicMask):
            return replace(value, mask_url=self.save_value(parameter, value.mask_url))
        if isinstance(value, Mapping):
            urls = {key: self.save_value(parameter, value[key]) for key in value if is_url_member(key)}
            return {**value, **urls}
        medium = Medium(parameter, value)
        try:
            file = self.file_of(medium)
        except UnusableMedia as error:
            raise InvalidRequest([_refused(medium, error)]) from None
        return value if file is None else file.place

    def file_of(self, medium: Medium) -> SavedFile | None:
        """Return the file that a local picture or video is made into; ``None`` if it is not on this machine.

        Raises:
            UnusableMedia: it is no picture or video that can be used.
            ImportError, OSError: as in ``save``.
        """
        place, media = self.place_of(medium.value), medium.parameter.media
        if place is None:
            return None
        if isinstance(place, LocalMedia):
            return self._of_memory(place, media)
        if media == "video":
            shortest, longest = medium.parameter.limits.get("seconds") or (0, math.inf)
            check_clip(place, (shortest, longest), _LARGEST_VIDEO)
        try:
            facts = place.stat()
        except OSError as error:
            raise UnusableMedia(tr(_NOT_READ).format(reason=reason_of(error, place))) from None
        key = (str(place.absolute()), facts.st_mtime_ns, facts.st_size, media)
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:  # the preview of a form may be making it at this moment
            known = self._of_files.get(key)
            if known is not None and known.path.is_file():
                return known
            try:
                made = self._made_from_file(place, media)
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                self._of_files[key] = made
                while len(self._of_files) > _MOST_KNOWN:
                    self._of_files.popitem(last=False)
            return made

    def _made_from_file(self, place: Path, media: str) -> SavedFile:
        is_own = place == self._files.own(str(place)) and self._files.is_intact(place)
        if is_own and (media != "mask" or place.suffix == ".png"):
            return SavedFile(place)
        return self._copy_of(place) if media == "video" else self._made_from(place, media)

    def _of_memory(self, picture: LocalMedia, media: str) -> SavedFile:
        with self._lock:
            known = self._of_pictures.setdefault(picture, {})
        if media not in known or not known[media].path.is_file():
            if hasattr(picture.value, "video_path"):
                known[media] = self._frame_of(picture.value, media)
            elif media == "video":
                raise UnusableMedia(tr(_NO_VIDEO))
            else:
                known[media] = self._made_from(picture.value, media)
        return known[media]

    def _frame_of(self, task: Any, media: str) -> SavedFile:
        """Return the video of a task, or for a picture its last frame."""
        try:
            video = video_of(task)
            return (
                self._copy_of(video) if media == "video" else self._made_from(save_frame(video, None), media)
            )
        except QingboError as error:
            raise UnusableMedia(str(error)) from None

    def _made_from(self, picture: object, media: str) -> SavedFile:
        made = prepare(picture, _RULES[media])
        return SavedFile(self._files.save(made.content, made.stem, made.suffix), made.notes)

    def _copy_of(self, video: Path) -> SavedFile:
        with open_local(video) as (file, real, size):
            within(size, _LARGEST_VIDEO)
            suffix = suffix_of(file.read(HEAD))
        with open_inside(real) as file:
            return SavedFile(self._files.save(file, stem_of(video), suffix or ".mp4"))


def _refused(medium: Medium, error: UnusableMedia) -> Problem:
    """Return the problem of a picture or video that cannot be used."""
    message = tr(_REFUSED).format(where=medium.where, name=name_of(medium.value), reason=error)
    return Problem(medium.field, message, medium.number)


def name_of(value: object) -> str:
    """Return a picture as an error names it: its file, or its type."""
    if not isinstance(value, str) or value.startswith("data:"):
        return shown(value)
    name = given_name(value)
    return shown_path(Path(value)) if value.endswith(name) else name
