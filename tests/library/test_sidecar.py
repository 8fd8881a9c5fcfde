"""Sidecars travel with their videos and are enough to rebuild a library."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from qingbo_widgets import Library, Sandbox, TaskManager, __version__
from qingbo_widgets.library import importing
from qingbo_widgets.library import sidecar as provenance
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.sidecar import amend_sidecar, read_sidecar, sidecar_path
from qingbo_widgets.system.files import replace as move
from tests.faults.film import film
from tests.folding import folding


@pytest.mark.slow
def test_each_video_has_its_sidecar(manager: TaskManager, server: Sandbox) -> None:
    """A sidecar has the request, ids, times, contract, versions and the video's digest, but no API key."""
    task = manager.submit(prompt="一条锦鲤", duration=3, enable_audio=False).wait(timeout=60)
    assert task.video_path is not None
    sidecar = read_sidecar(task.video_path)
    assert sidecar is not None
    assert sidecar["request"] == {
        "model": "kling-v3",
        "prompt": "一条锦鲤",
        "duration": 3,
        "enable_audio": False,
    }
    assert (sidecar["task_id"], sidecar["key"], sidecar["contract"]) == (task.task_id, task.key, "2026-04")
    assert sidecar["video"]["sha256"] == hashlib.sha256(task.video_path.read_bytes()).hexdigest()
    assert set(sidecar["versions"]) == {"qingbo_widgets", "python"}
    assert sidecar["versions"]["qingbo_widgets"] == __version__
    assert sidecar["completed_at"] > sidecar["submitted_at"][:10]
    assert server.api_key not in sidecar_path(task.video_path).read_text(encoding="utf-8")
    assert [path for path in task.video_path.parent.iterdir() if path.suffix == ".part"] == []


@pytest.mark.slow
def test_a_library_from_files_alone(manager: TaskManager, tmp_path: Path) -> None:
    """An import without the journal restores rows and judgement; a second import adds nothing."""
    task = manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)
    manager.library.judgements.rate(task.key, 4)
    manager.library.judgements.tag(task.key, ["best"])
    manager.library.judgements.note(task.key, "calm water")
    before = manager.library.get(task.key)
    assert before is not None
    folder = tmp_path / "moved"
    folder.mkdir()
    for file in manager.library.folder.iterdir():
        if file.suffix in (".mp4", ".json"):
            (folder / file.name).write_bytes(file.read_bytes())
    for _ in range(2):
        library = Library.import_(folder)
        (entry,) = library.entries()
        for name in ("key", "task_id", "service", "model", "request", "status", "file", "submitted_at"):
            assert getattr(entry, name) == getattr(before, name), name
        judgement = library.judgements.of(task.key)
        assert (judgement.rating, judgement.tags, judgement.note) == (4, ("best",), "calm water")


@pytest.mark.slow
def test_a_rating_outlives_the_file(manager: TaskManager) -> None:
    """The sidecar of a video that is saved for a second time has the existing judgement."""
    task = manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)
    assert task.video_path is not None
    manager.library.judgements.rate(task.key, 5)
    library = manager.library
    entry = library.get(task.key)
    assert entry is not None
    provenance.write_sidecar(entry, task.video_path, library.judgements.of(task.key))
    sidecar = read_sidecar(task.video_path)
    assert sidecar is not None
    assert (sidecar["rating"], sidecar["tags"], sidecar["note"]) == (5, [], "")


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    """A JSON file of another program with the video's name is not changed."""
    video, foreign = tmp_path / "clip.mp4", tmp_path / "clip.json"
    video.write_bytes(film(b"clip"))
    foreign.write_text('{"format": 2}', encoding="utf-8")
    library = Library.import_(tmp_path)
    library.judgements.rate(library.entries()[0].key, 3)
    assert foreign.read_text(encoding="utf-8") == '{"format": 2}'


@pytest.mark.slow
def test_a_renamed_video_keeps_its_row(manager: TaskManager) -> None:
    """A video that is renamed together with its sidecar stays the same task."""
    task = manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)
    assert task.video_path is not None
    folder = task.video_path.parent
    for file in (task.video_path, sidecar_path(task.video_path)):
        move(file, folder / f"best{file.suffix}", patience=20)  # its poster may be in progress
    (entry,) = Library.import_(folder).entries()
    assert (entry.key, entry.file) == (task.key, "best.mp4")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="looks at POSIX permissions")
def test_others_may_read_the_sidecar(manager: TaskManager) -> None:
    """A sidecar has the same permissions as its video."""
    task = manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)
    assert task.video_path is not None
    modes = [file.stat().st_mode & 0o777 for file in (task.video_path, sidecar_path(task.video_path))]
    assert modes[0] == modes[1]


def test_strange_files_do_no_harm(tmp_path: Path) -> None:
    """A video with a missing, broken, false or copied sidecar is imported under its own name."""
    for name in ("alone", "broken", "lies", "copy"):
        (tmp_path / f"{name}.mp4").write_bytes(film(b"koi"))
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    lies = {"format": 1, "key": "k", "task_id": 7, "request": [], "created_at": "noon", "file": "../../x.mp4",
            "rating": 99, "tags": "best", "submitted_at": "2026-11-01T10:00:00"}  # fmt: skip
    for name in ("lies", "copy"):
        (tmp_path / f"{name}.json").write_text(json.dumps(lies), encoding="utf-8")
    entries = {entry.file: entry for entry in Library.import_(tmp_path).entries()}
    assert set(entries) == {"alone.mp4", "broken.mp4", "lies.mp4", "copy.mp4"}
    assert len({entry.key for entry in entries.values()}) == 4
    assert entries["lies.mp4"].task_id == ""
    assert entries["lies.mp4"].request is None
    assert all(entry.status == "completed" for entry in entries.values())


@pytest.mark.parametrize(
    ("saved", "listed"), [("Koi.mp4", "koi.mp4"), ("caf\u00e9.mp4", "cafe\u0301.mp4")], ids=["case", "accent"]
)
def test_a_file_that_is_listed_under_another_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: str, listed: str
) -> None:
    """Windows and macOS treat both spellings as one file, so its existing row stays the only one."""
    folding(monkeypatch)
    (tmp_path / listed).write_bytes(film(b"koi"))
    library = Library(tmp_path)
    library.add(Entry("k" * 32, "s", status="completed", file=saved))
    for _ in range(2):
        assert importing.import_folder(library).added == ()
    (entry,) = library.entries()
    assert (entry.key, entry.file) == ("k" * 32, saved)


@pytest.mark.parametrize("seconds", [-86_400, 0, 15e9])
def test_a_file_with_an_unusual_date(tmp_path: Path, seconds: float) -> None:
    """A copied file may have any date, even before 1970, which Windows' functions reject."""
    video = tmp_path / "koi.mp4"
    video.write_bytes(film(b"koi"))
    os.utime(video, (seconds, seconds))
    if video.stat().st_mtime != seconds:
        pytest.skip("this file system cannot store such a date")
    (entry,) = Library.import_(tmp_path).entries()
    assert entry.submitted_at.timestamp() == seconds


def test_a_sidecar_with_implausible_dates(tmp_path: Path) -> None:
    """Year 1, which some programs write for "none", is replaced by the date of the file."""
    (tmp_path / "koi.mp4").write_bytes(film(b"koi"))
    content = {
        "format": 1,
        "submitted_at": "0001-01-01T00:00:00+00:00",
        "created_at": "9999-01-01T00:00:00+00:00",
    }
    (tmp_path / "koi.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    (entry,) = Library.import_(tmp_path).entries()
    assert entry.submitted_at.year > 2020
    assert entry.created_at is None


@pytest.mark.slow
def test_a_video_missing_in_its_row_is_restored(manager: TaskManager) -> None:
    """An import restores a file that the journal lost to its own row."""
    task = manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)
    assert task.video_path is not None
    manager.library.update(task.key, file=None)
    Library.import_(manager.library.folder)
    (entry,) = manager.library.entries()
    assert entry.file == task.video_path.name


def test_a_failed_write_keeps_the_old_sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails halfway leaves the old sidecar, and no other file."""
    video = tmp_path / "koi.mp4"
    amend_sidecar(video, rating=3)
    monkeypatch.setattr(os, "replace", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        amend_sidecar(video, rating=4)
    assert [path.name for path in tmp_path.iterdir()] == ["koi.json"]
    assert json.loads(sidecar_path(video).read_text(encoding="utf-8"))["rating"] == 3


@pytest.mark.slow
def test_a_sidecar_that_cannot_be_written_loses_no_video(
    manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The video is saved even if its sidecar cannot be written."""

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(provenance, "_write", full)
    task = manager.submit(prompt="koi", duration=3, enable_audio=False).wait(timeout=60)
    assert task.video_path is not None
    assert task.video_path.is_file()
    assert not sidecar_path(task.video_path).exists()
