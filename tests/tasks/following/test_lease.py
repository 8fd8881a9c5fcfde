"""``lease``: the hold of a killed kernel is void; that of a live or an unknown one counts."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.tasks.following.lease import (
    ObservedHolds,
    _has_ended_on_windows,
    _start_on_windows,
    hold,
    is_dead,
    new_holder,
)

KERNEL = """
import sys, qingbo_widgets as qw
client = qw.Client(sys.argv[1], sys.argv[2])
manager = qw.TaskManager(client, qw.Library(sys.argv[3]), hold_seconds=86400, poll_interval=3600)
manager.submit(prompt="a koi").wait()
"""
NAMES = (
    "from qingbo_widgets.tasks.following.lease import new_holder; print(new_holder(), flush=True); input()"
)


@pytest.mark.slow
def test_a_killed_kernel_is_not_waited_for(make_manager, server):
    """After kill -9 the next kernel continues at once, however long the dead one's hold would last."""
    manager = make_manager()
    arguments = [sys.executable, "-c", KERNEL, server.api_key, server.base_url, str(manager.library.folder)]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as kernel:
        while not any(entry.task_id for entry in manager.library.entries()):
            assert kernel.poll() is None
            threading.Event().wait(0.01)
        kernel.kill()
    (task,) = manager.recover()
    assert task.wait(60).video_path.exists()


def test_a_holder_is_dead_once_its_process_has_ended():
    """A holder is dead once its process has ended, even if its pid is reused."""
    with subprocess.Popen(
        [sys.executable, "-c", NAMES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        other = process.stdout.readline().strip()
        assert other != new_holder()
        assert not is_dead(other)
        process.kill()
    assert is_dead(other)
    assert not is_dead(new_holder())
    machine, pid, start, name = new_holder().split(":")
    if start:  # if the platform reports start times
        assert is_dead(":".join((machine, pid, f"1{start}", name)))


def test_a_holder_is_dead_on_windows():
    """The psutil check used on Windows works here too: on a child, before and after its end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = _start_on_windows(process.pid)
        assert start == _start_on_windows(process.pid)
        assert not _has_ended_on_windows(process.pid, start)
        assert _has_ended_on_windows(process.pid, f"1{start}")
    assert _has_ended_on_windows(process.pid, start)


@pytest.mark.parametrize("holder", ["", "another kernel", "f" * 32, "elsewhere:1:2:3", "a:b:c:d", ":::"])
def test_a_hold_of_another_machine_counts(tmp_path, holder):
    """The hold of another machine, or of an older version, lasts until its end."""
    library = qw.Library(tmp_path)
    library.add(Entry(key="k", service="s"), holder=holder, seconds=60)
    assert not hold(library, "k", new_holder(), 60)
    assert library.current_hold("k")[0] == holder  # type: ignore[index]  # None fails the test
    library.release(holder, "k")
    assert hold(library, "k", mine := new_holder(), 60)
    assert library.current_hold("k")[0] == mine  # type: ignore[index]  # None fails the test


def test_a_user_who_waits_sees_until_when(make_manager):
    """The message counts down to the end of the hold, if that comes before our own hold time."""
    manager = make_manager(hold_seconds=600.0)
    entry = Entry(key="k" * 32, service=manager.service, task_id="task-1", status="processing")
    manager.library.add(entry, holder="another kernel", seconds=60)
    task = manager.resume("task-1")
    messages: list[str] = []
    task.observe(lambda change: messages.append(change.new), "message")
    while not (seconds := re.findall(r"this one takes over in (\d+) s", " ".join(messages))):
        threading.Event().wait(0.01)
    assert 50 < int(seconds[0]) <= 60
    manager.library.update(entry.key, status="cancelled")
    with pytest.raises(qw.TaskCancelled):
        task.wait(20)


HOUR = 3600.0


def test_a_hold_from_a_clock_that_is_ahead_ends_when_it_is_not_renewed():
    """A hold that ends hours from now counts only as long as it is renewed."""
    now = 0.0
    observed_holds = ObservedHolds(lambda: now)
    ahead = datetime.now(UTC) + timedelta(hours=5)
    assert observed_holds.is_valid("k", "elsewhere", ahead, 30)
    now = 29.0
    assert observed_holds.is_valid("k", "elsewhere", ahead, 30)
    assert observed_holds.seconds_left("k", "elsewhere", ahead, 30) == 1.0
    renewed = ahead + timedelta(seconds=10)
    assert observed_holds.is_valid("k", "elsewhere", renewed, 30), "renewed, so its kernel is alive"
    now = 58.0
    assert observed_holds.is_valid("k", "elsewhere", renewed, 30)
    now = 60.0
    assert not observed_holds.is_valid("k", "elsewhere", renewed, 30)
    assert observed_holds.is_valid("k", "a third", renewed, 30), "another kernel took it"


def test_a_hold_that_is_over_is_not_waited_for():
    """A hold whose end has passed does not count."""
    over = datetime.now(UTC) - timedelta(seconds=1)
    assert not ObservedHolds().is_valid("k", "elsewhere", over, 30)


@pytest.mark.parametrize("until", [7 * HOUR, 1e17, "x", None])
@pytest.mark.slow
def test_a_hold_that_ends_far_in_the_future_expires(make_manager, until):
    """A hold of a dead machine expires, even if its clock was ahead or its end is not a time."""
    manager = make_manager(hold_seconds=1.0)
    snapshot = manager.client.submit(qw.VideoRequest(prompt="koi"))
    row = Entry(key="k" * 32, service=manager.service, task_id=snapshot.task_id, status="queued")
    manager.library.add(row, holder="dead:1:2:3", seconds=60)
    with closing(sqlite3.connect(manager.library.folder / "library.sqlite")) as database, database:
        moment = time.time() + until if isinstance(until, float) else until
        database.execute("update tasks set held_until = ?", [moment])
    assert manager.resume(snapshot.task_id).wait(20).video_path.is_file()
