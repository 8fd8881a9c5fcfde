"""A simulation of a file system that ignores case and Unicode normalisation, such as NTFS and APFS.

On other file systems, ``folding`` simulates this for ``os.stat`` only: whether a file exists, its size and
its age. Opening a file is unchanged.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

__all__ = ["folding"]


def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``os.stat`` find a file by any spelling of its name."""
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
