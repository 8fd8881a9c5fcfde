"""A text that shows nowhere: ``Secret``."""

from __future__ import annotations

from typing import Any, NoReturn

from .echoes import hide

__all__ = ["HIDDEN", "SHORTEST", "Secret", "hidden"]

#: What stands in the place of a secret.
HIDDEN = "<hidden>"
#: Letters; shorter ones are made up, and would be found in the middle of any word.
SHORTEST = 8


class Secret:
    """A text that neither prints nor pickles nor shows in a traceback; ``reveal()`` gives it.

    A value that is not text is accepted and dropped: the caller may have read the key as bytes.

    Attributes:
        is_text: whether a text was given.
    """

    __slots__ = ("__text", "__weakref__", "is_text")

    def __init__(self, text: object) -> None:
        self.is_text = isinstance(text, str)
        self.__text = text.strip() if isinstance(text, str) else ""

    def reveal(self) -> str:
        """Return the text. Keep it out of local variables: tracebacks print them."""
        return self.__text

    def bearer(self) -> bytes:
        """Return the value of the header that carries it. To be put nowhere but into a socket."""
        return b"Bearer " + self.__text.encode("ascii", "replace")

    def hide_in(self, text: str) -> str:
        """Return the text with every occurrence of the secret taken out, however it is spelled."""
        if len(self.__text) < SHORTEST:
            return text.replace(self.__text, HIDDEN) if self.__text else text
        return hide(self.reveal, text, HIDDEN)

    def hide_in_all(self, value: Any) -> Any:
        """Do the same to every text in what JSON holds. A key too short to be one is left where it is."""
        if isinstance(value, str):
            return self.hide_in(value) if len(self.__text) >= SHORTEST else value
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
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not written down.")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def hidden(value: object) -> Secret | None:
    """Wrap a value in a ``Secret``; ``None`` is returned as it is.

    To be called first of all by whatever takes a key, and bound to the same name: a verbose traceback prints
    the arguments of every function that it passes through. Nothing raises here.
    """
    return value if value is None or isinstance(value, Secret) else Secret(value)
