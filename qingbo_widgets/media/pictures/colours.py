"""Pictures of any mode and colour profile as the service shows them: 8 bits a channel, RGB, sRGB, opaque."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ..unusable import UnusableMedia

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["foreign_profile", "in_rgb", "shallow"]

#: The modes of images by the kind of their profile (ICC.1, 7.2.6).
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
#: Modes of 16 and more bits a channel, each with one channel.
_DEEP = ("I", "F")
_MOST_DEEP = 65535

_WHITE = N_("Transparent areas are now white.")
_BAD_PROFILE = N_("The colour profile is damaged or of another kind, and was left out.")
_RANGE = N_(
    "The picture has values from {low:g} to {high:g}: use 0 to 255, 0 to 65535, or floats from 0 to 1."
)


def foreign_profile(image: Image) -> bytes | None:
    """Return the colour profile of an image; ``None`` if it has none, or that of sRGB."""
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    from PIL import ImageCms

    try:
        opened = ImageCms.getOpenProfile(io.BytesIO(profile))
        is_usual = ImageCms.getProfileDescription(opened).startswith("sRGB")
    except Exception:  # of damage; of a Pillow without its library for colours
        is_usual = False
    return None if is_usual else profile


def in_rgb(image: Image) -> tuple[Image, tuple[str, ...]]:
    """Return the image in sRGB on white, and notes about what was changed.

    Raises:
        UnusableMedia: it has values that are no brightness.
    """
    profile = foreign_profile(image)
    image, alpha = _apart(shallow(image))
    notes = []
    if profile is not None:
        converted = _converted(image, profile)
        notes += [] if converted else [tr(_BAD_PROFILE)]
        image = converted or image
    image = _plain_rgb(image)
    if alpha is not None and alpha.getextrema() != (255, 255):
        notes.append(tr(_WHITE))
        image = _on_white(image, alpha)
    return image, tuple(notes)


def shallow(image: Image) -> Image:
    """Return the image with 8 bits a channel and without a palette: L, LA, RGB, RGBA, CMYK, LAB or YCbCr."""
    has_transparency = "transparency" in image.info
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    if image.mode in _DEEP:
        return _shallow_grey(image)
    if image.mode == "1":
        return image.convert("LA" if has_transparency else "L")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if has_transparency or image.mode == "PA" else "RGB")
    if has_transparency and image.mode in ("L", "RGB"):  # one colour is transparent
        return image.convert("RGBA")
    # Colours that are multiplied by their alpha, HSV, and RGB with an unused channel.
    other = {"La": "LA", "RGBa": "RGBA", "HSV": "RGB", "RGBX": "RGB"}
    return image.convert(other[image.mode]) if image.mode in other else image


def _shallow_grey(image: Image) -> Image:
    extrema: Any = image.getextrema()
    low, high = extrema
    if image.mode == "F" and low >= 0 and high <= 1:
        return image.point(lambda value: value * 255 + 0.5).convert("L")
    if not 0 <= low <= high <= _MOST_DEEP:  # neither for NaN
        raise UnusableMedia(tr(_RANGE).format(low=low, high=high))
    if image.mode == "F":
        image = image.convert("I")
        if high <= 255:
            return image.convert("L")
    return image.point([(value + 128) // 257 for value in range(_MOST_DEEP + 1)], "L")


def _apart(image: Image) -> tuple[Image, Image | None]:
    """Return an image without its alpha, and the alpha."""
    if image.mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(image.mode[:-1]), image.getchannel("A")


def _converted(image: Image, profile: bytes) -> Image | None:
    """Return the image in sRGB; ``None`` if its profile is damaged, or that of another kind of image."""
    from PIL import ImageCms

    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode == "RGB" and image.mode in ("L", "YCbCr"):
            image = image.convert(mode)
        if image.mode != mode:
            return None
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:
        return None


def _plain_rgb(image: Image) -> Image:
    from PIL import ImageCms

    if image.mode == "RGB":
        return image
    if image.mode == "LAB":
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB") or image
    return image.convert("RGB")


def _on_white(image: Image, alpha: Image) -> Image:
    import PIL.Image

    white = PIL.Image.new("RGB", image.size, "white")
    white.paste(image, mask=alpha)
    return white
