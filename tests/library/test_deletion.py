"""Deletion of tasks, with an undo that survives the kernel."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library import deletion
from qingbo_widgets.library.deletion_moves import finish_moves
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgement
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.other_videos import OtherVideos, is_noted, key_of, write
from qingbo_widgets.library.sidecar import sidecar_path, write_sidecar
from qingbo_widgets.library.sweeps import CellRow, Sweeps
from qingbo_widgets.library.trash import Trash
from qingbo_widgets.media.posters import poster_path
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.system.folder import Folder
from qingbo_widgets.system.sound_copies import MARK
from qingbo_widgets.tasks.connection import connect
from tests.faults.film import film
from tests.waiting import until

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SERVICE = "https://qingbo.dev/v1"


class Killed(BaseException):
    """The kernel dies."""


def entry(key: str, **columns: Any) -> Entry:
    """Return a finished task."""
    fields: dict[str, Any] = {
        "task_id": f"task-{key}", "model": "kling-v3", "request": {"prompt": f"koi {key}"},
        "status": "completed", "progress": 100, "submitted_at": NOON, "created_at": NOON,
        "completed_at": NOON + timedelta(seconds=90), "file": f"{key}.mp4", "cost": 7, "contract": "2026-11",
    }  # fmt: skip
    return Entry(key, SERVICE, **{**fields, **columns})


def add(library: Library, *keys: str) -> None:
    """Add finished tasks, each with a second video, and everything that belongs to a video."""
    for key in keys:
        task = entry(key)
        library.add(task)
        (library.folder / "posters").mkdir(exist_ok=True)
        for name, described in ((f"{key}.mp4", task), (f"{key}-2.mp4", replace(task, key=key_of(key, 1)))):
            video = library.folder / name
            video.write_bytes(b"\0\0\0\x18ftypmp42" + name.encode())
            write_sidecar(described, video, Judgement())
            poster_path(video).write_bytes(b"poster")


def files(library: Library) -> set[str]:
    """Return the names of the files in the folder and its posters, without the journal and the trash."""
    found = (path for path in library.folder.rglob("*") if path.is_file() or path.is_symlink())
    names = {path.relative_to(library.folder).as_posix() for path in found}
    return {name for name in names if "library" not in name and not name.startswith("trash")}


def not_of_a(library: Library) -> bool:
    """Return whether no task has a video of the task ``a``."""
    return not any(str(left.file).startswith("a") for left in library.entries())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def open_library(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Library]:
    """Return a function that opens the library like another kernel, with separate connections."""
    folder = tmp_path / "videos"
    if request.param == "sqlite":
        return lambda: Library(folder)
    url = request.getfixturevalue("postgresql_url")()
    return lambda: Library(folder, database=url)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Yield a library of three finished tasks."""
    with closing(Library(tmp_path / "videos")) as library:
        add(library, "a", "b", "c")
        yield library


def test_deleted_tasks_come_back_as_they_were(open_library: Callable[[], Library]) -> None:
    """Rows, judgements, preferences and all files go to the trash; another kernel brings them back."""
    with closing(open_library()) as library, closing(open_library()) as other:
        add(library, "a", "b", "c")
        judged = library.judgements
        judged.rate("a", 4)
        judged.tag("a", ["水", "slow"])
        judged.note("b", "too dark")
        for better, worse in (("a", "b"), ("c", "a"), ("c", "b")):
            judged.prefer(better, worse)
        before, there = library.entries(), files(library)
        ratings, preferences = judged.of_all("abc"), sorted(judged.preferences())

        deleted = library.delete(["a", "b", "no such task"])
        assert deleted.keys == ("a", "b")
        assert [left.key for left in other.entries()] == ["c"]
        assert files(library) == {name for name in there if Path(name).name.startswith("c")}
        assert other.judgements.of_all("abc") == dict.fromkeys("abc", Judgement())
        assert other.judgements.preferences() == []
        assert deleted.size > 0
        assert [each.keys for each in other.deletions] == [("a", "b")]

        assert other.restore() == ("a", "b")
        assert library.entries() == before
        assert files(library) == there
        assert library.judgements.of_all("abc") == ratings
        assert sorted(library.judgements.preferences()) == preferences
        assert library.deletions == ()
        assert not (library.folder / "trash").exists(), "an empty trash would puzzle the user"


@pytest.mark.parametrize("status", ["submitting", "queued", "processing", "a status of tomorrow"])
def test_a_running_task_is_not_deleted(library: Library, status: str) -> None:
    """The service goes on with it, so its row stays; the error says that it may be charged."""
    library.add(entry("d", status=status, file=None, request={"prompt": "a boat\nat dusk"}))
    with pytest.raises(
        QingboError,
        match=r"a boat at dusk” has not ended.* may still be charged\. Wait for its end, or cancel it",
    ):
        library.delete(["a", "d"])
    assert {left.key for left in library.entries()} == set("abcd")
    assert "a.mp4" in files(library)
    assert library.deletions == ()


def test_a_followed_task_is_not_deleted(open_library: Callable[[], Library]) -> None:
    """A task whose video another kernel is saving stays; once the hold has expired, it may go."""
    with closing(open_library()) as library:
        add(library, "a")
        assert library.hold("a", "another kernel", 60)
        with pytest.raises(QingboError, match="a kernel still follows “koi a”"):
            library.delete(["a"])
        library.renew("another kernel", -1)
        assert library.delete(["a"]).keys == ("a",)
        assert library.entries() == []


def test_tasks_without_a_video_are_deleted_too(library: Library) -> None:
    """Failed, cancelled and unconfirmed tasks have only a row; the last may have been charged."""
    statuses = ("failed", "cancelled", "unconfirmed")
    error = {"type": "TaskFailed", "message": "no luck"}
    for status in statuses:
        library.add(entry(status, status=status, file=None, error=error))
    before = library.entries()
    deleted = library.delete(statuses)
    assert deleted.unconfirmed == 1
    assert {left.key for left in library.entries()} == set("abc")
    library.restore(deleted)
    assert library.entries() == before


def test_the_copy_with_mp3_sound_goes_with_its_task(library: Library) -> None:
    """It is deleted and restored with the video; a video of the user's with such a name stays."""
    for name, mark in (("a-mp3.mp4", MARK.encode()), ("b-mp3.mp4", b"a film")):
        comment = (8 + len(mark)).to_bytes(4, "big") + b"udta" + mark
        (library.folder / name).write_bytes((8 + len(comment)).to_bytes(4, "big") + b"moov" + comment)
    before = files(library)
    library.delete(["a", "b"])
    assert {name for name in files(library) if "mp3" in name} == {"b-mp3.mp4"}
    library.restore()
    assert files(library) == before


def test_deletions_are_undone_in_any_order(library: Library) -> None:
    """The latest is the first to come back, unless another one is chosen."""
    first, second, third = (library.delete([key]) for key in "abc")
    assert library.deletions == (third, second, first)
    assert library.restore(first) == ("a",)
    assert library.restore() == ("c",)
    assert library.restore() == ("b",)
    with pytest.raises(QingboError, match="nothing to restore"):
        library.restore()
    with pytest.raises(QingboError, match="nothing to restore"):
        library.restore(first)


def test_emptying_the_trash_frees_the_disk(library: Library) -> None:
    """Nothing leaves the disk before; then the files are gone, and the number of bytes is returned."""
    deleted = library.delete("a")
    trash = library.folder / "trash"
    size = sum(path.stat().st_size for path in trash.rglob("*") if path.is_file())
    assert deleted.size == size
    assert library.empty_trash() == size
    assert not trash.exists()
    assert library.deletions == ()
    assert {left.key for left in library.entries()} == {"b", "c"}


def test_a_kernel_that_dies_before_the_deletion(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is deleted, and neither undo nor an emptied trash loses anything."""
    there, before = files(library), library.entries()

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "_remove", die)
        patch.setattr(Trash, "discard", die)
        with pytest.raises(Killed):
            library.delete("a")
    assert (library.folder / "trash").exists()
    assert library.entries() == before
    finish_moves(library)
    assert files(library) == there
    assert library.restore() == ("a",)
    assert library.entries() == before
    assert files(library) == there


def test_a_kernel_that_dies_amid_the_deletion(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are gone and files not yet moved: an import moves them, instead of bringing the task back."""
    before, there = library.entries(), files(library)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Trash, "take", die)
        with pytest.raises(Killed):
            library.delete("a")
    assert files(library) == there
    with closing(Library.import_(library.folder)) as imported:
        assert not_of_a(imported), "the deleted task came back"
        assert not any(Path(name).name.startswith("a") for name in files(imported))
        imported.restore()
        assert [left for left in imported.entries() if left.key in "abc"] == before
        assert files(imported) == there


def test_a_video_that_is_open_elsewhere(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a player may have the video open: no import brings it back, a later one moves it."""
    move = Folder.move

    def refuse(folder: Any, name: str, target: str) -> None:
        if name == "a.mp4":
            raise PermissionError(13, "Permission denied", name)
        move(folder, name, target)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "move", refuse)
        library.delete("a")
        assert "a.mp4" in files(library)
        Library.import_(library.folder).close()
        assert not_of_a(library), "the deleted task came back"
        library.empty_trash()
        assert library.deletions, "a list that is needed to move the rest was removed"
    Library.import_(library.folder).close()
    assert "a.mp4" not in files(library)
    library.empty_trash()
    assert library.deletions == ()


def test_a_late_word_of_a_kernel_that_slept(library: Library) -> None:
    """A kernel whose hold expired writes its state of a deleted task: the row stays away until the undo."""
    row = library.get("a")
    assert row is not None
    library.delete("a")
    library.put(row, holder="a kernel that slept", seconds=60)
    assert library.get("a") is None, "the deleted task came back"
    library.restore()
    library.put(row)
    assert library.get("a") == row


def test_other_videos_are_not_saved_later(library: Library) -> None:
    """The note of other videos that are still to be saved goes too, and comes back with the task."""
    planned = library.video_path("koi a", "a")
    write(planned, OtherVideos("a", 3))
    assert [each.key for each in library.lacking_others(service=SERVICE)] == ["a"]
    library.delete("a")
    assert library.lacking_others(service=SERVICE) == []
    assert not is_noted(planned)
    library.restore()
    assert is_noted(planned)


def test_a_cell_of_a_sweep_is_not_submitted_again(library: Library) -> None:
    """A sweep without the task of a cell would pay for it once more; the undo gives the cell its task."""
    sweeps = Sweeps(library.journal, SERVICE)
    cells = tuple(CellRow({}, {"prompt": "koi"}) for _ in range(2))
    sweeps.add("koi", axes={}, skipped=(), max_running=2, cells=cells)
    task = entry("in-sweep")
    assert sweeps.claim("koi", 0, task, before=None, holder="x", seconds=60) == "in-sweep"
    library.release("x")
    library.delete("in-sweep")

    def dropped() -> list[bool]:
        row = sweeps.get("koi")
        assert row is not None
        return [cell.is_dropped for cell in row.cells]

    assert dropped() == [True, False]
    library.restore()
    assert dropped() == [False, False]


def test_nothing_outside_the_folder_is_touched(library: Library, tmp_path: Path) -> None:
    """Names in the journal may be any text, and files may be links: only names in the folder move."""
    outside = tmp_path / "precious.mp4"
    outside.write_bytes(b"precious")
    (tmp_path / "precious.json").write_text("{}")
    (library.folder / "link.mp4").symlink_to(outside)
    for key, file in (("up", "../precious.mp4"), ("absolute", str(outside)), ("link", "link.mp4")):
        library.add(entry(key, file=file))
    library.delete(["up", "absolute", "link"])
    library.empty_trash()
    assert outside.read_bytes() == b"precious"
    assert (tmp_path / "precious.json").exists()


def test_a_trash_that_leads_out_is_refused(library: Library, tmp_path: Path) -> None:
    """An unpacked folder may have a link named trash: nothing is deleted, nothing there is removed."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "20260101-000000").mkdir(parents=True)
    (elsewhere / "20260101-000000" / "photo.jpg").write_bytes(b"precious")
    (library.folder / "trash").symlink_to(elsewhere)
    there = files(library)
    with pytest.raises(QingboError, match="Nothing was deleted: the trash"):
        library.delete("a")
    assert library.get("a") is not None
    assert files(library) == there
    assert library.empty_trash() == 0
    assert (elsewhere / "20260101-000000" / "photo.jpg").read_bytes() == b"precious"


@pytest.mark.parametrize(
    "change",
    [
        {"files": ["../precious.mp4", "/etc/passwd", "library.sqlite/../../precious.mp4", 7, "deleted.json"]},
        {"tasks": "all"},
        {"tasks": None, "files": None, "cells": 7},
        {"tasks": [7, {}, {"key": 7}, {"key": "x", "submitted_at": "now", "request": "koi", "cost": "much"}]},
        {"tags": [{"key": "a"}, 3], "judgements": [{"key": "a", "rating": 3}], "preferences": [{}]},
        {"cells": [{"sweep": 1}, 3]},
        {"cells": [{"sweep": {}, "service": [], "number": {}}]},
        {"tasks": [{"key": "x"}, {"key": "x"}]},
        {
            "tasks": [
                {"key": "a", "prompt": [], "model": {}, "status": 7, "request": {"prompt": {}, "shots": 7}}
            ]
        },
        {"tasks": [{"key": "a"}], "judgements": [{"key": "a", "rating": {}}, {"key": "a", "rating": "x"}]},
        {
            "tasks": [{"key": "a"}],
            "preferences": [{"better": [], "worse": "a"}],
            "tags": [{"key": "a", "tag": {}}],
        },
    ],
)
def test_a_list_of_another_program(library: Library, tmp_path: Path, change: dict[str, Any]) -> None:
    """A list in the trash may have any content: nothing outside moves, and a library still opens."""
    (tmp_path / "precious.mp4").write_bytes(b"precious")
    library.delete("a")
    (path,) = (library.folder / "trash").glob("*/deleted.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert len(library.deletions) + len(library.unreadable_deletions) == 1
    with suppress(QingboError):  # refused as a whole
        library.restore()
    Library.import_(library.folder).close()
    library.empty_trash()
    assert (tmp_path / "precious.mp4").read_bytes() == b"precious"
    assert library.judgements.of("b") == Judgement()


@pytest.mark.parametrize("content", ["no JSON", "{}", '{"format": 2, "tasks": [{"key": "a"}]}', None])
def test_an_unreadable_deletion_stays(library: Library, content: str | None) -> None:
    """An emptied trash erases only what ``deletions`` lists; the rest is named, with its videos."""
    (library.folder / "a.mp4").write_bytes(film(b"koi"))
    damaged = library.folder / "trash" / library.delete("a").name
    if content is None:
        (damaged / "deleted.json").unlink()
    else:
        (damaged / "deleted.json").write_text(content)
    library.delete("b")
    assert library.unreadable_deletions == (damaged,)
    assert [deletion.keys for deletion in library.deletions] == [("b",)]
    library.empty_trash()
    assert (damaged / "a.mp4").exists(), "a video was erased that nothing had counted"
    assert library.deletions == ()
    assert library.unreadable_deletions == (damaged,)
    with pytest.raises(QingboError, match="nothing to restore"):
        library.restore()
    (damaged / "a.mp4").rename(library.folder / "a.mp4")
    with closing(Library.import_(library.folder)) as imported:
        assert "a.mp4" in [entry.file for entry in imported.entries()]


def test_only_the_chosen_deletions_are_erased(library: Library) -> None:
    """A deletion that another kernel has made meanwhile keeps its undo."""
    first, second = library.delete("a"), library.delete("b")
    library.empty_trash([first])
    assert library.deletions == (second,)


def test_a_damaged_list_names_the_videos(library: Library) -> None:
    """The error says where the videos are."""
    deleted = library.delete("a")
    (path,) = (library.folder / "trash").glob("*/deleted.json")
    path.write_text("no JSON")
    with pytest.raises(QingboError, match=f"trash.{deleted.name} cannot be read.*import_"):
        library.restore(deleted)
    assert (path.parent / "a.mp4").exists()


def test_a_shared_video_stays(library: Library) -> None:
    """A file that another task has too is not moved."""
    library.add(entry("copy", file="a.mp4"))
    library.delete("copy")
    assert "a.mp4" in files(library)
    library.restore()
    library.delete(["a", "copy"])
    assert "a.mp4" not in files(library)


def test_a_name_that_is_occupied(library: Library) -> None:
    """Another file has the name of a deleted video: the undo is refused, and both files stay."""
    before = library.get("a")
    video = (library.folder / "a.mp4").read_bytes()
    deleted = library.delete("a")
    (library.folder / "a.mp4").write_bytes(b"another film")
    with pytest.raises(QingboError, match=r"Nothing was restored: a\.mp4 .*another file has its name"):
        library.restore()
    assert (library.folder / "a.mp4").read_bytes() == b"another film"
    assert library.get("a") is None
    assert [each.keys for each in library.deletions] == [("a",)], "the video has lost its undo"
    assert (library.folder / "trash" / deleted.name / "a-2.mp4").exists(), "half of it was restored"
    (library.folder / "a.mp4").rename(library.folder / "mine.mp4")
    assert library.restore() == ("a",)
    assert (library.folder / "a.mp4").read_bytes() == video
    assert library.get("a") == before


def test_a_video_that_the_user_has_copied_back(library: Library) -> None:
    """The file in the library has the same content, so the undo needs no second one."""
    video = (library.folder / "a.mp4").read_bytes()
    deleted = library.delete("a")
    (library.folder / "a.mp4").write_bytes(video)
    (library.folder / "posters" / "a.jpg").write_bytes(b"drawn meanwhile")
    assert library.restore(deleted) == ("a",)
    assert (library.folder / "a.mp4").read_bytes() == video
    assert not (library.folder / "trash").exists()


def test_a_video_that_cannot_be_moved_back(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a player may have it open: everything stays in the trash, and a later undo works."""
    there, move = files(library), Folder.move
    library.delete("a")

    def refuse(folder: Any, name: str, target: str) -> None:
        if target == "a.mp4":
            raise PermissionError(13, "Permission denied", name)
        move(folder, name, target)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "move", refuse)
        with pytest.raises(QingboError, match=r"Nothing was restored: a\.mp4 .*Permission denied"):
            library.restore()
        assert not any(Path(name).name.startswith("a") for name in files(library))
    assert library.restore() == ("a",)
    assert files(library) == there


def test_numbered_names_of_other_tasks_stay(library: Library) -> None:
    """clip-2.mp4 looks like the second video of clip.mp4, but is a video of its own, known or not."""
    for name in ("clip.mp4", "clip-2.mp4"):
        (library.folder / name).write_bytes(b"\0\0\0\x18ftypmp42" + name.encode())
        library.add(entry(name, file=name))
    (library.folder / "clip-3.mp4").write_bytes(b"of another program")
    library.delete("clip.mp4")
    left = files(library)
    assert "clip.mp4" not in left
    assert "clip-2.mp4" in left, "the video of another task was deleted"
    assert "clip-3.mp4" in left, "a video that the library does not know was deleted"


def test_other_videos_without_sidecars_go_too(library: Library) -> None:
    """A sidecar may be missing; the name that the library has chosen tells to which task a video belongs."""
    planned = library.video_path("koi d", "d")
    library.add(entry("d", file=planned.name))
    second = planned.with_name(f"{planned.stem}-2.mp4")
    for video in (planned, second):
        video.write_bytes(b"\0\0\0\x18ftypmp42")
    library.delete("d")
    assert not second.exists()
    library.restore()
    assert second.exists()


def test_an_imported_second_video_stays(library: Library) -> None:
    """An import gives other videos rows of their own; a deletion of the first leaves them."""
    Library.import_(library.folder).close()
    library.delete("a")
    assert "a-2.mp4" in files(library), "the video of another task was deleted"


@pytest.mark.parametrize("tasks", [[], [{"key": "made up", "file": "b.mp4", "status": "completed"}]])
def test_a_list_that_names_files_of_others(library: Library, tasks: list[dict[str, Any]]) -> None:
    """A folder may come with a list that names any file in it: videos of tasks and the journal stay."""
    there = files(library)
    names = [*there, "library.sqlite", "library.sqlite-wal", "library.sqlite-journal", "notes.txt"]
    (library.folder / "notes.txt").write_text("mine")
    place = library.folder / "trash" / "20260101-000000-000000"
    place.mkdir(parents=True)
    (place / "deleted.json").write_text(json.dumps({"format": 1, "tasks": tasks, "files": names}))
    finish_moves(library)
    library.delete("c")
    library.empty_trash()
    kept = {name for name in there if not Path(name).name.startswith("c")}
    assert kept <= files(library), "videos were erased that nobody has deleted"
    assert (library.folder / "library.sqlite").exists()
    assert (library.folder / "notes.txt").exists()


def test_files_in_the_trash_of_another_kind(library: Library) -> None:
    """An undo brings videos back, and nothing that the database or Python would act on."""
    deleted = library.delete("a")
    for name in ("library.sqlite-journal", "library.sqlite-wal", "sitecustomize.py"):
        (library.folder / "trash" / deleted.name / name).write_bytes(b"planted")
    library.restore()
    assert not (library.folder / "library.sqlite-journal").exists()
    assert not (library.folder / "sitecustomize.py").exists()
    assert {left.key for left in library.entries()} == set("abc")


def test_links_in_the_trash(library: Library) -> None:
    """A link to another folder of the library is no deletion, so an emptied trash leaves its files."""
    (library.folder / "masks").mkdir()
    (library.folder / "masks" / "mine.png").write_bytes(b"painted")
    (library.folder / "trash").mkdir()
    (library.folder / "trash" / "20260101-000000-000000").symlink_to("../masks")
    (library.folder / "trash" / ".DS_Store").write_bytes(b"of macOS")
    library.delete("a")
    library.empty_trash()
    assert (library.folder / "masks" / "mine.png").exists()
    assert library.deletions == ()


def test_the_trash_is_emptied_during_a_deletion(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another kernel empties the trash once the list is written: it stays until the deletion is over."""
    add_list = Trash.add

    def add_and_empty(trash: Trash, content: Any) -> str:
        name = add_list(trash, content)
        with closing(Library(library.folder)) as other, suppress(QingboError):
            other.empty_trash()
        return name

    monkeypatch.setattr(Trash, "add", add_and_empty)
    monkeypatch.setattr("qingbo_widgets.library.journal.engine.PATIENCE", 0.2)
    library.delete("a")
    assert library.restore() == ("a",), "the deletion has lost its undo"


def test_an_interrupt_after_the_transaction(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are gone when the interrupt comes: the list stays, because only it can bring them back."""
    before, begin = library.entries(), library.journal.begin

    @contextmanager
    def interrupted() -> Iterator[Any]:
        with begin() as connection:
            yield connection
        if library.journal.begin is interrupted:
            monkeypatch.setattr(library.journal, "begin", begin)
            raise KeyboardInterrupt

    monkeypatch.setattr(library.journal, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        library.delete("a")
    assert library.get("a") is None
    assert library.restore() == ("a",)
    assert library.entries() == before


def test_someone_elses_json_stays(library: Library) -> None:
    """A file beside the video that is not its sidecar is not moved."""
    path = sidecar_path(library.folder / "a.mp4")
    path.write_text('{"mine": true}')
    library.delete("a")
    assert path.read_text() == '{"mine": true}'


@pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", int)() == 0, reason="root may write into any folder"
)
def test_a_read_only_folder_says_so(library: Library) -> None:
    """The error has the reason, and nothing is deleted."""
    library.folder.chmod(0o500)
    try:
        with pytest.raises(QingboError, match="Nothing can be saved"):
            library.delete("a")
    finally:
        library.folder.chmod(0o700)
    assert library.get("a") is not None


def test_nothing_to_delete(library: Library) -> None:
    """Keys that the library does not have are an error if it has none of them."""
    with pytest.raises(QingboError, match="none of these tasks"):
        library.delete(["no such task"])
    assert library.deletions == ()


@pytest.mark.slow
def test_a_deleted_task_stays_away_from_the_next_kernel(workdir: Path, sandbox: Sandbox) -> None:
    """Neither ``connect`` nor ``recover`` nor an import of the sidecars brings a deleted task back."""
    with connect(sandbox=sandbox) as manager:
        manager.poll_interval = 0.1
        task = manager.submit(prompt="koi", duration=3).wait(60)
        assert task.video_path is not None
        library, video = manager.library, task.video_path
        until(lambda: library.current_hold(task.key) is None)
        library.delete([task.key])
        assert not video.exists()
        assert manager.recover() == []
        assert library.get(task.key) is None
    with connect(sandbox=sandbox) as manager:
        assert manager.tasks == ()
        assert manager.recover() == []
        assert Library.import_(manager.library.folder).imported.added == ()
        assert manager.library.entries() == []
        manager.library.restore()
        assert [entry.key for entry in manager.library.entries()] == [task.key]
        assert video.exists()
