"""Tests of the local files that the sandbox serves to its own tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from qingbo_widgets.sandbox import Sandbox
from tests.sandbox.drawing.clips import clip, plain


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Yield a running sandbox."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize(("kind", "suffix"), [("mp4", ".mp4"), ("webm", ".webm"), ("mp4", ".MP4")])
def test_a_video_is_served_in_parts(sandbox: Sandbox, tmp_path: Path, kind: str, suffix: str) -> None:
    """A published video has its content type and serves any range, as players request."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(clip(plain((0, 0, 200)), 0.5, kind=kind))
    url = sandbox.publish(path)
    whole = requests.get(url, timeout=10)
    assert whole.headers["Content-Type"] == f"video/{kind}"
    assert whole.content == path.read_bytes()
    part = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=10)
    assert (part.status_code, part.content) == (206, whole.content[10:20])


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.mov", "a.txt"])
def test_a_file_that_is_no_video(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    """A file that is neither picture nor video is refused with its path and what is accepted."""
    path = tmp_path / name
    path.write_text("no video", encoding="utf-8")
    with pytest.raises(ValueError, match="mp4") as caught:
        sandbox.publish(path)
    assert str(path) in str(caught.value)
    with pytest.raises(FileNotFoundError):
        sandbox.publish(tmp_path / "none.mp4")
