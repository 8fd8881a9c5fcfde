"""Leases on tasks: one kernel follows a task at a time, and a dead kernel's lease is void.

Without them, two kernels on one folder would submit, poll and save twice. A kernel holds its tasks in the
journal for a limited time, and renews the hold while it lives. The hold of a kernel that was killed on this
machine, e.g. by Kernel → Restart, ends at once because its process is gone.
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

__all__ = ["ObservedHolds", "claim", "hold", "is_dead", "new_holder"]

#: States of a process that has ended but has not been reaped by its parent.
_ENDED = ("Z", "X")


def new_holder() -> str:
    """Return a new holder name for this kernel: ``machine:pid:start of the process:random id``."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_start(pid)}:{uuid.uuid4().hex}"


class ObservedHolds:
    """The holds of other kernels as observed by this one, to detect those that are no longer renewed.

    A hold ends by the clock of the machine that wrote it. If that clock is hours ahead, or ours was set back,
    the end lies hours away although the kernel is dead. A live kernel renews its hold, so a hold that stays
    unchanged for as long as one of ours would last without renewal is stale.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: By task key: the holder and the end of the hold, and the time at which that pair was first seen.
        self._seen: dict[str, tuple[tuple[str, datetime | None], float]] = {}

    def is_valid(self, key: str, holder: str, until: datetime | None, seconds: float) -> bool:
        """Return whether a hold must be respected.

        Args:
            key: the key of the task.
            holder: the name of the holder.
            until: the end of the hold; ``None`` if it is unreadable.
            seconds: how long a hold of this kernel lasts without renewal.
        """
        return not is_dead(holder) and self.seconds_left(key, holder, until, seconds) > 0

    def seconds_left(self, key: str, holder: str, until: datetime | None, seconds: float) -> float:
        """Return the seconds for which a hold will be respected if it is not renewed."""
        now, hold = self._clock(), (holder, until)
        if key not in self._seen or self._seen[key][0] != hold:
            self._seen[key] = hold, now
        unrenewed = self._seen[key][1] + seconds - now
        left = unrenewed if until is None else min((until - datetime.now(UTC)).total_seconds(), unrenewed)
        return max(left, 0.0)


def hold(
    library: Library, key: str, holder: str, seconds: float, observed_holds: ObservedHolds | None = None
) -> bool:
    """Hold a task like ``Library.hold``, but ignore a stale hold and that of a dead kernel."""
    observed_holds = observed_holds or ObservedHolds()
    return _unless_held(library, key, seconds, observed_holds, lambda: library.hold(key, holder, seconds))


def claim(library: Library, entry: Entry, holder: str, seconds: float, observed_holds: ObservedHolds) -> bool:
    """Claim a task like ``Library.claim``, but ignore a stale hold and that of a dead kernel."""
    return _unless_held(
        library, entry.key, seconds, observed_holds, lambda: library.claim(entry, holder, seconds)
    )


def _unless_held(
    library: Library, key: str, seconds: float, observed_holds: ObservedHolds, take: Callable[[], bool]
) -> bool:
    if take():
        return True
    holding = library.current_hold(key)
    if holding is None or observed_holds.is_valid(key, *holding, seconds):
        return False
    library.release(holding[0], key)  # has no effect if another kernel was faster
    return take()


def is_dead(holder: str) -> bool:
    """Return whether a holder has certainly ended; ``False`` for other machines, where that is unknown."""
    machine, _, process = holder.rpartition(":")[0].partition(":")
    pid, _, start = process.partition(":")
    if machine != _machine() or not pid.isdecimal():
        return False
    has_ended = _has_ended_on_windows if os.name == "nt" else _has_ended
    return has_ended(int(pid), start)


def _has_ended(pid: int, start: str) -> bool:
    """Return whether a POSIX process has ended.

    Does not use psutil: where ``/proc`` shows each user only their own processes (``hidepid``), psutil
    reports those of other users as ended, and their tasks would be followed twice.
    """
    try:
        os.kill(pid, 0)  # only a check; on Windows it would kill
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False  # alive, and owned by another user
    return _start(pid) != start  # the pid may have been reused


def _has_ended_on_windows(pid: int, start: str) -> bool:
    """Return whether a Windows process has ended."""
    import psutil  # imported on demand because it is rarely needed

    try:
        return _start_on_windows(pid) != start
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False  # alive, and owned by another user


@cache
def _machine() -> str:
    """Return an id of this machine; on Linux, of its current boot and of the PID namespace of this process.

    Two containers can have the same host name, and each numbers its processes independently.
    """
    host = socket.gethostname().replace(":", "-")
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{host}/{boot}/{Path('/proc/self/ns/pid').readlink().name}".replace(":", "-")
    except OSError:
        # Two machines on one shared folder may have the same host name, so the MAC address is added.
        # If there is none, Python makes one up (the lowest bit of its first byte is set). In that case, and
        # on a Linux that hides its boot id, a unique name is the safe choice.
        node = uuid.getnode()
        has_mac = sys.platform != "linux" and not node >> 40 & 1
        return f"{host}/{node:012x}" if has_mac else f"{host}/{uuid.uuid4().hex}"


def _start(pid: int) -> str:
    """Return the start time of a process; empty if it has ended or the time is unknown, as on macOS."""
    if os.name == "nt":
        return _start_on_windows(pid)
    try:
        # After the name, which may contain anything: the state first, and the start time as the 20th field.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if fields[0] in _ENDED else fields[19]
    except (OSError, IndexError):
        return ""


def _start_on_windows(pid: int) -> str:
    """Return the start time of a process, in seconds since 1970.

    Windows stores this as a time, so it does not change when the clock is set. On Linux and macOS, psutil
    adds the boot time, which moves with the clock: a live kernel would seem to be another one.

    Raises:
        psutil.NoSuchProcess, psutil.AccessDenied: the start time is unknown.
    """
    import psutil

    return repr(psutil.Process(pid).create_time())
