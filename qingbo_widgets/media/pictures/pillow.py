"""Pillow, which decodes and encodes pictures. It is optional."""

from __future__ import annotations

from ...i18n import N_, tr

__all__ = ["has_pillow", "need_pillow", "pillow_missing"]

_NEEDED = N_('This picture must be converted, which needs Pillow: pip install "qingbo_widgets[upload]"')


def has_pillow() -> bool:
    """Return whether Pillow can be imported."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        return False
    return True


def need_pillow() -> None:
    """Raise an error that names the extra to install, unless Pillow can be imported.

    Raises:
        ImportError: Pillow is not installed.
    """
    if not has_pillow():
        raise pillow_missing()


def pillow_missing() -> ImportError:
    """Return the error that names the extra to install."""
    return ImportError(tr(_NEEDED))
