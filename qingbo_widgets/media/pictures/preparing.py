"""Making a picture as the service takes it.

A file that is as the service wants it keeps its pixels, and loses its metadata: place, camera, thumbnail.
Everything else is decoded, turned upright, converted to sRGB on white, brought to a size that the service
takes, and encoded again. Notes describe each change that can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...service.http.image_probe import size_of
from .colours import foreign_profile, in_rgb, shallow
from .decoding import Decoded, decode, load
from .encoding import as_jpeg, as_png, check_png, resized
from .parts import Parts, parts_of
from .pillow import has_pillow, pillow_missing
from .rules import PictureRules, exact_size, fitting_size
from .sources import Source, source_of
from .turning import UPRIGHT, orientation_of, turned, turned_size

__all__ = ["Picture", "prepare"]

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp"}
#: Formats that have lost details already, so that a JPEG of them loses little.
_LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "HEIF")
#: Pixels up to which a picture without loss stays so. More take seconds, for a difference that is not seen.
_MOST_OF_PNG = 4_000_000
_USUAL = PictureRules()
#: Modes of a mask's image.
_MODES = ("L", "LA", "RGB", "RGBA")

#: File, format, width and height, and notes, some of which may be empty.
_Made = tuple[bytes, str, tuple[int, int], tuple[str, ...]]


@dataclass(frozen=True)
class Picture:
    """A picture as the service takes it.

    Attributes:
        content: the file.
        format: ``JPEG``, ``PNG`` or ``WebP``.
        width: pixels.
        height: pixels.
        stem: a short name without a suffix; ``picture`` if it has none.
        notes: translated sentences about what was changed.
    """

    content: bytes = field(repr=False)
    format: str
    width: int
    height: int
    stem: str
    notes: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """The suffix of its file."""
        return _SUFFIXES[self.format]


def prepare(value: object, rules: PictureRules = _USUAL) -> Picture:
    """Return a picture in a form that the service takes. The same value gives the same bytes.

    Args:
        value: a path, bytes, an open file, a Pillow image, a NumPy array (or one of torch or JAX), a figure
            of matplotlib, plotly or altair, or an ``IPython.display.Image``.
        rules: the service's rules.

    Raises:
        UnusableMedia: the value is no picture, or none that can be made so; the text says why.
        ImportError: the picture must be converted, and Pillow is not installed.
    """
    source = source_of(value)
    parts = parts_of(source.content)
    if not has_pillow():
        return _unread(source, parts, rules)
    made = _exact if rules.exact else _fitted
    content, form, size, notes = made(_decoded(source, rules), parts, rules)
    return Picture(content, form, *size, source.stem, tuple(filter(None, notes)))


def _decoded(source: Source, rules: PictureRules) -> Decoded:
    if source.image is None:
        return decode(source.content, exact=rules.exact)
    return Decoded(load(source.image), source.image.size)


def _fitted(picture: Decoded, parts: Parts | None, rules: PictureRules) -> _Made:
    """Return file, format, size and notes of a picture that may be changed."""
    image, orientation = picture.image, orientation_of(picture.image)
    size, resizing = fitting_size(turned_size(picture.size, orientation), rules)
    is_same = orientation == UPRIGHT and size == picture.size and foreign_profile(image) is None
    if parts and is_same and parts.is_opaque and len(parts.bare) <= rules.largest:
        return parts.bare, parts.format, size, ()
    converted, notes = in_rgb(image)
    result = turned(resized(converted, turned_size(size, orientation)), orientation)
    notes = (picture.note, *notes, resizing)
    is_for_png = image.format not in _LOSSY and size[0] * size[1] <= _MOST_OF_PNG
    if is_for_png and len(content := as_png(result)) <= rules.largest:
        return content, "PNG", size, notes
    result, content, compression = as_jpeg(result, rules)
    if result.size != size:  # the other note names a size that is no longer that of the picture
        notes = notes[:-1]
    return content, "JPEG", result.size, (*notes, compression)


def _exact(picture: Decoded, parts: Parts | None, rules: PictureRules) -> _Made:
    """Return the same of a mask."""
    orientation = orientation_of(picture.image)
    image = turned(picture.image, orientation)
    exact_size(image.size, rules)
    if parts and parts.format == "PNG" and parts.is_plain and orientation == UPRIGHT:
        return check_png(parts.bare, rules), "PNG", image.size, ()
    image = shallow(image)
    image = image if image.mode in _MODES else image.convert("RGB")
    return check_png(as_png(image), rules), "PNG", image.size, (picture.note,)


def _unread(source: Source, parts: Parts | None, rules: PictureRules) -> Picture:
    """Return the picture of a file that needs no change, without Pillow.

    Raises:
        ImportError: the file must be changed.
    """
    size = size_of(source.content)
    if parts is None or size is None or parts.bare != source.content or len(parts.bare) > rules.largest:
        raise pillow_missing()
    shown = size.width, size.height
    if rules.exact:
        exact_size(shown, rules)
        is_ready = parts.format == "PNG" and parts.is_plain
    else:
        is_ready = parts.is_opaque and fitting_size(shown, rules)[0] == shown
    if not is_ready:
        raise pillow_missing()
    return Picture(parts.bare, parts.format, *shown, source.stem)
