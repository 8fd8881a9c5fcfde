"""The language in which this package speaks: English or Chinese, through gettext.

A text is written in English where it is needed: in ``tr("…")``, which says it in the language of the moment,
or in ``N_("…")`` where it is only kept for a later ``tr``, in a constant. ``tools/translations.py`` finds it
there, and nowhere else. Its Chinese stands in ``locale/``; a test fails on a text that has none. The language
is that of the environment (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``, as gettext reads them), on
Windows, which sets none of these, that of its own menus, until ``set_locale`` says otherwise; it is one for
the whole kernel.
"""

from __future__ import annotations

import gettext
import os
import sys
from functools import cache
from pathlib import Path

__all__ = ["CATALOGUES", "LOCALES", "N_", "locale", "set_locale", "tr"]

#: English is the language of the source; each other one has a catalogue.
LOCALES = ("en", "zh")

CATALOGUES = Path(__file__).with_name("locale")
_chosen: str | None = None


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a text, a literal, as one to be translated later; returns it as it is."""
    return message


def tr(message: str) -> str:
    """Return a text in the language of the moment.

    Args:
        message: a literal, or a text out of a constant, where ``N_`` marks it. Fill in its ``{places}``
            afterwards, with ``str.format``.
    """
    return _catalogue(locale()).gettext(message)


def locale() -> str:
    """The language of the moment: one of ``LOCALES``."""
    return _chosen or _from_environment()


def set_locale(name: str | None) -> None:
    """Speak this language from now on.

    Args:
        name: ``"en"`` or ``"zh"``, also with a country (``zh_CN``, ``zh-Hans``); ``None`` for the language of
            the environment.

    Raises:
        ValueError: there is no such language here.
    """
    global _chosen
    code = None if name is None else _code(name)
    if code not in (None, *LOCALES):
        raise ValueError(f"locale: {name!r} is not one of {', '.join(LOCALES)}; 'zh' would do.")
    _chosen = code


def _from_environment() -> str:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if wishes := os.environ.get(variable):
            known = (code for wish in wishes.split(":") if (code := _code(wish)) in LOCALES)
            return next(known, LOCALES[0])
    code = _code(_language_of_windows())
    return code if code in LOCALES else LOCALES[0]


@cache
def _language_of_windows() -> str:
    """The language of Windows' own menus, ``zh_CN`` say; empty on other systems."""
    if sys.platform != "win32":
        return ""
    import ctypes
    from locale import windows_locale

    return windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")


def _code(name: str) -> str:
    """The language in the name of a locale: ``zh`` of ``zh_CN.UTF-8``."""
    return name.strip().replace("-", "_").partition("_")[0].partition(".")[0].lower()


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    if name == LOCALES[0]:
        return gettext.NullTranslations()
    return gettext.translation("qingbo_widgets", CATALOGUES, [name])
