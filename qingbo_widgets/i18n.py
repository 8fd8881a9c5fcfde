"""The language of the user interface, English or Chinese, through gettext.

The source contains the English text: in ``tr("…")``, which returns it in the current language, or in
``N_("…")``, which marks a constant for a later ``tr``. ``tools/translations.py`` collects texts from these
two calls only. The Chinese texts are in ``locale/``; a test fails on a text without one. The language comes
from the environment (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``, as gettext reads them), or from the
display language on Windows, which sets none of these, unless ``set_locale`` overrides it. It applies to the
whole kernel.
"""

from __future__ import annotations

import gettext
import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

__all__ = ["CATALOGUES", "LOCALES", "N_", "joined", "locale", "sentences", "set_locale", "tr"]

#: English is the language of the source; every other language has a catalogue.
LOCALES = ("en", "zh")

#: A placeholder of ``str.format``; two braces are one of the text.
_PLACEHOLDER = re.compile(r"(?<!\{)(\{[^{}]+\})(?!\})")
_CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
#: The number of characters of a language that a message shows.
_LONGEST = 12
CATALOGUES = Path(__file__).with_name("locale")
_chosen: str | None = None


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a literal for later translation; return it unchanged."""
    return message


def tr(message: str) -> str:
    """Return a text in the current language.

    Args:
        message: a literal, or a constant that ``N_`` marks. Fill in its ``{placeholders}`` afterwards, with
            ``str.format``.
    """
    text = _catalogue(locale()).gettext(message)
    return text if text is message else _Chinese(text)


class _Chinese(str):
    """A Chinese text: blanks stand around Latin words, and a placeholder may become a Chinese one."""

    __slots__ = ()

    def format(self, *args: object, **values: object) -> str:
        """Return the text with its placeholders filled in, without blanks between Chinese characters."""
        return joined([part.format(*args, **values) for part in _PLACEHOLDER.split(self)])


def joined(parts: Sequence[str]) -> str:
    """Return texts with values between them as one text, without blanks between Chinese characters.

    Args:
        parts: the texts, and at every second place a value. Blanks inside of a value are its own.
    """
    whole = parts[0]
    for value, text in zip(parts[1::2], parts[2::2], strict=True):
        if whole.endswith(" ") and _is_chinese(whole[-2:-1]) and _is_chinese(value[:1]):
            whole = whole[:-1]
        is_stray = text.startswith(" ") and _is_chinese(value[-1:]) and _is_chinese(text[1:2])
        whole += value + (text[1:] if is_stray else text)
    return whole


def _is_chinese(character: str) -> bool:
    """Return whether a character is a Chinese one or a full-width mark."""
    return _CHINESE.match(character) is not None


def sentences(*texts: str) -> str:
    """Return texts one after the other, each as a sentence of its own; empty ones are left out."""
    whole = ""
    for text in filter(None, texts):
        if not whole or whole.endswith(("。", "！", "？")):  # no blank follows a full-width mark
            whole += text
        elif whole.endswith((".", "!", "?")):
            whole = f"{whole} {text}"
        else:
            whole = tr("{said}. {hint}").format(said=whole, hint=text)
    return whole


def locale() -> str:
    """Return the current language, one of ``LOCALES``."""
    return _chosen or _from_environment()


def set_locale(name: str | None) -> None:
    """Set the language for the whole kernel.

    Args:
        name: ``"en"`` or ``"zh"``, also with a country (``zh_CN``, ``zh-Hans``); ``None`` for the language of
            the environment.

    Raises:
        ValueError: the language is not supported.
    """
    global _chosen
    code = None if name is None else _code(name)
    if code not in (None, *LOCALES):
        message = tr("locale: {name!r} is not one of {known}; try 'zh'.")
        shown = f"{name}"[:_LONGEST]  # not all of an API key
        raise ValueError(message.format(name=shown, known=", ".join(LOCALES)))
    _chosen = code


def _from_environment() -> str:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if names := os.environ.get(variable):
            known = (code for name in names.split(":") if (code := _code(name)) in LOCALES)
            return next(known, LOCALES[0])
    code = _code(_language_of_windows())
    return code if code in LOCALES else LOCALES[0]


@cache
def _language_of_windows() -> str:
    """Return the display language of Windows, such as ``zh_CN``; empty on other systems."""
    if sys.platform != "win32":
        return ""
    import ctypes
    from locale import windows_locale

    return windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")


def _code(name: str) -> str:
    """Return the language code in the name of a locale: ``zh`` for ``zh_CN.UTF-8``."""
    return name.strip().replace("-", "_").partition("_")[0].partition(".")[0].lower()


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    if name == LOCALES[0]:
        return gettext.NullTranslations()
    return gettext.translation("qingbo_widgets", CATALOGUES, [name])
