"""The saved video of a task: its path, name, copies, and frames."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..exceptions import DownloadFailed, QingboError
from ..i18n import tr
from ..media.frames import frame_at, frame_number
from ..service.download.containers import remark_on
from ..system.files import replace, retry_while_open
from ..system.folder import is_file_inside, open_inside
from ..system.video_files import HEAD, VIDEO_SUFFIXES, suffix_of
from .labels import Labelled, labels_of

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["copy_video", "frame_of", "own_name", "remark_of", "saved_file", "video_of"]

logger = logging.getLogger("qingbo_widgets")


class _Saved(Labelled, Protocol):
    """A task that may have saved its video."""

    video_path: Path | None


def saved_file(path: Path) -> Path | None:
    """Return the saved video whose planned path this is, under the suffix of its container, if it exists."""
    paths = (path.with_suffix(suffix) for suffix in (path.suffix, *VIDEO_SUFFIXES))
    return next((path for path in paths if is_file_inside(path)), None)


def own_name(path: Path) -> Path:
    """Return the path of the saved video after giving it the suffix of its container.

    Args:
        path: the planned path, for an mp4.
    """
    saved = saved_file(path) or path
    try:
        with open_inside(saved) as file:
            suffix = suffix_of(file.read(HEAD))
        if suffix is not None and suffix != saved.suffix:
            replace(saved, saved.with_suffix(suffix))
            return saved.with_suffix(suffix)
    except OSError as error:  # it is saved all the same, and players look at the content
        logger.info("%s keeps its name: %s", saved.name, error)
    return saved


def remark_of(path: Path) -> str:
    """Return what is unusual about a saved video, for the user; empty if nothing is."""
    try:
        with open_inside(path) as file:
            return remark_on(file, os.fstat(file.fileno()).st_size, path.suffix)
    except OSError:
        return ""


def video_of(task: _Saved) -> Path:
    """Return the saved video of a task.

    Raises:
        QingboError: the video is not saved, or its file is gone.
    """
    path = task.video_path
    if path is None or not is_file_inside(path):
        message = tr("The video of {task} is not saved yet ({status}).")
        if path is not None:
            message = tr("The video of {task} is no longer at {path}.")
        raise QingboError(message.format(path=path, **labels_of(task)))
    return path


def copy_video(task: _Saved, path: str | Path) -> Path:
    """Copy the video of a done task and return the path of the copy.

    Args:
        task: the task.
        path: a file, or an existing folder, which then gets a file with the same name.

    Raises:
        OSError: the path cannot be written.
        DownloadFailed: the saved video is gone.
    """
    source = task.video_path
    if source is None or not is_file_inside(source):
        message = tr("The video of {task} is no longer at {path}.")
        raise DownloadFailed(message.format(task=task.task_id, path=source))
    target = Path(path).expanduser()
    if target.is_dir():
        target /= source.name
    if target.exists() and target.samefile(source):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)

    def copy() -> None:
        with open_inside(source) as video, target.open("wb") as file:
            shutil.copyfileobj(video, file)

    retry_while_open(copy)
    return target


def frame_of(task: _Saved, seconds: float | None, number: int | None) -> Image:
    """Return one frame of the saved video, by its time or by its number.

    Raises:
        TypeError: neither or both were passed.
        ValueError: the video has no such frame.
        QingboError: the video is not saved, or has no frame that can be decoded.
        ImportError: the extra ``[frames]`` is not installed.
    """
    if (seconds is None) == (number is None):
        raise TypeError(tr("frame() takes seconds or number: frame(2.5), frame(number=-1)"))
    path = video_of(task)
    if seconds is not None:
        return frame_at(path, seconds)
    assert number is not None
    return frame_number(path, number)
