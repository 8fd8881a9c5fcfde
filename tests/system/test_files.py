"""Operations on files that another program has open; the fixture ``rules_of_windows`` refuses them."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from qingbo_widgets.system import files
from tests.windows_rules import HELD, Held, needs_the_rules


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return an existing file."""
    path = tmp_path / "koi.json"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Return the file that replaces the old one."""
    path = tmp_path / "new.part"
    path.write_bytes(b"new")
    return path


@needs_the_rules
def test_the_rules_are_enforced(target: Path, part: Path) -> None:
    """The fixture enforces the rules; without it, the tests below would pass anyway."""
    with target.open("rb"):
        for act in (target.unlink, lambda: part.replace(target), lambda: target.rename(part)):
            with pytest.raises(PermissionError):
                act()
    with pytest.raises(OSError, match="no name" if os.name != "nt" else ""):
        (target.parent / "a?.mp4").write_bytes(b"")


@pytest.mark.parametrize("act", ["replace", "remove"])
def test_an_open_file_is_retried(target: Path, part: Path, act: str) -> None:
    """An operation on a file that is open for a moment succeeds once the reader closes it."""
    reader = target.open("rb")
    threading.Timer(0.1, reader.close).start()
    if act == "replace":
        files.replace(part, target)
        assert target.read_bytes() == b"new"
        assert not part.exists()
    else:
        files.remove(target)
        assert not target.exists()


@needs_the_rules
def test_a_file_that_stays_open_is_not_retried_forever(target: Path, part: Path) -> None:
    """If the file stays open, the system's error is raised and both files are unchanged."""
    with target.open("rb"), pytest.raises(PermissionError):
        files.replace(part, target, patience=0.05)
    assert (target.read_bytes(), part.read_bytes()) == (b"old", b"new")


@pytest.mark.parametrize("number", [5, 32, 33])
def test_every_windows_error_code_is_retried(number: int) -> None:
    """Access denied, sharing violation and lock violation are retried."""
    error = Held("koi.json")
    error.winerror = number
    assert files.retry_while_open(_failing(3, error), patience=10) == "done"


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "no"), PermissionError(errno.EACCES, "no")]
)
def test_other_errors_are_not_retried(error: OSError) -> None:
    """A permanent error is raised at once; so is a missing permission for the folder on Unix."""
    call = _failing(1, error)
    with pytest.raises(type(error)):
        files.retry_while_open(call)
    assert call() == "done"


def test_the_time_limit_is_kept() -> None:
    """Nothing is retried after the time limit."""
    attempts: list[int] = []

    def call() -> None:
        attempts.append(1)
        raise Held("koi.json")

    with pytest.raises(PermissionError):
        files.retry_while_open(call, patience=0.0)
    assert attempts == [1]


def test_removing_a_missing_file(tmp_path: Path) -> None:
    """Removing a missing file is not an error."""
    files.remove(tmp_path / "nothing")


def _windows_error(number: int, text: str) -> OSError:
    error = Held("x")
    error.winerror, error.strerror = number, text
    return error


@pytest.mark.parametrize(
    ("error", "length", "told"),
    [
        (OSError(errno.ENOSPC, "No space left"), 20, "the disk is full"),
        (_windows_error(HELD, "used"), 20, "another program has it open"),
        (_windows_error(5, "Access is denied"), 20, "Access is denied"),
        (_windows_error(206, "too long"), 300, "its path has 300 characters, and Windows allows 259"),
        (_windows_error(3, "not found"), 300, "its path has 300 characters, and Windows allows 259"),
        (_windows_error(3, "not found"), 20, "not found"),
        (ValueError("embedded null byte"), 20, "embedded null byte"),
    ],
)
def test_the_reason_of_an_error(error: OSError | ValueError, length: int, told: str) -> None:
    """The reason is more helpful than the system's own message where that does not suffice."""
    assert files.reason_of(error, Path("k" * length)).startswith(told)


def _failing(times: int, error: OSError) -> Callable[[], str]:
    remaining = [error] * times

    def call() -> str:
        if remaining:
            raise remaining.pop()
        return "done"

    return call


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        *(
            (OSError(getattr(errno, name), "no"), True)
            for name in ["EACCES", "EBUSY", "EROFS", "ESTALE", "EDQUOT"]
        ),
        *((OSError(getattr(errno, name), "no"), False) for name in ["EINVAL", "EISDIR", "ENAMETOOLONG"]),
        *((_windows_error(number, "no"), True) for number in (3, 5, 21, 32, 64, 112, 1117)),
        *((_windows_error(number, "no"), False) for number in (206,)),
        (ValueError("embedded null byte"), False),
    ],
)
def test_an_error_that_may_pass(error: Exception, passes: bool) -> None:
    """Errors of disks and other programs may pass; those of names do not."""
    assert files.is_passing(error) is passes


def test_a_path_that_windows_does_not_find_because_it_is_long() -> None:
    """Windows calls the folder of a path that is too long missing, which never passes."""
    error = _windows_error(3, "not found")
    error.filename = "k" * 300
    assert not files.is_passing(error)


def test_room_in_a_folder(tmp_path: Path) -> None:
    """A folder that can take a file is created, and nothing is left in it."""
    folder = tmp_path / "videos" / "koi"
    assert files.can_hold(folder, 3_000_000)
    assert list(folder.iterdir()) == []
    assert not files.can_hold(folder, 2**60)
    (tmp_path / "file").write_bytes(b"")
    assert not files.can_hold(tmp_path / "file", 1)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("reserves", [True, False])
def test_no_room_for_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reserves: bool
) -> None:
    """A quota is found by reserving, or where that is not supported, by writing."""

    def refused(*_: object) -> None:
        raise OSError(number, "no")

    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(os, "posix_fallocate", refused if reserves else unsupported, raising=False)
    monkeypatch.setattr(os, "write", refused)
    assert not files.can_hold(tmp_path, 3_000_000)
    assert list(tmp_path.iterdir()) == []


def test_room_that_is_reserved_by_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that cannot reserve, the file is written in full, and removed."""
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    written: list[int] = []
    write = os.write

    def count(descriptor: int, data: memoryview) -> int:
        written.append(write(descriptor, data))
        return written[-1]

    monkeypatch.setattr(os, "write", count)
    assert files.can_hold(tmp_path, 2_500_000)
    assert sum(written) == 2_500_000
    assert list(tmp_path.iterdir()) == []


def _cannot_rename(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def test_a_drive_that_cannot_rename_gets_a_copy(
    target: Path, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is copied where it cannot be renamed; a link of its new name is replaced, not followed."""
    monkeypatch.setattr(os, "replace", _cannot_rename)
    files.replace(part, target)
    assert target.read_bytes() == b"new"
    assert not part.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_copy_follows_no_link(
    target: Path, part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link in place of the new name is replaced, and the file that it leads to is unchanged."""
    mine = tmp_path / "thesis.txt"
    mine.write_bytes(b"mine")
    target.unlink()
    target.symlink_to(mine)
    monkeypatch.setattr(os, "replace", _cannot_rename)
    files.replace(part, target)
    assert not target.is_symlink()
    assert (target.read_bytes(), mine.read_bytes()) == (b"new", b"mine")


def test_half_a_copy_is_removed(target: Path, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that fails leaves the original, and no file of the new name."""

    def lost(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "replace", _cannot_rename)
    monkeypatch.setattr(files, "flush_to_disk", lost)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.replace(part, target)
    assert part.read_bytes() == b"new"
    assert not target.exists()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM])
def test_a_file_system_that_cannot_flush(target: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A file system without flushing is no error; lost bytes are."""
    raised = [number, errno.EIO]

    def fsync(_: int) -> None:
        raise OSError(raised[0], os.strerror(raised[0]))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(sys, "platform", "linux")
    with target.open("r+b") as file:
        files.flush_to_disk(file.fileno())
        raised.pop(0)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            files.flush_to_disk(file.fileno())
