"""In marimo, the page gets no file that a library from elsewhere has a link to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from qingbo_widgets.widgets.base.embedding import Embedding
from qingbo_widgets.widgets.base.player import embedded_url


@pytest.mark.skipif(os.name == "nt", reason="Windows allows links to few users")
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_marimo_serves_no_file_behind_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A link in place of a video is not read, and neither is a pipe, which would block the cell for ever."""
    served: list[bytes] = []
    marimo = SimpleNamespace(
        running_in_notebook=lambda: True,
        video=lambda src: served.append(src.read()) or SimpleNamespace(text="<video src='./@file/1'>"),
    )
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    (tmp_path / "library").mkdir()
    (tmp_path / "secret").write_bytes(b"a private file")
    video = tmp_path / "library/koi.mp4"
    if kind == "link":
        video.symlink_to(tmp_path / "secret")
    else:
        os.mkfifo(video)
    url, reason = embedded_url(video, Embedding(True))
    assert served == [], "the page of marimo gets a file from outside the library"
    assert url is None
    assert "koi.mp4 cannot be read" in reason
