"""Predicates, limits and example values shared by the checks of several types."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...i18n import N_, tr
from .problem import Problem, refused, shown
from .urls import NOT_A_PUBLIC_URL, public_url_refusal
from .values import is_integer, is_set

__all__ = [
    "EXAMPLE_PROMPT",
    "EXAMPLE_SECONDS",
    "EXAMPLE_URL",
    "NOT_IN_RANGE",
    "NOT_ONE_OF",
    "check_public_url",
    "check_text",
    "is_blank",
    "is_blank_prompt",
    "is_duration",
    "is_finite",
    "is_within",
    "url_refusal",
]

EXAMPLE_PROMPT = N_("A koi in a clear pond")
EXAMPLE_SECONDS = 5
EXAMPLE_URL = "https://example.com/"
#: Predicates of a sentence whose subject is the value.
NOT_ONE_OF = N_("is not one of {values}")
NOT_IN_RANGE = N_("is not a number from {low:g} to {high:g}")


def check_text(field: str, text: object, most: int, where: str = "") -> Iterator[Problem]:
    """Yield a problem if the value is not text, or is longer than ``most`` characters (0: no limit)."""
    if not isinstance(text, str):
        yield refused(field, text, tr("is not text"), tr(EXAMPLE_PROMPT), where)
    elif 0 < most < len(text):
        message = tr(
            "{where}: {value} has {count} characters, but the service takes at most {most}; leave out "
            "{excess}."
        )
        count = len(text)
        message = message.format(
            where=where or field, value=shown(text), count=count, most=most, excess=count - most
        )
        yield Problem(field, message)


def check_public_url(field: str, url: object, example: str, where: str = "") -> Iterator[Problem]:
    """Yield a problem if the value is not a URL that the service can fetch."""
    reason = public_url_refusal(url)
    if reason == tr(NOT_A_PUBLIC_URL):
        message = tr("{where}: {refusal}, for example {example}.")
        parts = {
            "where": where or field,
            "refusal": _other_than(url),
            "example": shown(EXAMPLE_URL + example),
        }
        yield Problem(field, message.format(**parts))
    elif reason is not None:
        yield refused(field, url, reason, EXAMPLE_URL + example, where)


def url_refusal(url: object) -> str:
    """Return how the message about a URL that the service cannot fetch begins, after the field."""
    reason = public_url_refusal(url)
    return _other_than(url) if reason == tr(NOT_A_PUBLIC_URL) else f"{shown(url)} {reason}"


def _other_than(url: object) -> str:
    return tr("enter a public http(s) URL instead of {value}").format(value=shown(url))


def is_blank_prompt(prompt: object) -> bool:
    """Return whether a prompt is not set or blank."""
    return not is_set(prompt) or (isinstance(prompt, str) and not prompt.strip())


def is_blank(text: object) -> bool:
    """Return whether a value is not text, or is blank."""
    return not isinstance(text, str) or not text.strip()


def is_duration(value: object) -> bool:
    """Return whether a value is a whole number of seconds, at least 1."""
    return isinstance(value, int) and is_integer(value) and value >= 1


def is_finite(value: object) -> bool:
    """Return whether a value is a number that JSON can represent."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def is_within(value: object, low: float, high: float) -> bool:
    """Return whether a value is a number in a range."""
    # NaN compares false with everything, so it is out of range.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
