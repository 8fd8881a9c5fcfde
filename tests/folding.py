"""A file system that takes spellings for the same: letters of another case, accents in another form.

That is NTFS and APFS. On one that is not, ``folding`` teaches it to ``os.stat`` alone: whether a file of some
name is there, how large, and how old. Opening is left as it is.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

__all__ = ["folding"]


def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``os.stat`` find a file by any spelling of its name."""
    exact = os.stat

    def stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        try:
            return exact(path, *arguments, **options)
        except FileNotFoundError:
            wanted = Path(path)
            if wanted.parent.is_dir():
                for name in os.listdir(wanted.parent):  # noqa: PTH208
                    if _folded(name) == _folded(wanted.name):
                        return exact(wanted.parent / name, *arguments, **options)
            raise

    monkeypatch.setattr(os, "stat", stat)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
