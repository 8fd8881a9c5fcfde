"""The content of a verbose traceback: an error, its causes and contexts, and all local variables."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

__all__ = ["chain_of", "shown_by"]


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, its causes and its contexts, including suppressed ones."""
    if error is not None:
        yield error
        yield from chain_of(error.__cause__)
        yield from chain_of(error.__context__)


def shown_by(error: BaseException) -> str:
    """Return the whole text, except the frames of the tests themselves, which contain the key."""
    shown = []
    for link in chain_of(error):
        shown.append(f"{link!r} {vars(link)}")
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                shown.append(f"{frame.f_code.co_filename}: {_repr(frame.f_locals)}")
    return "\n".join(shown)


def _repr(variables: dict[str, object]) -> str:
    # The repr of an object whose __init__ raised may fail; its attributes can be shown, if it has any.
    return str(
        {
            name: vars(value) if name == "self" and hasattr(value, "__dict__") else value
            for name, value in variables.items()
        }
    )
