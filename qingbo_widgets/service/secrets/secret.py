"""``Secret``: a text that is never displayed."""

from __future__ import annotations

from typing import Any, NoReturn

from ...i18n import tr
from .echoes import hide

__all__ = ["FIELD", "HIDDEN", "KEYRING", "SHORTEST", "Secret", "as_secret"]

#: Places in which a secret is found, besides variables.
FIELD, KEYRING = "field", "keyring"

#: The replacement for a secret.
HIDDEN = "<hidden>"
#: Characters. Shorter secrets are no real keys, and could be a part of any word.
SHORTEST = 8


class Secret:
    """A text that is not printed, pickled or shown in a traceback; ``reveal()`` returns it.

    A value that is not text is accepted and dropped: the caller may have read the key as bytes.

    Attributes:
        is_text: whether the value was a text.
        source: the place that it was found in: the name of a variable, ``KEYRING`` or ``FIELD``; empty if the
            caller passed it.
    """

    __slots__ = ("__text", "__weakref__", "is_text", "source")

    def __init__(self, text: object, source: str = "") -> None:
        self.is_text, self.source = isinstance(text, str), source
        self.__text = text.strip() if isinstance(text, str) else ""

    def reveal(self) -> str:
        """Return the text. Keep it out of local variables: tracebacks print them."""
        return self.__text

    def bearer(self) -> bytes:
        """Return the value of the ``Authorization`` header. Write it only to a socket."""
        return b"Bearer " + self.__text.encode("ascii", "replace")

    def hide_in(self, text: str) -> str:
        """Return the text with every occurrence of the secret replaced, in every encoding."""
        if len(self.__text) < SHORTEST:
            return text.replace(self.__text, HIDDEN) if self.__text else text
        return hide(self.reveal, text, HIDDEN)

    def hide_in_all(self, value: Any) -> Any:
        """Return a JSON value with the secret replaced in every text, unless it is too short to be a key."""
        if isinstance(value, str):
            return self.hide_in(value) if len(self.__text) >= SHORTEST else value
        if isinstance(value, list):
            return [self.hide_in_all(item) for item in value]
        if isinstance(value, dict):
            return {self.hide_in_all(name): self.hide_in_all(item) for name, item in value.items()}
        return value

    @property
    def fits_a_header(self) -> bool:
        """True if the secret is visible ASCII, the only characters that are safe in an HTTP header."""
        return self.__text.isascii() and self.__text.isprintable() and " " not in self.__text

    def __bool__(self) -> bool:
        """Return whether the value was not empty."""
        return bool(self.__text) or not self.is_text

    def __repr__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError(tr("A secret cannot be pickled or copied."))

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def as_secret(value: object) -> Secret | None:
    """Wrap a value in a ``Secret``; return ``None`` unchanged.

    A function that takes a key must call this first and assign the result to the same name, because a verbose
    traceback prints the arguments of every function in it. This function never raises.
    """
    return value if value is None or isinstance(value, Secret) else Secret(value)
