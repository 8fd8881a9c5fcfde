"""``tasks.holding``: a kernel that was killed holds nothing; one that lives, or that nobody knows, does."""

from __future__ import annotations

import re
import subprocess
import sys
import threading

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks.holding import _is_gone_on_windows, _start_on_windows, hold, is_dead, new_holder
from qingbo_widgets.tasks.library import Entry

KERNEL = """
import sys, qingbo_widgets as qw
client = qw.Client(sys.argv[1], sys.argv[2])
manager = qw.TaskManager(client, qw.Library(sys.argv[3]), hold_seconds=86400, poll_interval=3600)
manager.submit(prompt="a koi").wait()
"""
NAMES = "from qingbo_widgets.tasks.holding import new_holder; print(new_holder(), flush=True); input()"


@pytest.mark.slow
def test_a_killed_kernel_is_not_waited_for(make_manager, server):
    """After kill -9 the next kernel goes on at once, however long the dead one meant to hold its task."""
    manager = make_manager()
    arguments = [sys.executable, "-c", KERNEL, server.api_key, server.base_url, str(manager.library.folder)]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as kernel:
        while not any(entry.task_id for entry in manager.library.entries()):
            assert kernel.poll() is None
            threading.Event().wait(0.01)
        kernel.kill()
    (task,) = manager.recover()
    assert task.wait(60).video_path.exists()


def test_only_the_dead_are_dead():
    """A process is alive until it is gone; then its number, given to another process, revives nobody."""
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
    if start:  # where the machine tells when a process has started
        assert is_dead(":".join((machine, pid, f"1{start}", name)))


def test_the_dead_of_windows_are_dead_too():
    """Windows is asked through psutil, which is asked the same here: of a child, before and after its end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = _start_on_windows(process.pid)
        assert start == _start_on_windows(process.pid)
        assert not _is_gone_on_windows(process.pid, start)
        assert _is_gone_on_windows(process.pid, f"1{start}")
    assert _is_gone_on_windows(process.pid, start)


@pytest.mark.parametrize("holder", ["", "another kernel", "f" * 32, "elsewhere:1:2:3", "a:b:c:d", ":::"])
def test_of_others_nobody_can_tell(tmp_path, holder):
    """Another machine's kernel, or an older version's, holds its task until its time is over."""
    library = qw.Library(tmp_path)
    library.add(Entry(key="k", service="s"), holder=holder, seconds=60)
    assert not hold(library, "k", new_holder(), 60)
    assert library.holding("k")[0] == holder
    library.release(holder, "k")
    assert hold(library, "k", mine := new_holder(), 60)
    assert library.holding("k")[0] == mine


def test_whoever_waits_is_told_until_when(make_manager):
    """The time is the other kernel's, not our own setting."""
    manager = make_manager(hold_seconds=5.0)
    entry = Entry(key="k" * 32, service=manager.service, task_id="task-1", status="processing")
    manager.library.add(entry, holder="another kernel", seconds=600)
    task = manager.resume("task-1")
    told: list[str] = []
    task.observe(lambda change: told.append(change.new), "message")
    while not (seconds := re.findall(r"this one takes over in (\d+) s", " ".join(told))):
        threading.Event().wait(0.01)
    assert 500 < int(seconds[0]) <= 600
    manager.library.update(entry.key, status="cancelled")
    with pytest.raises(qw.TaskCancelled):
        task.wait(20)
