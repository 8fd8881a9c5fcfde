"""Operations on files that another program has open; the fixture ``rules_of_windows`` refuses them."""

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
