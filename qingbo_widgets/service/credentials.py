"""Finding the API key without ever showing it, and the address of the service."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from ..exceptions import MissingApiKey
from ..i18n import N_, tr
from .contract.catalog import Problem
from .contract.urls import why_no_base_url, without_query
from .contract.v2026_04 import Contract202604
from .secrets.echoes import hide
from .secrets.known_keys import API_KEY_VARIABLES, remember

__all__ = [
    "API_KEY_VARIABLES",
    "BASE_URL_VARIABLE",
    "Secret",
    "find_api_key",
    "find_base_url",
    "hidden",
    "problem_with",
]

BASE_URL_VARIABLE = "QINGBO_BASE_URL"
#: ``keyring set qingbo_widgets api_key`` on the command line stores the key where it is looked for.
_KEYRING_ENTRY = ("qingbo_widgets", "api_key")
#: Letters; shorter ones are made up, and would be found in the middle of any word.
_SHORTEST = 8

_WAYS = N_(
    "Keys come from the service's dashboard. Set the environment variable QINGBO_API_KEY, or call "
    "qw.connect(api_key=...). Without a key, qw.connect(sandbox=True) makes test videos on this machine."
)
_MARRED = N_(
    "{it} has a blank, a control character or a letter outside ASCII in it, so it was not copied whole or "
    "something was copied with it. {ways}"
)


class Secret:
    """A text that neither prints nor pickles nor shows in a traceback; ``reveal()`` gives it.

    What is no text can be given too, and is dropped: somebody may have read the key as bytes.

    Attributes:
        is_text: whether a text was given.
    """

    __slots__ = ("__text", "__weakref__", "is_text")

    def __init__(self, text: object) -> None:
        self.is_text = isinstance(text, str)
        self.__text = text.strip() if isinstance(text, str) else ""

    def reveal(self) -> str:
        """The text itself. Keep it out of local variables: tracebacks print them."""
        return self.__text

    def bearer(self) -> bytes:
        """Return the value of the header that carries it. To be put nowhere but into a socket."""
        return b"Bearer " + self.__text.encode("ascii", "replace")

    def hide_in(self, text: str) -> str:
        """Return the text with every occurrence of the secret taken out, however it is spelled."""
        if len(self.__text) < _SHORTEST:
            return text.replace(self.__text, repr(self)) if self.__text else text
        return hide(self.reveal, text, repr(self))

    def hide_in_all(self, value: Any) -> Any:
        """Do the same to every text in what JSON holds. A key too short to be one is left where it is."""
        if isinstance(value, str):
            return self.hide_in(value) if len(self.__text) >= _SHORTEST else value
        if isinstance(value, list):
            return [self.hide_in_all(item) for item in value]
        if isinstance(value, dict):
            return {self.hide_in_all(name): self.hide_in_all(item) for name, item in value.items()}
        return value

    @property
    def fits_a_header(self) -> bool:
        """Whether it consists of visible ASCII, which is all that an HTTP header carries safely."""
        return self.__text.isascii() and self.__text.isprintable() and " " not in self.__text

    def __bool__(self) -> bool:
        """Whether anything was given."""
        return bool(self.__text) or not self.is_text

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not written down.")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def hidden(value: object) -> Secret | None:
    """What somebody gave, out of sight; ``None`` stays what it is.

    To be called first of all by whatever takes a key, and bound to the same name: a verbose traceback prints
    the arguments of every function that it passes through. Nothing raises here.
    """
    return value if value is None or isinstance(value, Secret) else Secret(value)


def find_api_key(explicit: str | Secret | None = None) -> Secret:
    """Finds the API key: the argument, the environment, the keyring (where ``keyring`` is installed).

    Args:
        explicit: the key itself; blank counts as not given.

    Raises:
        MissingApiKey: if there is none, or the first one found cannot be a key. The text tells the ways to
            give one and never shows what was found.
        TypeError: the key given is no text.
    """
    explicit = hidden(explicit)
    told, key = tr("The API key given"), explicit or Secret("")
    if not key.is_text:
        raise TypeError("api_key is to be a str; what was given is none, and is not shown")
    for variable in API_KEY_VARIABLES:
        if not key:
            told = tr("The API key in {variable}").format(variable=variable)
            key = Secret(os.environ.get(variable, ""))
    if not key:
        told, key = tr("The API key in the keyring"), _from_keyring()
    if not key:
        raise MissingApiKey(tr("No API key was found. {ways}").format(ways=tr(_WAYS)))
    if not key.fits_a_header:
        raise MissingApiKey(tr(_MARRED).format(it=told, ways=tr(_WAYS)))
    return remember(key)


def find_base_url() -> str:
    """The address of the service, where none is given: ``QINGBO_BASE_URL``, or the contract's own."""
    return os.environ.get(BASE_URL_VARIABLE, "").strip() or Contract202604.base_url


def problem_with(base_url: Secret) -> Problem | None:
    """Why the key must not be sent there. The address is shown where it is one, and without its secrets."""
    url = base_url.reveal()
    reason = why_no_base_url(url)
    if reason is None:
        return None
    shown = without_query(url) if "://" in url else tr("what was given")
    told = tr("base_url: {url} {reason}; https://… would do.").format(url=shown, reason=reason)
    return Problem("base_url", told)


def _from_keyring() -> Secret:
    try:
        import keyring

        return Secret(keyring.get_password(*_KEYRING_ENTRY) or "")
    except Exception:  # not installed, no backend, locked, refused: it is only one of the ways
        return Secret("")
