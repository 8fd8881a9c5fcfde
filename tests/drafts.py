"""The sandbox's drafts of videos, drawn once for all test processes instead of once for each."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import pytest

from qingbo_widgets.sandbox import render_pool

__all__ = ["SharedDrafts", "shared_drafts"]


class SharedDrafts(OrderedDict[str, bytes]):
    """The cache of drafts as files in a folder; none is ever removed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def get(self, key: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        """Return the video of an order."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return default

    def __setitem__(self, key: str, video: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(video)
        os.replace(file.name, self._path(key))  # noqa: PTH105 - another process reads all of it or nothing

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.mp4"


@pytest.fixture(scope="session", autouse=True)
def shared_drafts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let every sandbox of the test processes find the drafts that one of them has drawn."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "drafts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render_pool, "_drafts", SharedDrafts(folder))
        yield
