"""Files that another program has open. The fixture ``rules_of_windows`` refuses as Windows does."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from qingbo_widgets.system import files
from tests.windows_rules import HELD, Held, needs_the_rules


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "koi.json"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """The file that replaces the old one."""
    path = tmp_path / "new.part"
    path.write_bytes(b"new")
    return path


@needs_the_rules
def test_the_rules_are_kept_here(target: Path, part: Path) -> None:
    """The tests below would pass without them; this one would not."""
    with target.open("rb"):
        for act in (target.unlink, lambda: part.replace(target), lambda: target.rename(part)):
            with pytest.raises(PermissionError):
                act()
    with pytest.raises(OSError, match="no name" if os.name != "nt" else ""):
        (target.parent / "a?.mp4").write_bytes(b"")


@pytest.mark.parametrize("act", ["replace", "remove"])
def test_a_reader_is_waited_for(target: Path, part: Path, act: str) -> None:
    """A virus scanner, or another kernel, has the file open for a moment."""
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
def test_a_reader_that_stays_is_not_waited_for_for_ever(target: Path, part: Path) -> None:
    """The error is the system's own, and both files are as they were."""
    with target.open("rb"), pytest.raises(PermissionError):
        files.replace(part, target, patience=0.05)
    assert (target.read_bytes(), part.read_bytes()) == (b"old", b"new")


@pytest.mark.parametrize("number", [5, 32, 33])
def test_every_number_of_windows_is_tried_again(number: int) -> None:
    """Access denied, sharing violation, lock violation."""
    error = Held("koi.json")
    error.winerror = number
    assert files.patiently(_failing(3, error), patience=10) == "done"


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "no"), PermissionError(errno.EACCES, "no")]
)
def test_nothing_else_is_tried_again(error: OSError) -> None:
    """A lasting error is raised at once; so is, on Unix, a missing permission for the folder."""
    call = _failing(1, error)
    with pytest.raises(type(error)):
        files.patiently(call)
    assert call() == "done"


def test_the_end_of_patience_is_kept() -> None:
    """Not one more pause than there is time for."""
    tried: list[int] = []

    def call() -> None:
        tried.append(1)
        raise Held("koi.json")

    with pytest.raises(PermissionError):
        files.patiently(call, patience=0.0)
    assert tried == [1]


def test_what_is_removed_need_not_be_there(tmp_path: Path) -> None:
    """As with ``missing_ok``."""
    files.remove(tmp_path / "nothing")


def _of_windows(number: int, text: str) -> OSError:
    error = Held("x")
    error.winerror, error.strerror = number, text
    return error


@pytest.mark.parametrize(
    ("error", "length", "told"),
    [
        (OSError(errno.ENOSPC, "No space left"), 20, "the disk is full"),
        (_of_windows(HELD, "used"), 20, "another program has it open"),
        (_of_windows(5, "Access is denied"), 20, "Access is denied"),
        (_of_windows(206, "too long"), 300, "its path has 300 characters, and Windows allows 259"),
        (_of_windows(3, "not found"), 300, "its path has 300 characters, and Windows allows 259"),
        (_of_windows(3, "not found"), 20, "not found"),
        (ValueError("embedded null byte"), 20, "embedded null byte"),
    ],
)
def test_the_reason_is_told(error: OSError | ValueError, length: int, told: str) -> None:
    """In words that say what to do, where the system's own do not."""
    assert files.reason_of(error, Path("k" * length)).startswith(told)


def _failing(times: int, error: OSError) -> Callable[[], str]:
    left = [error] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "done"

    return call
