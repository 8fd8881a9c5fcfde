"""Single frames of a finished video, contact sheets, and requests that continue from a frame.

Decoding needs the extra ``[frames]``: av and Pillow, which are imported when a frame is requested.
"""

from __future__ import annotations

import io
import logging
import math
import operator
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ..exceptions import QingboError
from ..i18n import tr
from ..service.contract.frames import Frames, set_frames
from ..service.contract.models import declared, models_of
from ..service.contract.request import VideoRequest
from ..service.contract.switching import defaults_between, switched
from ..system.companions import companion_stem
from ..system.folder import is_file_inside, write_whole
from .film import open_film

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..service.contract.fields import FieldsAndModel
    from .decoding import Film

__all__ = [
    "contact_sheet",
    "continuation",
    "duration_of",
    "frame_at",
    "frame_number",
    "frame_rate",
    "save_frame",
]

logger = logging.getLogger("qingbo_widgets")

_GAP = 4  # pixels between the pictures of a contact sheet
_DARK = (24, 24, 24)
#: Seconds within which two times are the same.
_SAME = 1e-6
#: Height of a contact sheet's frame, in widths, from which on it is narrower instead.
_TALLEST = 3


def frame_at(path: Path, seconds: float) -> Image:
    """Return the frame that is displayed at a time.

    Args:
        path: the video.
        seconds: the time, from 0 to the video's length.

    Raises:
        ValueError: the time is not in the video.
        QingboError: the file does not exist, or is not a video.
        ImportError: the extra ``[frames]`` is not installed.
    """
    with open_film(path) as film:
        if not 0 <= seconds <= film.length:
            message = tr("{seconds:g} s is outside the video, which lasts {length:g} s")
            raise ValueError(message.format(seconds=seconds, length=film.length))
        displayed = _displayed(film, seconds, seconds)
        if displayed is None or displayed[0] > seconds + _SAME:
            # What precedes that time is damaged as far back as a key frame; there may be more before that.
            displayed = _displayed(film, 0.0, seconds) or displayed
        return film.image(displayed and displayed[1])


def _displayed(film: Film, since: float, seconds: float) -> tuple[float, Any] | None:
    """Return the last frame until a time, or else the next one; decoding begins at the time ``since``."""
    displayed = None
    for time, frame in film.frames(since):
        if displayed is not None and time > seconds + _SAME:
            break
        displayed = time, frame
    return displayed


def frame_rate(video: Path) -> float | None:
    """Return the frame rate in frames per second, or ``None`` if it is unknown."""
    try:
        with open_film(video) as film:
            return film.rate
    except Exception as error:  # no av, no video, no stream
        logger.debug("The frame rate of %s is unknown: %s", video.name, error)
        return None


def frame_number(path: Path, number: int) -> Image:
    """Return a frame by its number: 0 is the first, -1 the last. Damaged frames do not count.

    Raises:
        ValueError: the video has no frame of this number.
        QingboError: the file does not exist, or is not a video.
        ImportError: the extra ``[frames]`` is not installed.
    """
    number = operator.index(number)
    with open_film(path) as film:
        if number == -1 and (last := _last(film)) is not None:
            return film.image(last)
        count, found = 0, None
        for _, frame in film.frames():
            count, found = count + 1, frame
            if count == number + 1:
                break
        if count and not -count <= number < count:
            message = tr("frame {number} does not exist: the video has {count} frames")
            raise ValueError(message.format(number=number, count=count))
        if count and number < -1:  # decoded a second time, because keeping that many may take all memory
            found = next(islice((frame for _, frame in film.frames()), count + number, None), found)
        return film.image(found)


def _last(film: Film) -> Any | None:
    """Return the last frame, decoded from the last key frame on; ``None`` if that part is damaged."""
    found = None
    for _, frame in film.frames(film.length):
        found = frame
    return None if found is None or found.is_corrupt or film.damage is not None else found


def contact_sheet(path: Path, count: int = 9, *, columns: int | None = None, width: int = 320) -> Image:
    """Return one picture of frames evenly spaced from the first to the last, each with its time.

    Args:
        path: the video.
        count: the number of frames.
        columns: the number of frames in a row; by default about as many as there are rows.
        width: the width of each frame in pixels.

    Raises:
        ValueError: the count, the columns or the width are less than 1.
        ImportError: the extra ``[frames]`` is not installed.
    """
    columns = columns or math.ceil(math.sqrt(max(count, 1)))
    if count < 1 or columns < 1 or width < 1:
        raise ValueError(tr("a contact sheet needs at least one frame, one column and one pixel"))
    pictures = _spread(path, count)
    first = next(pictures)
    from PIL import Image, ImageDraw, ImageFont

    shape = first[1].height / first[1].width
    height = max(round(width * min(shape, _TALLEST)), 1)
    width = max(round(height / shape), 1) if shape > _TALLEST else width
    rows = math.ceil(count / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _DARK)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(max(width // 22, 9))
    for index, (seconds, picture) in enumerate(chain([first], pictures)):
        left = _GAP + index % columns * (width + _GAP)
        top = _GAP + index // columns * (height + _GAP)
        sheet.paste(picture.resize((width, height)), (left, top))
        where = (left + 5, top + height - 5)
        draw.text(where, f"{seconds:.2f} s", "white", font, anchor="lb", stroke_width=2, stroke_fill=_DARK)
    return sheet


#: Fields that belong to the first video beyond its media: its shape, its operation, its shots.
_OF_ONE_VIDEO = frozenset(
    {"aspect_ratio", "action", "multi_shot", "shot_type", "multi_prompt"}
    | {"character_orientation", "keep_original_sound"}
)


def continuation(
    request: VideoRequest,
    first_frame: str,
    prompt: str,
    contract: str,
    origin: str | None = None,
    /,
    **fields: Unpack[FieldsAndModel],
) -> VideoRequest:
    """Return the request for a video that begins with a frame of another one, with the same settings.

    Args:
        request: the request of the other video.
        first_frame: the URL of the frame for the service, as returned by ``TaskManager.publish``.
        prompt: a description of the continuation.
        contract: the date of the contract that will carry it.
        origin: the date of the contract under which the other video was made; by default the same. What was
            left to a default of that contract is set to its value if it has another one in this contract.
        **fields: fields that differ from the other video's request.
    """
    models = models_of(contract)
    own = request.translated(contract).given
    # The image determines the shape, and fields about the first video's own images and shots are dropped.
    dropped = {name for name, one in declared().items() if one.media or one.type == "shots"} | _OF_ONE_VIDEO
    own = {**_settled(request, contract, origin or contract, fields), **own}
    kept = type(request)(**{name: value for name, value in own.items() if name not in dropped})
    if (model := fields.get("model", kept.model)) != kept.model:
        kept = switched(kept, model, models).request
    changes: dict[str, Any] = {"prompt": prompt}
    set_frames(changes, Frames(first_frame), models.of(model))
    return kept.replace(**{**changes, **fields})


def _settled(
    request: VideoRequest, contract: str, origin: str, fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the defaults of a model in the first contract that it does not have in the next one.

    None for another model, whose defaults are its own; nor those of the caller's fields.
    """
    if fields.get("model", request.model) != request.model:
        return {}
    changes = defaults_between(request, origin, contract)
    asked = VideoRequest(**{"model": request.model, **fields}).translated(contract).given
    return {name: value for name, value in changes.items() if name not in asked}


def save_frame(path: Path, seconds: float | None) -> Path:
    """Save a frame as a PNG beside the video, completely or not at all.

    Args:
        path: the video.
        seconds: the time, or ``None`` for the last frame.

    Raises:
        ValueError, ImportError: as in ``frame_at``.
        QingboError: as in ``frame_at``, or the folder is not writable.
    """
    end = "last" if seconds is None else f"{seconds:.2f}s"
    target = path.with_name(f"{companion_stem(path)}-{end}.png")
    if not is_file_inside(target):
        file = io.BytesIO()
        (frame_number(path, -1) if seconds is None else frame_at(path, seconds)).save(file, "PNG")
        try:
            write_whole(target, file.getvalue())
        except OSError as error:
            message = tr("The frame could not be saved as {path}: {reason}.")
            raise QingboError(message.format(path=target, reason=error.strerror or error)) from None
    return target


def duration_of(path: Path) -> float:
    """Return the length of a video in seconds."""
    with open_film(path) as film:
        return film.length


def _spread(path: Path, count: int) -> Iterator[tuple[float, Image]]:
    """Yield ``count`` frames with their times in seconds, repeating the last frame of a short video."""
    with open_film(path) as film:
        step = max(film.length - 1 / (film.rate or 24), 0.0)
        due = [step * index / max(count - 1, 1) for index in range(count)]
        time, frame = 0.0, None
        for time, frame in film.frames():
            while due and time >= due[0] - 1e-3:
                yield time, film.image(frame)
                due.pop(0)
            if not due:
                return
        for _ in due:
            yield time, film.image(frame)
