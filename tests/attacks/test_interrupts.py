"""Attacks by interrupts at any line: no paid task is unknown to the journal, no lock stays held."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.faults.server import FaultServer
from tests.faults.service import Service

ROOT = Path(__file__).parents[2]

#: The script for a separate process: interrupts at random moments, from the system's most precise timer.
SCRIPT = """
import random, signal, sys, time
import qingbo_widgets as qw

url, count, number = sys.argv[1], int(sys.argv[2]), getattr(signal, sys.argv[3])

class Stop(BaseException):
    pass

def stop(*_):
    raise Stop

signal.signal(number, stop)
alarm = signal.ITIMER_REAL
rng = random.Random(1)
if number != signal.SIGALRM:
    import os
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), number))

def connect():
    manager = qw.connect("some-key", base_url=url, library="videos")
    manager.poll_interval = 0.05
    return manager

manager, interrupted, returned = connect(), 0, []
# Run everything once: a logger that computes its level for the first time takes a lock of the standard
# library, which an interrupt leaves locked before Python 3.13.
for prompt in ("first", "second"):
    connect().submit(prompt=prompt).wait(20)
    time.sleep(0.5)
for index in range(count):
    try:
        signal.setitimer(alarm, rng.uniform(0.00001, 0.0015))
        if index % 4 == 0:
            manager = connect()
        returned.append(qw.generate(f"koi {index}"))
        if index % 3 == 0:
            returned[-1].follow_again() if returned[-1].task_id else None
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pass
        raise Stop  # Python drops an error raised in the callback of a weak reference, with a warning
    except Stop:
        interrupted += 1
    finally:
        signal.setitimer(alarm, 0)
assert interrupted == count, interrupted
for task in manager.tasks:
    task.wait(60)
known = {task.key for task in manager.tasks}
assert all(task.key in known for task in returned)
assert qw.generate("last").wait(20).video_path is not None
rows = {row.key for row in manager.library.entries()}
assert known <= rows, len(known - rows)
manager.close()
print(len(rows))
"""


def attack(folder: Path, count: int, name: str) -> None:
    """Run the script against a service; every task that the service creates must be in the journal."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        script = folder / "script.py"
        script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
        command = [sys.executable, str(script), f"{server.url}/v1", str(count), name]
        done = subprocess.run(
            command, cwd=folder, env={"PYTHONPATH": str(ROOT), "LANGUAGE": "en"}, capture_output=True,
            text=True, timeout=500, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert int(done.stdout.splitlines()[-1]) == len(service.tasks), (
            "a task was paid for and is not in the journal"
        )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that sends signals")
def test_interrupts_at_any_moment(tmp_path: Path) -> None:
    """After sixty interrupts, every task of the service is in the journal and ends."""
    attack(tmp_path, 60, "SIGINT")


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that sends signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGALRM", "SIGTERM"])
def test_hundreds_of_interrupts(tmp_path: Path, name: str) -> None:
    """The same holds for hundreds of interrupts, also by the signals of time limits."""
    attack(tmp_path, 600, name)
