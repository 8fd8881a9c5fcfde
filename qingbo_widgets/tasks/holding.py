"""Which kernel follows a task: one at a time, and never one that is dead.

Two kernels on one folder would otherwise submit, ask and save twice. So a kernel holds its tasks in the
journal, for a time that it prolongs as long as it lives. One that was killed on this machine, by Kernel →
Restart say, need not be waited for: its process is gone.
"""

from __future__ import annotations

import os
import socket
import sys
import uuid
from functools import cache
from pathlib import Path

from .library import Library

__all__ = ["hold", "is_dead", "new_holder"]

#: A process that has ended, and that nobody has asked about yet.
_ENDED = ("Z", "X")


def new_holder() -> str:
    """A name for whoever holds tasks here: ``machine:process:start of the process:one of it``."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_start(pid) or ''}:{uuid.uuid4().hex}"


def hold(library: Library, key: str, holder: str, seconds: float) -> bool:
    """As ``Library.hold``, but what a dead kernel holds is free at once."""
    if library.hold(key, holder, seconds):
        return True
    other, _ = library.holding(key) or ("", None)
    if not is_dead(other):
        return False
    library.release(other, key)  # nothing, if another kernel was faster
    return library.hold(key, holder, seconds)


def is_dead(holder: str) -> bool:
    """Whether a holder has surely ended; of other machines, and on Windows, nobody can tell."""
    machine, _, process = holder.rpartition(":")[0].partition(":")
    pid, _, start = process.partition(":")
    if os.name != "posix" or machine != _machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)  # asks only
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False  # somebody else's, and alive
    return _start(int(pid)) != (start or None)  # the number may be that of another process by now


@cache
def _machine() -> str:
    """This machine since it was started, and of two containers on it the one that we are in.

    Two of them can have the same name, and each counts its processes for itself.
    """
    named = socket.gethostname().replace(":", "-")
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{named}/{boot}/{Path('/proc/self/ns/pid').readlink().name}".replace(":", "-")
    except OSError:
        # A Linux that hides what it is might be any of several; a name that is nobody else's says nothing.
        return f"{named}/{uuid.uuid4().hex}" if sys.platform == "linux" else named


def _start(pid: int) -> str | None:
    """When a process has started, in the kernel's ticks; ``None`` where it has ended, or nobody tells."""
    try:
        # Behind the name, which may hold anything: the state, and as the 20th field the start.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return None if fields[0] in _ENDED else fields[19]
    except (OSError, IndexError):
        return None
