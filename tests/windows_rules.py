"""Two rules of Windows, enforced on every system: on open files and on file names.

Windows refuses to rename, replace or remove a file that any process has open, and refuses names that are
devices, end in a dot or a blank, or contain one of ``<>:"|?*``. Both rules are checked through Python's audit
events, so they cover only the operations of Python code in this process. Files of other processes, and those
that SQLite or FFmpeg open, rename or remove, are covered only while open in this process (``/proc``).

``reserved`` has the rule for names, that of ``os.path.isreserved`` (Python 3.13).
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["HELD", "Held", "keeping_the_rules", "needs_the_rules", "reserved"]

#: The Windows error code for a file used by another process.
HELD = 32
_CAN_SEE = Path("/proc/self/fd").is_dir()
needs_the_rules = pytest.mark.skipif(
    not _CAN_SEE and os.name != "nt", reason="finds open files through /proc, which this system does not have"
)
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{device}{number}" for device in ("COM", "LPT") for number in "123456789\u00b9\u00b2\u00b3"
}
_FORBIDDEN = frozenset('<>:"/\\|?*') | {chr(code) for code in range(32)}


class Held(PermissionError):
    """The error that Windows raises for an open file, with ``winerror`` on every system."""

    winerror = HELD

    def __init__(self, path: str) -> None:
        super().__init__(errno.EACCES, "the file is open (a rule of Windows)", path)


def reserved(name: str) -> bool:
    """Return whether Windows forbids a file name."""
    if name in (".", ".."):
        return False
    device = name.partition(".")[0].rstrip(" ").upper()
    return name.endswith((".", " ")) or not _FORBIDDEN.isdisjoint(name) or device in _DEVICES


class _Rules:
    """The audit hook of the process, which can never be removed; it checks paths below ``root`` if set."""

    def __init__(self) -> None:
        self.root: str | None = None
        self._busy = threading.local()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.root is None or event not in ("open", "os.rename", "os.remove", "os.mkdir"):
            return
        if getattr(self._busy, "here", False):
            return
        self._busy.here = True
        try:
            self._check(event, arguments)
        finally:
            self._busy.here = False

    def _check(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & os.O_CREAT:
                self._check_name(self._below(path))
        elif event == "os.mkdir":
            self._check_name(self._below(arguments[0], arguments[2]))
        elif event == "os.rename":
            source, target, *folders = arguments
            self._check_name(self._below(target, folders[1]))
            self._check_closed(self._below(source, folders[0]), self._below(target, folders[1]))
        else:
            self._check_closed(self._below(arguments[0], arguments[1]))

    def _below(self, path: object, folder: object = -1) -> str | None:
        """Return the absolute path if it is below the root; else ``None``."""
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        text = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0:
            text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)  # noqa: PTH115, PTH118
        text = os.path.abspath(text)  # noqa: PTH100 - a rename affects the link itself
        return text if self.root is not None and text.startswith(f"{self.root}{os.sep}") else None

    def _check_name(self, path: str | None) -> None:
        if path is not None and self.root is not None:
            for name in Path(path).relative_to(self.root).parts:
                if reserved(name):
                    raise OSError(errno.EINVAL, "no name for a file (a rule of Windows)", path)

    def _check_closed(self, *paths: str | None) -> None:
        wanted = {path for path in paths if path is not None}
        if wanted and (held := wanted & set(_open_files())):
            raise Held(held.pop())


def _open_files() -> Iterator[str]:
    folder = "/proc/self/fd"
    for descriptor in os.listdir(folder):  # noqa: PTH208
        try:
            yield os.readlink(f"{folder}/{descriptor}")  # noqa: PTH115
        except OSError:  # closed meanwhile, or the descriptor of this listing
            continue


_rules: _Rules | None = None


@contextmanager
def keeping_the_rules(root: Path) -> Iterator[None]:
    """Enforce the rules below a folder; do nothing without ``/proc``, as on Windows itself."""
    global _rules
    if not _CAN_SEE:
        yield
        return
    if _rules is None:
        _rules = _Rules()
    _rules.root = str(root.resolve())
    try:
        yield
    finally:
        _rules.root = None
