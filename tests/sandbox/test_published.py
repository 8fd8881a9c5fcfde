"""Tests of the local files that the sandbox serves to its own tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from qingbo_widgets.sandbox import Sandbox
from tests.sandbox.drawing.clips import clip, plain
from tests.service.leaks import shown_by

KEY = "sk-live0123456789abcdefGHIJ"


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


def test_the_home_folder_has_its_sign(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``~`` in a path is the user's folder; of an unknown user, a part of the name."""
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "a.mp4").write_bytes(clip(plain((0, 0, 200)), 0.5))
    assert requests.get(sandbox.publish("~/a.mp4"), timeout=10).ok
    with pytest.raises(FileNotFoundError):
        sandbox.publish("~no such user/a.mp4")


def test_a_key_in_place_of_a_path_is_not_shown(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the message nor the frames of the traceback have a key of the environment."""
    monkeypatch.setenv("QINGBO_API_KEY", KEY)
    for path in (KEY, f"{KEY}.png", f"videos/{KEY}.mp4"):
        with pytest.raises(ValueError, match="API key") as caught:
            sandbox.publish(path)
        assert KEY not in shown_by(caught.value)


def test_a_key_in_place_of_a_contract_is_not_shown() -> None:
    """Neither is one that is given as the date of a contract."""
    with pytest.raises(ValueError, match="no such contract") as caught:
        Sandbox(contract=KEY)
    assert KEY not in shown_by(caught.value)
