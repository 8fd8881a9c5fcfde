"""Tests of the parts beside a video: their locks, and their removal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qingbo_widgets.service.download import leftovers
from qingbo_widgets.system.locks import lock

HOLD = """
import sys
from pathlib import Path
from qingbo_widgets.service.download import leftovers
from qingbo_widgets.system.locks import lock
part, file = leftovers.create(Path(sys.argv[1]))
file.write(b"half")
print(part, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return the path of a video that does not exist yet; its name has special characters of patterns."""
    return tmp_path / "a [boat]+.mp4"


def test_a_part_belongs_to_one_process(film: Path) -> None:
    """A part is not taken over or removed while its process lives, and is free once that is killed."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, film], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        part = Path(holder.stdout.readline().strip())
        assert leftovers.parts_of(film) == [part]
        assert leftovers.take_over(part) is None
        leftovers.tidy(part, "any")
        assert part.exists()
        holder.kill()
        holder.wait()
    file = leftovers.take_over(part)
    assert file is not None
    with file:
        assert file.read() == b"half"
        assert leftovers.take_over(part) is None, (
            "another thread of this process must not take it over either"
        )
    leftovers.tidy(part, "any")
    assert not part.exists()


def test_only_the_film_s_own_parts_are_found(film: Path) -> None:
    """Parts of any download and package version are found; parts of other videos, and folders, not."""
    for name in (f"{film.name}.1a2b3c4d.part", f"{film.name}.part"):
        (film.parent / name).touch()
    for name in ("a boat.mp4.1a2b3c4d.part", f"{film.name}.1a2b3c4d.part.part", f"{film.name}.mine.part"):
        (film.parent / name).touch()
    (film.parent / f"{film.name}.00000000.part").mkdir()
    assert {part.name for part in leftovers.parts_of(film)} == {
        f"{film.name}.1a2b3c4d.part",
        f"{film.name}.part",
    }


def test_a_whole_film_that_is_another_one_is_not_removed(film: Path) -> None:
    """A complete part of a different video is kept, because that video is paid for, too."""
    part, file = leftovers.create(film)
    file.close()
    leftovers.write_note(part, link="a", whole=1, digest="of another film")
    leftovers.tidy_up(film, "of this film")
    assert part.exists()
    leftovers.tidy_up(film, "of another film")
    assert list(film.parent.iterdir()) == []


def test_a_note_without_its_part_is_removed(film: Path) -> None:
    """The note of a part that another program has removed is removed."""
    part, file = leftovers.create(film)
    file.close()
    leftovers.write_note(part, link="a")
    part.unlink()
    leftovers.tidy_up(film, "any")
    assert list(film.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff", b"[" * 100_000], ids=len)
def test_an_unreadable_note(film: Path, content: bytes) -> None:
    """A note that is truncated, or another program's, is read as empty."""
    part, file = leftovers.create(film)
    file.close()
    part.with_suffix(".etag").write_bytes(content)
    assert leftovers.read_note(part) == {}


def test_a_note_is_written_over_in_its_place(film: Path) -> None:
    """A second entry has the size of the first one, so a full disk has room for it."""
    part, file = leftovers.create(film)
    file.close()
    leftovers.write_note(part, link="a")
    note = part.with_suffix(".etag")
    first = note.stat()
    leftovers.write_note(part, link="a", whole=10**12, digest="d" * 128)
    assert (note.stat().st_size, note.stat().st_ino) == (first.st_size, first.st_ino)
    assert leftovers.read_note(part)["whole"] == 10**12


@pytest.mark.usefixtures("rules_of_posix")
@pytest.mark.skipif(os.name == "nt", reason="Windows renames no open file")
def test_a_film_is_no_part_any_more(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that its download renames between our opening and our lock is not taken over."""
    part, file = leftovers.create(film)
    file.close()

    def late(descriptor: int) -> bool | None:
        part.replace(film)
        return lock(descriptor)

    monkeypatch.setattr(leftovers, "lock", late)
    assert leftovers.take_over(part) is None
