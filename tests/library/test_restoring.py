"""Deleted videos that the user moves back by hand, and late writes about deleted tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.library.journal.tables import tasks
from qingbo_widgets.library.judgements import Judgement
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.trash import Trash
from tests.faults.film import film
from tests.library.test_deletion import Killed, add, entry, files


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Yield a library of three finished tasks."""
    with closing(Library(tmp_path / "videos")) as library:
        add(library, "a", "b", "c")
        yield library


def move_back(library: Library, *names: str) -> None:
    """Move videos out of the trash into the library by hand, as with a file manager."""
    for name in names:
        (path,) = (library.folder / "trash").glob(f"*/{name}")
        path.rename(library.folder / name)


def imported(library: Library) -> tuple[str, ...]:
    """Import the folder in another kernel; return the names of the added videos, without second ones."""
    with closing(Library.import_(library.folder)) as again:
        assert again.imported is not None
        return tuple(name for name in again.imported.added if "-2" not in name)


def test_a_video_that_the_user_has_moved_back_is_restored(library: Library) -> None:
    """The next import brings its task back, with everything that belongs to it; other tasks stay deleted."""
    judged = library.judgements
    judged.rate("a", 4)
    judged.tag("a", ["水"])
    for better, worse in (("a", "b"), ("b", "c"), ("c", "a")):
        judged.prefer(better, worse)
    before, there = library.get("a"), {name for name in files(library) if Path(name).name.startswith("a")}
    deleted = library.delete(["a", "b"])
    move_back(library, "a.mp4")
    assert imported(library) == ("a.mp4",)
    assert library.get("a") == before
    assert judged.of("a") == Judgement(4, ("水",))
    assert there <= files(library)
    assert library.get("b") is None
    (left,) = library.deletions
    assert (left.name, left.keys) == (deleted.name, ("b",))

    assert library.restore() == ("b",)
    assert sorted(judged.preferences()) == [("a", "b"), ("b", "c"), ("c", "a")]
    assert not (library.folder / "trash").exists()


def test_all_videos_moved_back_leave_no_trash(library: Library) -> None:
    """With the last of its videos a deletion is undone, and the trash is gone."""
    before, there = library.entries(), files(library)
    library.delete(["a", "b"])
    move_back(library, "a.mp4", "b.mp4")
    imported(library)
    assert library.deletions == ()
    assert not (library.folder / "trash").exists()
    assert files(library) == there
    assert [library.get(each.key) for each in before] == before


def test_a_video_that_was_moved_back_stays(library: Library) -> None:
    """Neither another deletion nor an emptied trash takes it away again, imported or not."""
    (library.folder / "a.mp4").write_bytes(film(b"koi"))
    library.delete("a")
    move_back(library, "a.mp4")
    library.delete("b")
    assert "a.mp4" in files(library), "the user's video was moved to the trash again"
    library.empty_trash()
    assert "a.mp4" in files(library)
    assert imported(library) == ("a.mp4",)


def test_a_video_that_was_copied_back_is_restored(library: Library) -> None:
    """A user who copies instead of moving has the task back too, and no second copy in the trash."""
    before = library.get("a")
    deleted = library.delete("a")
    video = (library.folder / "trash" / deleted.name / "a.mp4").read_bytes()
    (library.folder / "a.mp4").write_bytes(video)
    assert imported(library) == ("a.mp4",)
    assert library.get("a") == before
    assert not (library.folder / "trash").exists()


@pytest.mark.parametrize("is_in_trash", [True, False])
def test_another_video_of_that_name_is_not_the_deleted_one(library: Library, is_in_trash: bool) -> None:
    """A camera uses its names again: such a video gets no row, prompt or rating of the deleted one."""
    (library.folder / "a.mp4").write_bytes(film(b"one"))
    deleted = library.delete("a")
    (library.folder / "a.mp4").write_bytes(film(b"two" if is_in_trash else b"longer"))
    if not is_in_trash:
        (library.folder / "trash" / deleted.name / "a.mp4").unlink()
    assert imported(library) == ("a.mp4",)
    assert library.get("a") is None
    (row,) = [row for row in library.entries() if row.file == "a.mp4"]
    assert row.prompt == ""
    assert [each.keys for each in library.deletions] == [("a",)]


def test_a_video_moved_back_whose_row_is_lost(library: Library) -> None:
    """Without the list, the sidecar that was moved with the video has the prompt."""
    library.delete("a")
    move_back(library, "a.mp4", "a.json")
    (path,) = (library.folder / "trash").glob("*/deleted.json")
    path.unlink()
    assert imported(library) == ("a.mp4",)
    row = library.get("a")
    assert row is not None
    assert (row.file, row.prompt) == ("a.mp4", "koi a")


def test_a_kernel_that_dies_after_the_moves(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list still names files as not moved; the next deletion settles that, and they may go back."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Trash, "amend", die)
        with pytest.raises(Killed):
            library.delete("a")
    library.delete("b")
    move_back(library, "a.mp4")
    assert imported(library) == ("a.mp4",)
    assert library.get("a") is not None


def test_a_kernel_that_dies_while_it_restores_what_was_moved_back(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next import, or an undo, does the rest."""
    there, before = files(library), library.get("a")
    library.delete("a")
    move_back(library, "a.mp4")

    def die(*_: object) -> None:
        raise Killed

    for step in ("give_back", "discard"):
        with monkeypatch.context() as patch:
            patch.setattr(Trash, step, die)
            with pytest.raises(Killed):
                Library.import_(library.folder)
        assert "a.mp4" in files(library)
    library.restore()
    assert library.get("a") == before
    assert files(library) == there


def test_lists_in_the_trash_are_read_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first write of a task reads no list that it knows: there may be hundreds, of thousands of tasks."""
    first, row = library.get("a"), library.get("b")
    assert first is not None
    assert row is not None
    for key in "ab":
        library.delete(key)
    read, names = Trash.read, []

    def counted(trash: Trash, name: str) -> Any:
        names.append(name)
        return read(trash, name)

    monkeypatch.setattr(Trash, "read", counted)
    for number in range(5):
        library.put(entry(f"new {number}"))
    library.put(first)
    assert len(names) == 2
    assert library.get("a") is None, "the deleted task came back"
    with closing(Library(library.folder)) as other:
        other.restore()
        assert other.delete("c").keys == ("c",)
    with library.journal.begin() as connection:
        connection.execute(tasks.delete().where(tasks.c.key == "b"))
    library.put(row)
    library.put(entry("c"))
    assert library.get("b") == row, "a task that is in the trash no more was not written"
    assert library.get("c") is None, "a task that another kernel has deleted came back"
