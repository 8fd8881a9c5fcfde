"""Pictures out of arrays: NumPy's, and those of torch, JAX and others that NumPy can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ..unusable import UnusableMedia
from .limits import check_pixels
from .pillow import need_pillow

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["image_of_array"]

_CHANNELS = (1, 3, 4)
#: Floats that are this little outside of 0 to 1 are results of rounding.
_ROUNDING = 1e-3

_UNREADABLE = N_("The {type} cannot be read as an array: {reason}")
_SHAPE = N_(
    "An array of shape {shape} and type {dtype} is not a picture: "
    "use height × width, with 1, 3 or 4 channels."
)
_TYPE = N_(
    "An array of type {dtype} (shape {shape}) is not a picture: "
    "use uint8, uint16, bool, or floats from 0 to 1."
)
_RANGE = N_(
    "The array has values from {low:g} to {high:g}, but floats must be from 0 to 1: "
    "divide it, or convert it with .astype('uint8')."
)
_NOT_FINITE = N_("The array has values that are not finite (NaN or infinity).")


def image_of_array(value: Any) -> Image:
    """Return the picture in an array: height × width, × channels, or channels first as in torch.

    Args:
        value: an array with the type uint8, uint16 (0 to 65535), bool, or a float of 0 to 1.

    Raises:
        UnusableMedia: the shape, the type or the values are no picture.
        ImportError: Pillow is not installed.
    """
    need_pillow()
    import numpy as np
    from PIL import Image

    array = _read(value)
    pixels = _upright(array)
    check_pixels(pixels.shape[1], pixels.shape[0])
    return Image.fromarray(np.ascontiguousarray(_bytes(pixels)))


def _read(value: Any) -> Any:
    import numpy as np

    try:
        if hasattr(value, "detach") and hasattr(value, "cpu"):  # a tensor of torch, perhaps on a GPU
            value = value.detach().cpu()
        return np.asarray(value)
    except Exception as error:
        message = tr(_UNREADABLE).format(type=type(value).__name__, reason=str(error))
        raise UnusableMedia(message) from None


def _upright(array: Any) -> Any:
    """Return an array of height × width, or × 3 or 4 channels."""
    shape = array.shape
    if 0 in shape or array.ndim not in (2, 3):
        raise _refused(_SHAPE, array)
    if array.ndim == 2:
        return array
    if shape[2] not in _CHANNELS:
        if shape[0] not in _CHANNELS:
            raise _refused(_SHAPE, array)
        array = array.transpose(1, 2, 0)
    return array[:, :, 0] if array.shape[2] == 1 else array


def _bytes(array: Any) -> Any:
    """Return the values as bytes."""
    import numpy as np

    kind = array.dtype
    if kind == np.uint8:
        return array
    if kind == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if kind.kind == "u" and kind.itemsize == 2:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind.kind != "f":
        raise _refused(_TYPE, array)
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise UnusableMedia(tr(_NOT_FINITE))
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise UnusableMedia(tr(_RANGE).format(low=low, high=high))
    # float16 has too few digits for the product.
    return np.rint(array.clip(0, 1).astype(np.float32) * 255).astype(np.uint8)


def _refused(message: str, array: Any) -> UnusableMedia:
    shape = " × ".join(map(str, array.shape)) or "()"
    return UnusableMedia(tr(message).format(shape=shape, dtype=array.dtype))
