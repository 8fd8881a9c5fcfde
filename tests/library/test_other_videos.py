"""``other_videos``: names beside the first video, and the note of what is still to be saved."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qingbo_widgets.library import other_videos
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.other_videos import OtherVideos


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    """Return the planned path of a first video."""
    return tmp_path / "koi-1a2b3c4d.mp4"


def test_a_note(planned: Path) -> None:
    """A note is found by the path of the video and in the folder, until it is removed."""
    others = OtherVideos("k" * 32, 3, 1)
    assert other_videos.keys_in(planned.parent / "nowhere") == []
    other_videos.write(planned, others)
    assert (other_videos.is_noted(planned), other_videos.read(planned)) == (True, others)
    assert other_videos.keys_in(planned.parent) == ["k" * 32]
    other_videos.tidy(planned)
    other_videos.tidy(planned)
    assert (other_videos.is_noted(planned), other_videos.read(planned)) == (False, None)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "5", "[" * 9000, '{"key": "k"}', '{"key": "k", "count": 2, "first": 2}'),
        '{"key": "k", "count": 1000000000, "first": 0}',
        '{"key": "k", "count": "two", "first": 0}',
    ],
    ids=len,
)
def test_a_note_that_is_none(planned: Path, text: str) -> None:
    """A damaged note, or one that would keep a kernel busy, is no note."""
    note = planned.parent / other_videos.note_name(planned)
    note.parent.mkdir()
    note.write_text(text, encoding="utf-8")
    assert other_videos.read(planned) is None
    assert other_videos.keys_in(planned.parent) == []


@pytest.mark.parametrize("first", ["keys_in", "write"])
def test_a_note_of_an_earlier_version(planned: Path, first: str) -> None:
    """A note beside the video is found too, whether the notes are first read or written."""
    old = planned.with_suffix(other_videos.NOTE)
    old.write_text('{"key": "kept", "count": 3, "first": 0}', encoding="utf-8")
    if first == "write":
        other_videos.write(planned.with_name("other.mp4"), OtherVideos("other", 2))
    assert "kept" in other_videos.keys_in(planned.parent)
    assert not old.exists()
    assert other_videos.is_noted(planned)
    assert other_videos.read(planned) == OtherVideos("kept", 3)


def test_a_search_for_notes_does_not_read_the_names_of_all_videos(
    planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library is opened as fast with 100,000 videos as with one."""
    other_videos.write(planned, OtherVideos("k", 2))
    read: list[Path] = []
    scandir, listdir = os.scandir, os.listdir
    monkeypatch.setattr(os, "scandir", lambda path=".": (read.append(Path(path)), scandir(path))[1])
    monkeypatch.setattr(os, "listdir", lambda path=".": (read.append(Path(path)), listdir(path))[1])
    assert other_videos.keys_in(planned.parent) == ["k"]
    assert {path.name for path in read} == {other_videos.NOTES}


def test_the_videos_beside_the_first(planned: Path) -> None:
    """The others are found by their names, in order and in any container, and no other video is."""
    names = ("-2.mp4", "-3.webm", "-10.mp4", "-x.mp4", "-2.json")
    for name in names:
        planned.with_name(f"{planned.stem}{name}").touch()
    found = [path.name.removeprefix(planned.stem) for path in other_videos.saved_beside(planned)]
    assert found == ["-2.mp4", "-3.webm"]
    planned.with_name(f"{planned.stem}-1.mp4").touch()
    assert other_videos.saved_beside(planned)[0].name == f"{planned.stem}-1.mp4"


def test_a_note_is_not_left_out_of_an_import(planned: Path) -> None:
    """A note is a file of this package, of which an import says nothing."""
    other_videos.write(planned, OtherVideos("k" * 32, 2))
    imported = Library.import_(planned.parent).imported
    assert imported is not None
    assert imported.left_out == ()
