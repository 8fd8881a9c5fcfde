"""Which kernel follows a task: one at a time, and never one that is dead.

Two kernels on one folder would otherwise submit, ask and save twice. So a kernel holds its tasks in the
journal, for a time that it prolongs as long as it lives. One that was killed on this machine, by Kernel →
Restart say, need not be waited for: its process is gone.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from ...library.entry import Entry
from ...library.library import Library

__all__ = ["Sightings", "claim", "hold", "is_dead", "new_holder"]

#: A process that has ended, and whose parent has not asked about it yet.
_ENDED = ("Z", "X")


def new_holder() -> str:
    """A name for whoever holds tasks here: ``machine:process:start of the process:one of it``."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_start(pid)}:{uuid.uuid4().hex}"


class Sightings:
    """The holds of other kernels, as this one has seen them: which has been renewed, and which has not.

    A hold ends by the clock of the machine that wrote it. If that clock is hours ahead, or ours was set back,
    the end lies hours away although the kernel is dead. One that lives renews its hold; so a hold that stays
    as it is, for as long as ours would last without renewal, is not believed any more.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: By the task's key: its holder and the end of the hold, and when that was seen first.
        self._seen: dict[str, tuple[tuple[str, datetime | None], float]] = {}

    def is_believed(self, key: str, holder: str, until: datetime | None, seconds: float) -> bool:
        """Return whether a hold has to be respected.

        Args:
            key: the task's.
            holder: holds it.
            until: the end of the hold; ``None`` where that cannot be read.
            seconds: how long a hold lasts here without renewal.
        """
        return not is_dead(holder) and self.seconds_left(key, holder, until, seconds) > 0

    def seconds_left(self, key: str, holder: str, until: datetime | None, seconds: float) -> float:
        """Return how long a hold will be respected if it is not renewed."""
        now, hold = self._clock(), (holder, until)
        if key not in self._seen or self._seen[key][0] != hold:
            self._seen[key] = hold, now
        unrenewed = self._seen[key][1] + seconds - now
        left = unrenewed if until is None else min((until - datetime.now(UTC)).total_seconds(), unrenewed)
        return max(left, 0.0)


def hold(library: Library, key: str, holder: str, seconds: float, sightings: Sightings | None = None) -> bool:
    """As ``Library.hold``, but a dead kernel's hold, or one that is not believed, is free at once."""
    sightings = sightings or Sightings()
    return _unless_held(library, key, seconds, sightings, lambda: library.hold(key, holder, seconds))


def claim(library: Library, entry: Entry, holder: str, seconds: float, sightings: Sightings) -> bool:
    """As ``Library.claim``, but a dead kernel's hold, or one that is not believed, is free at once."""
    return _unless_held(library, entry.key, seconds, sightings, lambda: library.claim(entry, holder, seconds))


def _unless_held(
    library: Library, key: str, seconds: float, sightings: Sightings, take: Callable[[], bool]
) -> bool:
    if take():
        return True
    holding = library.holding(key)
    if holding is None or sightings.is_believed(key, *holding, seconds):
        return False
    library.release(holding[0], key)  # nothing, if another kernel was faster
    return take()


def is_dead(holder: str) -> bool:
    """Return whether a holder has surely ended. Of other machines that is not known."""
    machine, _, process = holder.rpartition(":")[0].partition(":")
    pid, _, start = process.partition(":")
    if machine != _machine() or not pid.isdecimal():
        return False
    is_gone = _is_gone_on_windows if os.name == "nt" else _is_gone
    return is_gone(int(pid), start)


def _is_gone(pid: int, start: str) -> bool:
    """Tell whether a process of POSIX has ended.

    Not by psutil: where ``/proc`` shows each user the own processes only (``hidepid``), it takes those of the
    others for ended, and a task of theirs would be followed twice.
    """
    try:
        os.kill(pid, 0)  # asks only; on Windows it would kill
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False  # another user's, and alive
    return _start(pid) != start  # the number may be that of another process by now


def _is_gone_on_windows(pid: int, start: str) -> bool:
    """Tell whether a process of Windows has ended."""
    import psutil  # imported when it is needed, which is seldom

    try:
        return _start_on_windows(pid) != start
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False  # another user's, and alive


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
        # Two machines on one shared folder may have the same name, so the network card's number goes with it.
        # Where there is none, Python makes one up (its lowest bit of the first byte is set): then, and on a
        # Linux that hides what it is, a name that no other kernel has is on the safe side.
        node = uuid.getnode()
        is_known = sys.platform != "linux" and not node >> 40 & 1
        return f"{named}/{node:012x}" if is_known else f"{named}/{uuid.uuid4().hex}"


def _start(pid: int) -> str:
    """Return when a process has started, empty where it has ended or that is not known, as on macOS."""
    if os.name == "nt":
        return _start_on_windows(pid)
    try:
        # Behind the name, which may hold anything: the state, and as the 20th field the start.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if fields[0] in _ENDED else fields[19]
    except (OSError, IndexError):
        return ""


def _start_on_windows(pid: int) -> str:
    """Return when a process has started, in seconds since 1970.

    Windows keeps this as a time, so it stays the same when the clock is set. On Linux and macOS, psutil adds
    the time of the boot to it, which moves with the clock: a kernel that lives would seem to be another one.

    Raises:
        psutil.NoSuchProcess, psutil.AccessDenied: it is not known.
    """
    import psutil

    return repr(psutil.Process(pid).create_time())
