"""Small files, written whole or not at all: another kernel, or a person, may read one at any moment."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

from ..service.files import remove, replace

__all__ = ["write_whole"]


def write_whole(target: Path, content: str | bytes) -> None:
    """Put a file in its place in one step; its folder is made where there is none.

    Args:
        target: where it goes, in the place of what is there.
        content: what it holds; half a surrogate pair, which UTF-8 cannot say, becomes a question mark.

    Raises:
        OSError: the folder cannot be written; what was there is there still.
    """
    data = content.encode(errors="replace") if isinstance(content, str) else content
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not a temporary file of the system's, which only its owner may read.
    part = target.with_name(f"{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(data)
        replace(part, target)
    finally:
        with suppress(OSError):  # it is of no use, and of no harm
            remove(part)
