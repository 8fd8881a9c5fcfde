"""Pictures of figures: matplotlib, plotly, altair, and objects that a notebook shows as a picture.

None of these libraries is imported: a value can be one of theirs only if its library is loaded.
"""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

from ...i18n import N_, tr
from ..unusable import UnusableMedia
from .limits import check_pixels

__all__ = ["content_of_figure"]

_NOT_EXPORTED = N_("The {library} figure could not be exported: {reason}")
_NEEDS = N_("The export of a {library} figure needs another package: pip install {package}")
#: Method names, by which IPython asks an object for its picture.
_SHOWN = ("_repr_png_", "_repr_jpeg_")


def content_of_figure(value: Any) -> bytes | None:
    """Return the picture of a figure as the content of a file; ``None`` if the value is no figure.

    Raises:
        UnusableMedia: the figure could not be exported, and which package is missing.
    """
    if (figure := _matplotlib(value)) is not None:
        return _exported("matplotlib", "matplotlib", lambda: _saved(figure))
    library = _library_of(value)
    if library == "plotly" and hasattr(value, "to_image"):
        return _exported(library, "kaleido", lambda: value.to_image(format="png"))
    if library == "altair" and hasattr(value, "save"):
        return _exported(library, "vl-convert-python", lambda: _altair(value))
    return _shown(value)


def _library_of(value: Any) -> str:
    """Return the first of the libraries that a value's class, or one it inherits from, is from."""
    roots = (kind.__module__.partition(".")[0] for kind in type(value).__mro__)
    return next((root for root in roots if root in ("plotly", "altair")), "")


def _matplotlib(value: Any) -> Any | None:
    """Return the matplotlib figure that a value is, or is a part of: axes, a seaborn grid."""
    module = sys.modules.get("matplotlib.figure")
    if module is None:
        return None
    for candidate in (value, getattr(value, "figure", None)):
        if isinstance(candidate, module.FigureBase):
            # A part of a figure has that as its own figure.
            return candidate if isinstance(candidate, module.Figure) else _matplotlib(candidate.figure)
    return None


def _saved(figure: Any) -> bytes:
    width, height = figure.get_size_inches() * figure.dpi
    check_pixels(round(width), round(height))
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi="figure")
    return file.getvalue()


def _altair(chart: Any) -> bytes:
    file = io.BytesIO()
    chart.save(file, format="png")
    return file.getvalue()


def _exported(library: str, package: str, export: Any) -> bytes:
    """Return the result of an export; its failure names the package that does it, if that is missing."""
    try:
        content: bytes = export()
    except UnusableMedia:
        raise
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        if isinstance(error, ImportError) or package.removesuffix("-python") in reason.replace("_", "-"):
            message = tr(_NEEDS).format(library=library, package=package)
        else:
            message = tr(_NOT_EXPORTED).format(library=library, reason=reason.splitlines()[0])
        raise UnusableMedia(message) from None
    return content


def _shown(value: Any) -> bytes | None:
    """Return the picture by which a notebook shows an object; ``None`` if it shows none."""
    for name in _SHOWN:
        # Not of the object: a mock has every attribute.
        if (method := getattr(type(value), name, None)) is None:
            continue
        try:
            shown = method(value)
            content = shown[0] if isinstance(shown, tuple) else shown
            content = base64.b64decode(content, validate=True) if isinstance(content, str) else content
        except Exception:  # of an object that cannot draw itself, whatever it raises
            continue
        if isinstance(content, bytes) and content:
            return content
    return None
